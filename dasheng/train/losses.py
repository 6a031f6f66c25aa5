"""The losses since the last line of the log, left on the device until they are asked for."""

from __future__ import annotations

import math

import torch
from accelerate import Accelerator
from torch import Tensor


class NotFinite(ArithmeticError):
    """A step's loss is no number to go on with."""

    def __init__(self, step: int, loss: float) -> None:
        super().__init__(f"the loss of step {step} is {loss}")


class Losses:
    """One of each step; of several processes the mean."""

    def __init__(self, accelerator: Accelerator, read: list[float]) -> None:
        """`read`: those that a state has brought."""
        self._accelerator = accelerator
        self._read = read
        self._pending: list[Tensor] = []

    def add(self, loss: Tensor) -> None:
        """A step's, a scalar on the device; nothing is waited for."""
        self._pending.append(loss)

    def read(self, step: int) -> list[float]:
        """All of them, of which the last is that of `step`.

        Raises:
            NotFinite: one is infinite or no number; the same on all processes.
        """
        if self._pending:
            seen = self._accelerator.reduce(torch.stack(self._pending), "mean").tolist()
            for number, loss in enumerate(seen, start=step - len(seen) + 1):
                if not math.isfinite(loss):
                    raise NotFinite(number, loss)
            self._read += seen
            self._pending.clear()
        return list(self._read)

    def mean(self, step: int) -> float:
        """Their mean; a new line begins."""
        losses = self.read(step)
        self._read.clear()
        return sum(losses) / len(losses)
