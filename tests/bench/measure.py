"""How the benches measure: the machine's own ceiling, and alternating pairs.

A figure means little without its floor: the arithmetic that cannot be avoided, at the
rate this machine multiplies matrices, measured in the same run.
"""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

SIDE = 2048


class Pairs(NamedTuple):
    """Medians of alternating timings, in seconds; ratio = median of b / a, pair by pair."""

    a: float
    b: float
    ratio: float


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ceiling(dtype: torch.dtype = torch.float32, *, device: str = "cpu", repeats: int = 7) -> float:
    """Matrix products of this machine in GFLOP/s: best of a few, 2048 × 2048."""
    a, b = (torch.randn(SIDE, SIDE, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        a @ b
        if device != "cpu":
            torch.cuda.synchronize()

    product()
    return 2 * SIDE**3 / min(seconds(product) for _ in range(repeats)) / 1e9


def pairs(a: Callable[[], object], b: Callable[[], object], n: int) -> Pairs:
    """Time a and b in turn, n times each, so that both meet the same neighbours' noise."""
    times = [(seconds(a), seconds(b)) for _ in range(n)]
    return Pairs(
        a=statistics.median(one for one, _ in times),
        b=statistics.median(other for _, other in times),
        ratio=statistics.median(other / one for one, other in times),
    )
