"""Shards → one array in the order of the index: of what is largest there is one copy."""

from collections.abc import Callable, Iterator

import numpy as np

from harness.cache import Shard
from harness.timeline import NO_TIMES, Timeline

Read = Callable[[], Iterator[tuple[np.ndarray, Shard]]]  # every shard again, with its clips

_AT_ONCE = 1024  # rows moved at once


class Gathering:
    """What shards hold besides their numbers.

    Attributes:
        skipped: position of a clip in the index → why it could not be measured.
        padded: clips shorter than the encoder's minimum.
    """

    def __init__(self, clips: int) -> None:
        self._clips = clips
        self.skipped: dict[int, str] = {}
        self.padded = 0

    def add(self, clips: np.ndarray, shard: Shard) -> None:
        """Take a shard of the clips at these positions in the index."""
        self.skipped |= {int(clips[row]): why for row, why in shard.skipped.items()}
        self.padded += shard.padded

    def kept(self) -> np.ndarray:
        """The positions of the clips that are not skipped, (kept,) int64."""
        return np.setdiff1d(np.arange(self._clips), list(self.skipped))


class Scenes(Gathering):
    """Scene embeddings, filled in as their shards come."""

    def __init__(self, clips: int, size: int) -> None:
        super().__init__(clips)
        self._values = np.empty((clips, size), dtype=np.float32)

    def add(self, clips: np.ndarray, shard: Shard) -> None:
        """Take a shard of the clips at these positions in the index."""
        super().add(clips, shard)
        self._values[clips] = shard.values

    def finish(self, _read: Read) -> tuple[np.ndarray, Timeline]:
        """Close the gaps that skipped clips leave: (kept, D), and no times."""
        kept = self.kept()
        if self.skipped:
            for start in range(0, len(kept), _AT_ONCE):  # downwards only: nothing is lost
                rows = kept[start : start + _AT_ONCE]
                self._values[start : start + len(rows)] = self._values[rows]
        return self._values[: len(kept)], NO_TIMES


class Timestamps(Gathering):
    """Timestamp embeddings.

    How many rows there are is known when the last shard is there. So their times are noted
    first; then the array is made and filled from the cache.
    """

    def __init__(self, clips: int, size: int) -> None:
        super().__init__(clips)
        self._size = size
        self._times = [np.empty(0)] * clips

    def add(self, clips: np.ndarray, shard: Shard) -> None:
        """Take a shard of the clips at these positions in the index."""
        super().add(clips, shard)
        for clip, rows in zip(clips, shard.timeline.spans(), strict=True):
            self._times[clip] = shard.timeline.times[rows]

    def finish(self, read: Read) -> tuple[np.ndarray, Timeline]:
        """All rows (F, D) of the clips that are kept, one clip after the other."""
        timeline = Timeline.of(self._times)  # a skipped clip has no rows
        values = np.empty((len(timeline.times), self._size), dtype=np.float32)
        spans = list(timeline.spans())
        for clips, shard in read():
            for clip, rows in zip(clips, shard.timeline.spans(), strict=True):
                values[spans[clip]] = shard.values[rows]
        return values, Timeline.of([self._times[clip] for clip in self.kept()])
