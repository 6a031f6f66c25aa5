"""Which clips train, which choose, which test: the sole owner of fold logic.

Official splits are kept as they are. k folds: fold i tests, fold i + 1 validates (cyclic),
the others train, as in HEAR (heareval task_predictions). Where there is no validation
split about a tenth of train is cut out, whole groups at a time where recordings belong
together. The cut depends on the clips' ids alone: not on row order, seed or machine.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.errors import UserError
from harness.problem import Fold
from tasks.prepare import Index

VALID_SHARE = 0.1


def folds(index: Index) -> tuple[Fold, ...]:
    """Divide the index's clips into folds of positions (rows of `index.clips`).

    `valid` is empty only where nothing can be cut from train without taking some class's
    last clip (or group). Raises UserError if the splits are neither k folds nor
    train / (valid) / test.
    """
    clips = index.clips
    split = clips["split"].to_numpy(dtype=str)
    present = set(split)
    if present <= {"train", "valid", "test"} and {"train", "test"} <= present:
        return (_fold(clips, "test", split == "train", split == "valid", split == "test"),)
    names = sorted(present, key=lambda name: (len(name), name))
    if len(names) < 2 or any(not name.startswith("fold") for name in names):
        raise UserError(
            f"task {index.task.name}: expected splits train and test, or at least 2 folds, "
            f"found {', '.join(names) or 'none'}: give more clips with --limit, or mend the task"
        )
    if len(names) == 2:  # nothing would be left to train on
        nothing = np.zeros(len(split), bool)
        return tuple(_fold(clips, name, split != name, nothing, split == name) for name in names)
    following = names[1:] + names[:1]
    return tuple(
        _fold(clips, name, (split != name) & (split != after), split == after, split == name)
        for name, after in zip(names, following, strict=True)
    )


def _fold(
    clips: pd.DataFrame, name: str, train: np.ndarray, valid: np.ndarray, test: np.ndarray
) -> Fold:
    rows_train, rows_valid = np.flatnonzero(train), np.flatnonzero(valid)
    if len(rows_valid) == 0:
        cut = np.isin(rows_train, _cut(clips, rows_train))
        rows_train, rows_valid = rows_train[~cut], rows_train[cut]
    return Fold(name, rows_train, rows_valid, np.flatnonzero(test))


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _cut(clips: pd.DataFrame, train: np.ndarray) -> np.ndarray:
    """Rows of train to validate on: about a tenth, and some clip of every class stays."""
    ids, groups, labels = (clips[name].to_numpy()[train] for name in ("id", "group", "labels"))
    left = Counter(label for row in labels for label in row)
    if any(groups):
        members: dict[str, list[int]] = {}
        for position, (clip, group) in enumerate(zip(ids, groups, strict=True)):
            members.setdefault(group or f"clip {clip}", []).append(position)
        chosen = _by_group(members, labels, left)
    else:
        chosen = _by_label(ids, labels, left)
    return train[chosen]


def _take(left: Counter[str], labels: Sequence[Sequence[str]], positions: list[int]) -> bool:
    """Take the clips out of train, unless a class would lose its last."""
    gone = Counter(label for position in positions for label in labels[position])
    if any(left[label] <= count for label, count in gone.items()):
        return False
    left.subtract(gone)
    return True


def _by_label(ids: Sequence[str], labels: Sequence[Sequence[str]], left: Counter[str]) -> list[int]:
    """Every tenth clip in the order of label, then hash: stratified whatever the class sizes."""
    order = sorted(range(len(ids)), key=lambda i: (sorted(labels[i]), _hash(ids[i])))
    wanted = max(1, round(VALID_SHARE * len(ids)))
    step = len(ids) / wanted
    tenth = [order[int(step * (place + 0.5))] for place in range(wanted)]
    chosen = [i for i in tenth if _take(left, labels, [i])]
    return chosen or next(([i] for i in order if _take(left, labels, [i])), [])


def _by_group(
    members: dict[str, list[int]], labels: Sequence[Sequence[str]], left: Counter[str]
) -> list[int]:
    """Whole groups in hash order while they fit into a tenth; at least the smallest one."""
    wanted = round(VALID_SHARE * sum(map(len, members.values())))
    chosen: list[int] = []
    for group in sorted(members, key=_hash):
        positions = members[group]
        if len(chosen) + len(positions) <= wanted and _take(left, labels, positions):
            chosen += positions
    if chosen:
        return chosen
    smallest = sorted(members, key=lambda group: (len(members[group]), _hash(group)))
    return next((members[group] for group in smallest if _take(left, labels, members[group])), [])
