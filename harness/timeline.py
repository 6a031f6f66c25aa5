"""When the rows of timestamp embeddings are: a clip has as many rows as its encoder gives it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timeline:
    """The moments of N clips, end to end.

    Attributes:
        offsets: (N + 1,) int64; rows offsets[i]:offsets[i + 1] are clip i's, in order of time.
        times: (F,) float64, when each row is, ms from the start of its clip.
    """

    offsets: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, clips: Sequence[np.ndarray]) -> "Timeline":
        """The timeline of clips with the times (T,) each."""
        counts = np.array([0, *map(len, clips)], dtype=np.int64)
        return cls(counts.cumsum(), np.concatenate([np.empty(0), *clips]))

    def spans(self) -> Iterator[slice]:
        """The rows of each clip."""
        for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield slice(start, stop)


# Of scene embeddings: a row per clip, and no moment that it is of.
NO_TIMES = Timeline(np.empty(0, dtype=np.int64), np.empty(0))
