"""Made-up predictions for tests of what a report tells, and the same ones in another order."""

from dataclasses import replace

import numpy as np

from harness.predictions import Detections, Predictions


def predictions(seed: int, *, several: bool = False, ties: bool = True) -> Predictions:
    """A few clips of a few classes in two folds, neighbours among them; some classes may lack."""
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(1, 40)), int(rng.integers(2, 7))
    scores = rng.random((n, classes))
    truth = rng.random((n, classes)) < 0.3
    targets = truth if several else rng.integers(0, classes, n)
    names = np.array([f"class {number}" for number in range(classes)])
    ids = np.array([f"clip {number}" for number in rng.permutation(n)])
    labels = [names[row] for row in truth] if several else names[targets][:, None]
    joined = np.array(["; ".join(some) for some in labels])
    near = rng.integers(0, n, size=(n, 3))
    return Predictions(
        ids=ids,
        folds=rng.choice(["fold1", "fold2"], n),
        targets=targets,
        scores=(np.round(scores * 3) / 3 if ties else scores).astype(np.float32),
        classes=names,
        plane=rng.integers(-1000, 1001, size=(n, 2)).astype(np.int16),
        neighbours=ids[near],
        neighbour_labels=joined[near],
    )


def detections(seed: int) -> Detections:
    """A few clips with events of a few classes on a grid of 50 ms, some of them found."""
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(1, 5)), int(rng.integers(1, 4))

    def events() -> np.ndarray:
        rows = rng.integers([0, 0, 0, 1], [n, classes, 20, 10], size=(int(rng.integers(0, 25)), 4))
        rows = rows[np.lexsort(rows.T[::-1])].astype(np.float64)
        rows[:, 2:] = np.cumsum(rows[:, 2:], axis=1) * 50
        return rows

    return Detections(
        ids=np.array([f"clip {number}" for number in range(n)]),
        folds=np.array(["test"] * n),
        classes=np.array([f"class {number}" for number in range(classes)]),
        happened=events(),
        found=events(),
    )


def shuffled(kept: Predictions, seed: int) -> Predictions:
    """The same clips in another order."""
    order = np.random.default_rng(seed).permutation(len(kept.ids))
    rows = ("ids", "folds", "targets", "scores", "plane", "neighbours", "neighbour_labels")
    return replace(kept, **{name: getattr(kept, name)[order] for name in rows})
