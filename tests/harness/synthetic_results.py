"""A results folder of made-up scores, marked synthetic: every task, several models, in seconds.

Nothing was measured. A clip is hard for all models alike, and a model has a skill, as real scores
have it: paired tests find more here than intervals side by side do.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import tasks
from harness import event_scores, metrics, results
from harness.events import Events
from harness.predictions import Detections, Predictions
from harness.protocols import PROTOCOLS
from tasks.spec import Task
from tests.harness.records import make_record

# Model → how good it is. The names and parameters are those of rows of the tables.
MODELS: Mapping[str, float] = {"melspec": -0.6, "ced-base": 0.9, "base": 0.7, "1.2B": 1.2}
PARAMETERS = {"melspec": 0, "ced-base": 85_600_000, "base": 85_400_000, "1.2B": 1_148_000_000}
CLIPS = 120
CLASSES = 12  # at most
LENGTH = 10_000.0  # ms, of a clip with events
KS = (1, 5, 10, 20, 50)


def write(
    folder: Path,
    models: Mapping[str, float] = MODELS,
    names: Iterable[str] | None = None,
    clips: int = CLIPS,
    classes: int = CLASSES,
) -> Path:
    """Write a record for each model, task and protocol of the task; returns `folder`.

    The same arguments give the same bytes.
    """
    for name in tasks.names() if names is None else names:
        task = tasks.load(name)
        for model, skill in models.items():
            for protocol in task.protocols:
                kept = judged(task, model, skill, protocol, clips, min(classes, task.classes))
                results.write(record(task, model, protocol, kept), kept, folder)
    return folder


def judged(
    task: Task, model: str, skill: float, protocol: str, clips: int, classes: int
) -> Predictions | Detections:
    """What a model of some skill says of made-up clips."""
    world, own = _rng(task.name), _rng(task.name, model, protocol)
    ids = np.array([f"clip-{n:04}" for n in range(clips)])
    folds = np.repeat(["fold1", "fold2"], [clips - clips // 2, clips // 2])
    names = np.array([f"class {n}" for n in range(classes)])
    if task.timestamps:
        return _events(ids, folds, names, world, own, skill)
    targets = np.concatenate([np.arange(classes), world.integers(classes, size=clips)])[:clips]
    ease = world.normal(size=clips)
    truth = np.eye(classes, dtype=bool)[targets]
    pull = 2.0 + 0.8 * (ease + skill)
    scores = own.normal(size=(clips, classes)) + np.where(truth, pull[:, None], 0)
    if task.multilabel:
        truth |= world.random((clips, classes)) < 0.1
        targets = truth
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    near = (np.arange(clips)[:, None] + 1 + np.arange(5)) % clips
    labels = np.array(["; ".join(names[row]) for row in truth])
    looks = protocol == "knn"
    return Predictions(
        ids=ids,
        folds=folds,
        targets=targets,
        scores=(odds / odds.sum(axis=1, keepdims=True)).astype(np.float32),
        classes=names,
        plane=np.clip(300 * own.normal(size=(clips, 2)), -1000, 1000).astype(np.int16),
        neighbours=ids[near] if looks else np.zeros((0, 0), str),
        neighbour_labels=labels[near] if looks else np.zeros((0, 0), str),
    )


def record(task: Task, model: str, protocol: str, kept: Predictions | Detections) -> dict[str, Any]:
    """The record of made-up predictions, its score computed from them."""
    wanted = list(dict.fromkeys([task.metric, *task.further_metrics]))
    if isinstance(kept, Predictions):
        wanted = list(dict.fromkeys([*wanted, *metrics.METRICS]))
    scored = [_scored(kept, wanted, fold) for fold in np.unique(kept.folds)]
    per_fold = [fold[task.metric] for fold in scored]
    score = float(np.mean(per_fold))
    half = 1.96 * np.sqrt(max(score * (1 - score), 0.01) / len(kept.ids))
    share = 1 / len(kept.classes)
    by_k = {str(k): score * (1 - 0.002 * abs(k - 10)) for k in KS}
    per = [int((kept.folds == fold).sum()) for fold in np.unique(kept.folds)]
    return make_record(
        model__name=model,
        model__spec=model,
        model__weights_sha256=_digest(model),
        model__parameters=PARAMETERS.get(model, 10_000_000 + int(_digest(model)[:6], 16)),
        task={
            "name": task.name,
            "version": task.version,
            "title": task.title,
            "domain": task.domain,
            "data_sha256": _digest(task.name),
            "source": "made up",
            "metric": task.metric,
            "higher_is_better": metrics.higher_is_better(task.metric),
            "synthetic": True,
        },
        protocol={
            "name": protocol,
            "version": PROTOCOLS[protocol].version,
            "params": dict(PROTOCOLS[protocol].params),
        },
        score=score,
        scores={
            **{metric: float(np.mean([fold[metric] for fold in scored])) for metric in wanted},
            **({"by_k": by_k} if protocol == "knn" else {}),
            "per_fold": per_fold,
            "std": float(np.std(per_fold, ddof=1)),
            "ci95": [max(score - half, 0.0), score + half],
            "floor": share if metrics.higher_is_better(task.metric) else 1.0,
            "collapsed": None,
        },
        n={
            "train": per,
            "valid": [0, 0],
            "test": per,
            "expected_test": sum(per),
            "classes": len(kept.classes),
            "skipped": 0,
            "padded": 0,
            "resampled": 0,
            "limit": None,
        },
        run__audio_seconds=5.0 * len(kept.ids),
        run__embedded_seconds=5.0 * len(kept.ids),
        run__seconds={"prepare": 0.1, "embed": 2.0 + 10 * share, "fit": 0.3},
    )


def _scored(kept: Predictions | Detections, wanted: list[str], fold: str) -> dict[str, float]:
    here = kept.folds == fold
    if isinstance(kept, Predictions):
        return metrics.compute_all(wanted, kept.targets[here], kept.scores[here])
    clips = np.flatnonzero(here)
    happened, found = (_in_fold(rows, clips) for rows in (kept.happened, kept.found))
    score = partial(event_scores.compute, reference=happened, estimated=found, clips=len(clips))
    return {metric: score(metric) for metric in wanted}


def _in_fold(rows: np.ndarray, clips: np.ndarray) -> Events:
    per_clip = [[(int(r[1]), r[2], r[3]) for r in rows[rows[:, 0] == clip]] for clip in clips]
    return Events.of(per_clip)


def _events(
    ids: np.ndarray,
    folds: np.ndarray,
    names: np.ndarray,
    world: np.random.Generator,
    own: np.random.Generator,
    skill: float,
) -> Detections:
    """Three events a clip; the better the model, the more of them are found, and the nearer."""
    total = 3 * len(ids)
    start = np.sort(world.uniform(0, LENGTH - 1000, size=(len(ids), 3))).ravel()
    happened = np.column_stack(
        [np.repeat(np.arange(len(ids)), 3), world.integers(len(names), size=total), start, start]
    )
    happened[:, 3] += world.uniform(200, 1000, size=total)
    heard = own.random(total) < 1 / (1 + np.exp(-skill))
    found = happened[heard].copy()
    found[:, 2:] += own.normal(scale=60 / (2 + skill), size=(len(found), 1))
    found[:, 2:] = np.clip(found[:, 2:], 0, LENGTH)
    return Detections(ids=ids, folds=folds, classes=names, happened=happened, found=found)


def _digest(*names: str) -> str:
    return hashlib.sha256("/".join(names).encode()).hexdigest()


def _rng(*names: str) -> np.random.Generator:
    return np.random.default_rng(int(_digest(*names)[:16], 16))
