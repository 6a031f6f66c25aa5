"""When the tokens of a model are: one every so many samples, and how many a clip has.

Of a model about which nothing else is known this can be told from outside: as a clip grows sample
by sample, a token more comes every `hop` samples.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

_Number = TypeVar("_Number", int, Tensor)


@dataclass(frozen=True)
class TokenGrid:
    """Token t is made of samples hop·t … hop·t + field.

    `field` may be 0 or less where the model pads a clip at both ends; the formulae stay the same.
    """

    field: int
    hop: int

    def count(self, samples: _Number) -> _Number:
        """How many tokens a clip of so many samples has."""
        return 1 + (samples - self.field) // self.hop

    def samples(self, count: _Number) -> _Number:
        """The shortest clip that has so many tokens."""
        return self.field + (count - 1) * self.hop

    def centres(self, count: int, sample_rate: int) -> Tensor:
        """(count,) float32: the middle of each token's samples, ms."""
        first = max(self.field, 0) / 2
        middles = first + self.hop * torch.arange(count, dtype=torch.float64)
        return (1000 / sample_rate * middles).float()


def measure(count: Callable[[int], int], low: int, high: int) -> TokenGrid:
    """The grid of a model that gives `count(samples)` tokens, found by trying lengths.

    `low` to `high` samples are tried, some 2·log2(high - low) lengths of them.

    Raises:
        ValueError: the tokens do not come one by one at a steady pace as a clip grows.
    """
    fewest, most = count(low), count(high)
    middle = (fewest + most) // 2
    if not fewest < middle < most:
        raise ValueError(
            f"expected tokens in time, more of them the longer a clip, found {fewest} for {low} "
            f"samples and {most} for {high}"
        )
    lengths = range(low, high + 1)
    shortest, longer = (lengths[bisect_left(lengths, n, key=count)] for n in (middle, most))
    hop, rest = divmod(longer - shortest, most - middle)
    grid = TokenGrid(longer - (most - 1) * hop, hop)
    if rest or (grid.count(low), grid.count(high)) != (fewest, most):
        raise ValueError(
            f"expected tokens at a steady pace, found {fewest} for {low} samples, {middle} from "
            f"{shortest} and {most} from {longer}"
        )
    return grid
