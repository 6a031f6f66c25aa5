"""What a protocol is given and what it gives back: arrays in, arrays out.

A protocol knows neither the task's name nor the encoder's: only embeddings, targets
and folds. That is what keeps every protocol valid for every task (docs/ARCHITECTURE.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fold:
    """Positions of the clips of one train / valid / test division, int64, disjoint."""

    name: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Embeddings to be judged.

    embeddings: (N, D) float32. targets: (N,) int64 class indices, or (N, C) bool when
    a clip may have several labels or none. metric: a name in harness.metrics.METRICS.
    device: where a protocol that uses torch may compute.
    """

    embeddings: np.ndarray
    targets: np.ndarray
    folds: tuple[Fold, ...]
    classes: int
    metric: str
    device: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a protocol found.

    scores: per fold (n_test, C) float32; the first largest is the predicted class.
    selection: None, or {"on": "valid", "grid": …, "chosen": [one per fold]}.
    extra: further numbers for the record's `scores`.
    """

    scores: tuple[np.ndarray, ...]
    selection: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A way to judge embeddings. Raise `version` when scores stop being comparable."""

    name: str
    version: int
    params: Mapping[str, Any]
    solve: Callable[[Problem], Outcome]
