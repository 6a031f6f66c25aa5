"""The grid of the HEAR 2021 evaluation: which heads are tried, and how long they train.

heareval (task_predictions.py) lists 16 points with scikit-learn's ParameterGrid, shuffles
them with Python's generator seeded with 42, and tries the first 8: always the same ones. A
task may prescribe other values (`tasks.spec.Task.evaluation`).
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.model_selection import ParameterGrid

from harness.errors import UserError
from harness.protocols.heads import Schedule

GRID: Mapping[str, Sequence[Any]] = {
    "hidden_layers": [1, 2],
    "hidden_dim": [1024],
    "dropout": [0.1],
    "lr": [3.2e-3, 1e-3, 3.2e-4, 1e-4],
    "patience": [20],
    "max_epochs": [500],
    "check_val_every_n_epoch": [3],
    "batch_size": [1024],
    "initialization": ["uniform", "normal"],
}
POINTS = 8  # what heareval tries by default
SHUFFLE = 42  # heareval's seed
_BY_HEAD = ("hidden_layers", "lr", "initialization")
_CHOICES = {name: GRID[name] for name in ("hidden_layers", "initialization")}
_LEAST = {  # of what is counted
    "hidden_dim": 1,
    "patience": 0,
    "max_epochs": 1,
    "check_val_every_n_epoch": 1,
    "batch_size": 2,  # batch norm divides by the spread
}

Point = Mapping[str, Any]  # one value for each of hidden_layers, lr and initialization


def points(prescribed: Mapping[str, Sequence[Any]]) -> list[Point]:
    """Return all points of the grid, in heareval's order of trying them.

    `prescribed` are the task's own values, a list by name. Raises UserError for a name that
    is none of the grid's, for several values of what all heads share, and for a value that
    heads cannot train with.
    """
    grid = {**GRID, **prescribed}
    unknown = sorted(grid.keys() - GRID.keys())
    if unknown:
        raise UserError(
            f"task_specific_param_grid: expected parameters of {', '.join(GRID)}, found "
            f"{', '.join(unknown)}; remove it from the task's metadata"
        )
    for name, values in grid.items():
        if not values or (name not in _BY_HEAD and len(values) > 1):
            few = "at least one" if name in _BY_HEAD else "one"
            raise UserError(
                f"task_specific_param_grid: expected {few} value of {name}, found {list(values)}; "
                "mend the task's metadata"
            )
        if not all(_fits(name, value) for value in values):
            raise UserError(
                f"task_specific_param_grid: expected {name} {_wanted(name)}, found {list(values)}; "
                "mend the task's metadata"
            )
    # Names and values in heareval's order: the order decides where the shuffle puts a point.
    order = list(ParameterGrid({name: list(values) for name, values in grid.items()}))
    random.Random(SHUFFLE).shuffle(order)
    return [{name: point[name] for name in _BY_HEAD} for point in order]


def _wanted(name: str) -> str:
    if name in _CHOICES:
        return f"of {_CHOICES[name]}"
    return f"to count from {_LEAST[name]}" if name in _LEAST else "from 0 and below 1"


def _fits(name: str, value: Any) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name]
    if name in _LEAST:
        return isinstance(value, int) and value >= _LEAST[name]
    return isinstance(value, int | float) and 0 <= value < 1


def schedule(prescribed: Mapping[str, Sequence[Any]], *, shuffle: bool, nan_ends: bool) -> Schedule:
    """Return how long, on what batches and how wide all heads of a task train."""
    value = {name: values[0] for name, values in {**GRID, **prescribed}.items()}
    return Schedule(
        hidden=value["hidden_dim"],
        dropout=value["dropout"],
        batch=value["batch_size"],
        max_epochs=value["max_epochs"],
        every=value["check_val_every_n_epoch"],
        patience=value["patience"],
        shuffle=shuffle,
        nan_ends=nan_ends,
    )
