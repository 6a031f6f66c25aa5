"""When a head's training ends, and which of its states is kept.

As EarlyStopping (min_delta 0, check_finite) and ModelCheckpoint (save_top_k 1) of PyTorch
Lightning 1.9.5 have it, which heareval 2021.1.3 leaves both to.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harness.protocols import layers
from harness.protocols.layers import Stack


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A head as it was at its best validation, the first of equals.

    value: there, -inf for NaN. epoch: counted from 0. note: what the judge said with the value.
    """

    value: float
    epoch: int
    note: Any
    stack: Stack

    @torch.no_grad()
    def logits(self, features: Tensor, rows: Tensor) -> Tensor:
        """Of some rows (n,) of the features (N, D), all on the head's device: (n, C)."""
        return layers.logits_of(self.stack, features, rows)[:, 0]


class Watch:
    """Over the validations of one head.

    Only a value strictly above the best improves; patience is how many in a row may fail to. The
    first is kept whatever it is. NaN is worse than any number. nan_ends: a value that is not
    finite ends training at once, though +inf is kept as the best.
    """

    def __init__(self, patience: int, *, nan_ends: bool) -> None:
        self._patience = patience
        self._nan_ends = nan_ends
        self._waited = 0
        self.best: Trained | None = None
        self.ended = False

    def see(self, epoch: int, value: float, note: Any, keep: Callable[[], Stack]) -> None:
        """Take note of one validation; keep: makes the copy of the head, where it is worth one."""
        rank = -math.inf if math.isnan(value) else value
        improved = rank > (self.best.value if self.best else -math.inf)
        if improved or self.best is None:
            self.best = Trained(value=rank, epoch=epoch, note=note, stack=keep())
        self._waited = 0 if improved else self._waited + 1
        broken = self._nan_ends and not math.isfinite(value)
        self.ended = broken or (not improved and self._waited >= self._patience)
