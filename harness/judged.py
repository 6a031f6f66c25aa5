"""A record's predictions, scored again: they must be those that its score is of.

A record is text that anybody can edit. What is made from both the record and its predictions would
contradict itself if one of them were not of the other.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from harness import event_scores, metrics, predictions
from harness.errors import UserError
from harness.events import Events
from harness.predictions import Detections, Predictions
from harness.results import Record

Kept = Predictions | Detections

SINGLE = 1e-4  # that a score of predictions kept in single precision may miss


def read(file: Path, record: Record) -> Kept:
    """The predictions beside the record `file`.

    Raises:
        UserError: there are none, they are damaged, or they give another score than the record's.
    """
    kept = predictions.read(file)
    found = score(record["task"]["metric"], kept)
    told = math.nan if record["score"] is None else record["score"]
    if np.isfinite([found, told]).any() and not abs(found - told) <= SINGLE:
        raise UserError(
            f"{file}: expected predictions of the score {told:.4f} that it tells, found those of "
            f"{found:.4f}; run the task again"
        )
    return kept


def score(metric: str, kept: Kept) -> float:
    """The mean over folds; NaN or infinite where a fold's is."""
    with np.errstate(invalid="ignore"):  # d′ of inf in one fold and -inf in another is NaN
        return float(np.mean([_compute(metric, *fold) for fold in _folds(kept)]))


def scored(metric: str, kept: Kept) -> list[tuple[float, np.ndarray]]:
    """Score and influences, () and (N,), for each fold."""
    return [(_compute(metric, *fold), _influence(metric, *fold)) for fold in _folds(kept)]


def _folds(kept: Kept) -> list[tuple[Any, ...]]:
    """What scores are computed from, fold by fold: of clips, or of events."""
    folds = [np.flatnonzero(kept.folds == fold) for fold in np.unique(kept.folds)]
    if isinstance(kept, Predictions):
        return [(kept.targets[clips], kept.scores[clips]) for clips in folds]
    happened, found = _events(kept.happened), _events(kept.found)
    return [(happened.take(clips), found.take(clips), len(clips)) for clips in folds]


def _compute(metric: str, *fold: Any) -> float:
    return (event_scores if isinstance(fold[0], Events) else metrics).compute(metric, *fold)


def _influence(metric: str, *fold: Any) -> np.ndarray:
    return (event_scores if isinstance(fold[0], Events) else metrics).influence(metric, *fold)


def _events(rows: np.ndarray) -> Events:
    clip, label = rows[:, :2].astype(np.int64).T
    return Events.in_order(clip, label, rows[:, 2], rows[:, 3])
