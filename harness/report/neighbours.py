"""The neighbours of clips in the space of embeddings, as kNN found them: why it voted as it did."""

from typing import Any

import numpy as np

from harness.predictions import Predictions


def of(kept: Predictions, row: int, near: Predictions | None) -> dict[str, Any]:
    """Return {"neighbours": [(id, classes), …]} of a clip, nearest first; {} where unknown.

    near: the predictions of kNN, where `kept` are those of a protocol without neighbours.
    """
    if not kept.neighbours.size:
        if near is None or not near.neighbours.size:
            return {}
        same = np.flatnonzero((near.ids == kept.ids[row]) & (near.folds == kept.folds[row]))
        if not len(same):
            return {}
        kept, row = near, int(same[0])
    names, labels = kept.neighbours[row].tolist(), kept.neighbour_labels[row]
    found = zip(names, _classes(kept, labels), strict=True)
    return {"neighbours": [list(clip) for clip in found]}


def magnets(kept: Predictions, limit: int) -> list[list[Any]] | None:
    """Return clips that stand near many they share no class with; None without neighbours.

    (id, classes, how many tested clips of other classes they are near, how many in all), those
    near most first, then by name. In many dimensions a few points are neighbours of very many
    (Radovanović, Nanopoulos and Ivanović, Hubs in space, 2010), and so a few clips may cost an
    encoder much of its score; or they are labelled wrongly.
    """
    if not kept.neighbours.size:
        return None
    names, first, which = np.unique(kept.neighbours, return_index=True, return_inverse=True)
    labels, kind = np.unique(kept.neighbour_labels, return_inverse=True)
    theirs = np.zeros((len(labels), len(kept.classes)), bool)
    classes = _classes(kept, labels)
    for number, some in enumerate(classes):
        theirs[number, some] = True
    own = kept.targets
    if own.ndim == 1:
        own = np.eye(len(kept.classes), dtype=bool)[own]
    kind = kind.reshape(kept.neighbours.shape)
    strange = ~(theirs[kind] & own[:, None]).any(axis=2)
    every = np.bincount(which.ravel(), minlength=len(names))
    wrong = np.bincount(which.ravel(), weights=strange.ravel(), minlength=len(names))
    worst = np.argsort(-wrong, kind="stable")[:limit]
    return [
        [str(names[clip]), classes[kind.ravel()[first[clip]]], int(wrong[clip]), int(every[clip])]
        for clip in worst
        if wrong[clip]
    ]


def _classes(kept: Predictions, labels: np.ndarray) -> list[list[int]]:
    """Classes of each clip, from its labels joined by "; "."""
    place = {name: number for number, name in enumerate(kept.classes.tolist())}
    parts = ([text] if text in place else text.split("; ") for text in labels.tolist())
    return [[place[part] for part in some if part in place] for some in parts]
