"""Outcome → what is kept of the test clips: predictions, neighbours, places; or events."""

import numpy as np

from harness.embed import Embeddings
from harness.events import Events
from harness.plane import plane
from harness.predictions import NEIGHBOURS, Detections, Predictions
from harness.problem import Outcome, Problem
from tasks.prepare import Index


def predictions(
    index: Index, embeddings: Embeddings, problem: Problem, outcome: Outcome
) -> Predictions | Detections:
    """The test clips of every fold with their class scores, or with the events found."""
    tested = np.concatenate([fold.test for fold in problem.folds])
    measured = index.clips.iloc[embeddings.kept]
    ids = measured["id"].to_numpy(dtype=str)
    folds = np.concatenate([np.repeat(fold.name, len(fold.test)) for fold in problem.folds])
    classes = np.array(index.classes)
    if problem.moments is not None:
        before = np.cumsum([0, *(len(fold.test) for fold in problem.folds)])
        found = [_table(found, first) for found, first in zip(outcome.events, before, strict=False)]
        return Detections(
            ids=ids[tested],
            folds=folds,
            classes=classes,
            happened=_table(problem.moments.events.take(tested), 0),
            found=np.concatenate(found),
        )
    near = _neighbours(outcome)
    labels = np.array(["; ".join(names) for names in measured["labels"]], dtype=str)
    return Predictions(
        ids=ids[tested],
        folds=folds,
        classes=classes,
        targets=problem.targets[tested],
        scores=np.concatenate(outcome.scores, dtype=np.float32),
        plane=plane(problem.embeddings[tested]),
        neighbours=ids[near],
        neighbour_labels=labels[near],
    )


def _neighbours(outcome: Outcome) -> np.ndarray:
    """Positions of each test clip's neighbours, (n, up to 5); as many for every fold."""
    if not outcome.neighbours:
        return np.zeros((0, 0), np.int64)
    kept = min(NEIGHBOURS, *(near.shape[1] for near in outcome.neighbours))
    return np.concatenate([near[:, :kept] for near in outcome.neighbours])


def _table(events: Events, first: int) -> np.ndarray:
    """Events as rows (E, 4) of clip, class, start and end; `first` is what clip 0 becomes."""
    return np.column_stack([events.clip + first, events.label, events.start, events.end])
