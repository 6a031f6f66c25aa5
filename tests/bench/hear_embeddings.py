"""A problem's embeddings in a folder, as `heareval.embeddings` leaves them for its predictions.

Facts of the layout and of the order of clips from heareval 2021.1.3,
embeddings/task_embeddings.py (memmap_embeddings, get_labels_for_timestamps).
"""

import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.hear_cases import Case

EVERY_TEN = "dcase2016_task2"  # the only name for which heareval validates every ten epochs


def write(case: Case, folder: Path) -> None:
    """Write the task into a new folder."""
    folder.mkdir(parents=True)
    event = case.problem.moments is not None
    metadata: dict[str, Any] = {
        "task_name": EVERY_TEN if event else case.name,
        "version": "bench",
        "mode": "full",
        "embedding_type": "event" if event else "scene",
        "prediction_type": "multilabel" if event else "multiclass",
        "split_mode": "trainvaltest" if "train" in case.splits else "presplit_kfold",
        "splits": list(case.splits),
        "evaluation": list(case.metrics),
        "evaluation_params": {},
    }
    (folder / "task_metadata.json").write_text(json.dumps(metadata))
    vocabulary = "".join(f"{i},{label}\n" for i, label in enumerate(case.classes))
    (folder / "labelvocabulary.csv").write_text("idx,label\n" + vocabulary)
    draw = random.Random(0)  # one for all splits
    for name, clips in case.splits.items():
        order = clips.tolist()
        draw.shuffle(order)
        values = case.problem.embeddings[_rows(case, order)]
        files = {
            "embeddings.npy": values.tobytes(),  # without NumPy's header
            "embedding-dimensions.json": values.shape,
            **(_events(case, order) if event else _scenes(case, order)),
        }
        for suffix, content in files.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (folder / f"{name}.{suffix}").write_bytes(data)


def _rows(case: Case, clips: list[int]) -> np.ndarray:
    moments = case.problem.moments
    return np.array(clips) if moments is None else moments.rows(np.array(clips))


def _scenes(case: Case, clips: list[int]) -> dict[str, Any]:
    labels = [[case.classes[case.problem.targets[clip]]] for clip in clips]
    truth = {f"{case.ids[clip]}.wav": label for clip, label in zip(clips, labels, strict=True)}
    return {"json": truth, "target-labels.pkl": pickle.dumps(labels, protocol=4)}


def _events(case: Case, clips: list[int]) -> dict[str, Any]:
    moments = case.problem.moments
    assert moments is not None
    truth, stamps, labels = {}, [], []
    for clip in clips:
        file = f"{case.ids[clip]}.wav"
        mine = moments.events.take(np.array([clip]))
        columns = (mine.label.tolist(), mine.start.tolist(), mine.end.tolist())
        spans = [(case.classes[n], start, end) for n, start, end in zip(*columns, strict=True)]
        truth[file] = [{"label": n, "start": start, "end": end} for n, start, end in spans]
        for t in moments.times[moments.rows(np.array([clip]))].tolist():
            stamps.append((file, t))
            labels.append([n for n, start, end in spans if start <= t < end + 0.0001])
    return {
        "json": truth,
        "filename-timestamps.json": stamps,
        "target-labels.pkl": pickle.dumps(labels, protocol=4),
    }
