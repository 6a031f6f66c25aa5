"""Where the clips' embeddings lie on their first two principal components, thinned to be drawn.

At most twelve classes are named, more colours cannot be told apart. They are those most involved
in mistakes: on the picture one sees whether their clips lie among each other. Of clips that may
have several labels they are the most frequent ones, and a clip is drawn as its most frequent
label. All other clips are "other".

Which clips of a class are drawn depends on their names alone, so that maps of several models show
the same ones; every class gets its share, but named classes half of the picture if they fill it.
"""

import zlib
from typing import Any

import numpy as np

from harness import metrics
from harness.predictions import Predictions
from harness.report.confusion import Confusion

NAMED = 12


def of(kept: Predictions, points: int) -> dict[str, Any] | None:
    """Return what is drawn of at most `points` clips; None where there is no picture."""
    if not points or not len(kept.plane) or not np.ptp(kept.plane, axis=0).any():
        return None
    group, weight = _by_frequency(kept) if kept.targets.ndim == 2 else _by_mistakes(kept)
    named = _largest(weight, np.bincount(group[group >= 0], minlength=len(kept.classes)))
    right = metrics.hits("accuracy", kept.targets, kept.scores)
    rows = _thin(kept, group, np.isin(group, named), points)
    place = {int(label): number for number, label in enumerate(named)}
    return {
        "named": named.tolist(),
        "x": kept.plane[rows, 0].tolist(),
        "y": kept.plane[rows, 1].tolist(),
        "class": [place.get(int(label), len(named)) for label in group[rows]],
        "right": "".join("01"[int(hit)] for hit in right[rows]),
        "clips": len(kept.ids),
    }


def _by_mistakes(kept: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each clip, and how many mistakes each class is involved in."""
    confusion = Confusion.of(kept)
    return kept.targets, confusion.support + confusion.claimed - 2 * confusion.hits


def _by_frequency(kept: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Return the most frequent label of each clip, -1 without any, and how many clips it is of."""
    group = np.where(kept.targets, 1 + kept.targets.sum(axis=0), 0).argmax(axis=1)
    group[~kept.targets.any(axis=1)] = -1
    return group, np.bincount(group[group >= 0], minlength=len(kept.classes))


def _largest(weight: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the classes of most weight, then most clips, in stored order."""
    order = np.lexsort((np.arange(len(weight)), -size, -weight))
    return np.sort(order[size[order] > 0][:NAMED])


def _thin(kept: Predictions, group: np.ndarray, named: np.ndarray, points: int) -> np.ndarray:
    """Return the clips that are drawn, in the order of their draw."""
    names = np.char.add(np.char.add(kept.folds, "/"), kept.ids)
    lot = np.array([zlib.crc32(name.encode()) for name in names.tolist()])
    order = np.lexsort((names, lot, group))
    first = np.searchsorted(group[order], group[order])
    size = np.searchsorted(group[order], group[order], "right") - first
    share = np.empty(len(order))
    share[order] = (np.arange(len(order)) - first) / size  # of the class that comes before
    order = np.lexsort((names, lot, share))
    ours, others = order[named[order]], order[~named[order]]
    ours = ours[: max(points // 2, points - len(others))]
    return np.concatenate([ours, others[: points - len(ours)]])
