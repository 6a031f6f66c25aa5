"""How fast a run trains, and how long it has to go: evaluations and states do not count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from dasheng.train.config import TrainConfig


class Pace:
    """A stopwatch from one line of the log to the next."""

    def __init__(self, config: TrainConfig, processes: int) -> None:
        crops = config.batch_size * config.gradient_accumulation_steps * processes
        self._audio = crops * config.chunk_length
        self._since = time.perf_counter()
        self._steps = 0

    def step(self) -> None:
        """One more is done."""
        self._steps += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens within is not training."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - start

    def lap(self) -> tuple[float, float]:
        """(seconds of audio per second, seconds per step) since the last lap."""
        now = time.perf_counter()
        per_step = (now - self._since) / self._steps
        self._since, self._steps = now, 0
        return self._audio / per_step, per_step
