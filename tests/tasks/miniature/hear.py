"""HEAR task directories in small, of every kind, as folders, archives and a Zenodo record.

Three stand for tasks of the record, one is a person's own. What is heard comes from `digits`
(real recordings), `tones` (for tests that do not listen) or `mixtures`.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from tasks.spec import Task
from tests.tasks.miniature import listing, tarred
from tests.tasks.miniature.mixtures import Mixture
from tests.tasks.server import Server

# The number-th recording in which these labels are heard, at a sample rate, Hz.
Audio = Callable[[Sequence[str], int, int], bytes]

LEAVES_OUT = (
    "the size, sixteen of the twenty directories, and that the real clips of all tasks but "
    "FSD50K are cut and filled up to one length"
)
_FOLDS = ("fold00", "fold01", "fold02")


@dataclass(frozen=True, kw_only=True)
class Miniature:
    """A directory: what its files say, and what is heard.

    `listed` is split → file → what {split}.json says of it, `audio` gives the file of a split
    at a sample rate.
    """

    metadata: Mapping[str, Any]
    listed: Mapping[str, Mapping[str, Any]]
    audio: Callable[[str, str, int], bytes]

    @property
    def name(self) -> str:
        return "-".join(self.metadata[key] for key in ("task_name", "version", "mode"))

    @property
    def classes(self) -> list[Any]:
        """As hear-preprocess orders them, numbers by their size."""
        said = [
            item for files in self.listed.values() for labels in files.values() for item in labels
        ]
        return sorted({item["label"] if isinstance(item, dict) else item for item in said})

    def unpacked(self, *rates: int) -> dict[str, bytes]:
        """Name in the directory → bytes, with audio at the rates."""
        table = io.StringIO()
        csv.writer(table).writerows([("idx", "label"), *enumerate(self.classes)])
        files = {
            "task_metadata.json": json.dumps(self.metadata, indent=True).encode(),
            "labelvocabulary.csv": table.getvalue().encode(),
        }
        for split, labels in self.listed.items():
            files[f"{split}.json"] = json.dumps(labels, indent=True).encode()
            for rate in rates:
                for file in labels:
                    files[f"{rate}/{split}/{file}"] = self.audio(split, file, rate)
        return files

    def archive(self, rate: int = 48_000, prefix: str = "tasks/") -> dict[str, bytes]:
        """The .tar.gz of one rate, by its name on Zenodo."""
        files = {f"{prefix}{self.name}/{n}": data for n, data in self.unpacked(rate).items()}
        return {f"hear2021-{self.name}-{rate}.tar.gz": tarred(files, "w:gz")}

    def served(self, task: Task, server: Server) -> Task:
        """The task, to be fetched from a record with this archive on the server."""
        archive = self.archive()
        official, *others = task.sources
        assert official.listing is not None
        # Another task's list is another file: on Zenodo there is one of all.
        name = f"{task.name}.json"
        server.files |= archive | {name: listing(archive, server.url(""))}
        told = replace(official.listing, urls=(server.url(name),))
        return replace(
            task,
            sources=(replace(official, listing=told), *others),
            classes=len(self.classes),
        )


def tones(tone: Callable[..., bytes]) -> Audio:
    """Noise of a tenth of a second, another one for each number."""
    return lambda labels, number, rate: tone(number, rate=rate)


def digits(fsdd: Path) -> Audio:
    """Recordings of spoken digits, one after the other; where there is no label, quiet noise."""

    def heard(labels: Sequence[str], number: int, rate: int) -> bytes:
        samples = [np.random.default_rng(number).normal(0, 0.001, rate // 4)]
        for label in labels:
            found = sorted((fsdd / "recordings").glob(f"{label}_*.flac"))
            digit, recorded_at = soundfile.read(found[number % len(found)])
            samples.append(soxr.resample(digit, recorded_at, rate))
        file = io.BytesIO()
        soundfile.write(file, np.concatenate(samples), rate, format="WAV", subtype="PCM_16")
        return file.getvalue()

    return heard


def commands(audio: Audio, labels: Sequence[str] = ("0", "1", "2"), each: int = 2) -> Miniature:
    """Speech Commands: train, valid and test; `each` clips of a label, in train thrice as many."""
    counts = {"train": 3 * each, "valid": each, "test": each}
    chosen = {split: list(labels) * count for split, count in counts.items()}
    return _scenes(
        audio,
        {split: [[label] for label in order] for split, order in chosen.items()},
        task_name="speech_commands",
        version="v0.0.2",
        mode="5h",
        prediction_type="multiclass",
        split_mode="trainvaltest",
        evaluation=["top1_acc"],
    )


def voices(audio: Audio, labels: Sequence[int] = (0, 1, 2), each: int = 2) -> Miniature:
    """LibriCount: folds, labels that are numbers; the last of them is absent from fold01."""
    present = {fold: [n for n in labels if fold != "fold01" or n != labels[-1]] for fold in _FOLDS}
    return _scenes(
        audio,
        {fold: [[label] for label in numbers * each] for fold, numbers in present.items()},
        task_name="libricount",
        version="v1.0.0-hear2021",
        mode="full",
        prediction_type="multiclass",
        split_mode="new_split_kfold",
        evaluation=["top1_acc", "mAP", "d_prime", "aucroc"],
    )


def tags(audio: Audio, each: int = 1) -> Miniature:
    """A person's own: folds, several labels, one or none, files of different lengths."""
    labels = [["0"], ["1"], ["0", "1"], [], ["2", "0"], ["2"]] * each
    return _scenes(
        audio,
        dict.fromkeys(_FOLDS, labels),
        task_name="my tags",
        version="v1",
        mode="full",
        prediction_type="multilabel",
        split_mode="presplit_kfold",
        evaluation=["mAP", "d_prime", "aucroc", "top1_acc"],
    )


def office(mixed: Mapping[str, Mapping[str, Mixture]]) -> Miniature:
    """DCASE 2016 Task 2: train, valid and test with their mixtures, at the one rate they have."""
    return Miniature(
        metadata=_metadata(
            task_name="dcase2016_task2",
            version="hear2021",
            mode="full",
            embedding_type="event",
            prediction_type="multilabel",
            split_mode="trainvaltest",
            splits=list(mixed),
            evaluation=["event_onset_200ms_fms", "segment_1s_er"],
        ),
        listed={
            split: {file: [event._asdict() for event in made.events] for file, made in of.items()}
            for split, of in mixed.items()
        },
        audio=lambda split, file, rate: mixed[split][file].wav,
    )


def _scenes(
    audio: Audio, labels: Mapping[str, Sequence[Sequence[Any]]], **metadata: Any
) -> Miniature:
    """Return a directory of clips, numbered over all splits, with these labels."""
    listed: dict[str, dict[str, Sequence[Any]]] = {split: {} for split in labels}
    numbers: dict[str, int] = {}
    for split, said in labels.items():
        for these in said:
            file = f"clip{len(numbers):03d}.wav"
            listed[split][file] = these
            numbers[file] = len(numbers)
    return Miniature(
        metadata=_metadata(embedding_type="scene", splits=list(labels), **metadata),
        listed=listed,
        audio=lambda split, file, rate: audio(
            [str(label) for label in listed[split][file]], numbers[file], rate
        ),
    )


def _metadata(**told: Any) -> dict[str, Any]:
    """What is told of the task among what else stands there."""
    preprocessing = {
        "sample_duration": 4.0,
        "default_mode": "full",
        "download_urls": [{"split": "train", "url": "https://example.org/a.zip", "md5": "0" * 32}],
        "tmp_dir": "_workdir",
    }
    return {**preprocessing, **told}
