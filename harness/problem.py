"""What a protocol is given and what it gives back: arrays in, arrays out.

A protocol knows neither the task's name nor the encoder's: only embeddings, targets
and folds. That is what keeps every protocol valid for every task (docs/ARCHITECTURE.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.events import Events, ranges


@dataclass(frozen=True)
class Fold:
    """Positions of the clips of one train / valid / test division, int64, disjoint."""

    name: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Moments:
    """What timestamp embeddings have that scene embeddings have not.

    offsets: (N + 1,) int64; the rows offsets[i]:offsets[i + 1] of the embeddings are those of
    clip i, in order of time. times: (F,) float64, when, in ms. events: what happens in the
    clips.
    """

    offsets: np.ndarray
    times: np.ndarray
    events: Events

    def rows(self, clips: np.ndarray) -> np.ndarray:
        """Return the rows of some clips, clip after clip, (…,) int64."""
        return ranges(self.offsets[clips], self.offsets[clips + 1])[1]


def silent(done: float, total: float) -> None:
    """Tell nobody how far a fit is."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Embeddings to be judged.

    embeddings: (N, D) float32, a row per clip; with moments (F, D), a row per moment.
    targets: (N,) int64 class indices, or (N, C) bool when a clip may have several labels or
    none. metric: a name that harness.metrics or harness.event_scores knows. device: where a
    protocol that uses torch may compute. evaluation: as in `tasks.spec.Task`. progress: is
    told of a long fit: how much is done, of how much.
    """

    embeddings: np.ndarray
    targets: np.ndarray
    folds: tuple[Fold, ...]
    classes: int
    metric: str
    device: str
    seed: int
    moments: Moments | None = None
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[float, float], None] = silent


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a protocol found.

    scores: per fold (n_test, C) float32; the first largest is the predicted class. events: per
    fold those found in the test clips, in place of scores where clips are judged by events.
    neighbours: of a protocol that looks at them, per fold (n_test, k) int64 positions of the
    clips nearest to each test clip, nearest first. selection: None, or {"on": "valid", "grid": …,
    "chosen": [one per fold]}. extra: further numbers for the record's `scores`.
    """

    scores: tuple[np.ndarray, ...] = ()
    events: tuple[Events, ...] = ()
    neighbours: tuple[np.ndarray, ...] = ()
    selection: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A way to judge embeddings. Raise `version` when scores stop being comparable.

    `timestamps`: whether it judges events too, not only clips as a whole.
    """

    name: str
    version: int
    params: Mapping[str, Any]
    solve: Callable[[Problem], Outcome]
    timestamps: bool = False
