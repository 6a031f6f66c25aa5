"""Memory that a training step leaves to the next one."""

import math

import torch
from torch import Tensor


class Room:
    """Memory by name, taken once and used again by every step, on the device of `like`.

    Memory taken anew comes in pages that the system clears first: slower than computing on it.
    """

    def __init__(self, like: Tensor) -> None:
        self._like = like
        self._taken: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """A contiguous tensor with whatever its last user left in it; one name, one type."""
        size = math.prod(shape)
        if name not in self._taken or len(self._taken[name]) < size:
            self._taken[name] = self._like.new_empty(size, dtype=dtype)
        return self._taken[name][:size].view(shape)
