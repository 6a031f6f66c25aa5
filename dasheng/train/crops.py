"""A reader's stream of crops: shards → clips → crops → shuffled → decoded.

Crops are shuffled before they are decoded: they wait as (encoded clip, where the crop begins), so
that to shuffle them costs the clips' encoded bytes, not 640 kB a crop, and to go on after an
interruption costs no decoding of what is past. They are shuffled block by block: `crop_shuffle`
crops are taken from the shards, handed out in random order, then the next. So a place in the
stream is a few numbers (where the block began, how many of it are handed out), and all that is
random follows from the seed, the reader and the number of the block.

Memory of a reader: the clips of `crop_shuffle` crops, encoded. 512 crops of 10 s are about 80 MB
of 16 kHz FLAC, 60 MB of MP3 at 96 kbit/s and 900 MB of stereo WAV at 44.1 kHz; and one clip more,
as the last of a block may be an hour of which the block has one crop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from dasheng.train.audio import BadAudioError, Header, decode, header
from dasheng.train.shards import DamagedShardError, Shards, members
from tasks.errors import UserError

# The rest of a clip that fills no crop is padded with zeros and kept from this part of a crop on:
# with less, it would be little but zeros. The first crop is always kept.
LEAST_REST = 0.1
# Members over which it is judged whether too many are bad: a few among the first say little.
_JUDGED = 200
# Draws of each shard without a single crop after which a reader has none. Of resampled shards,
# that the one with audio among n is missed has a probability of exp(-10).
_DRAWS = {False: 1, True: 10}
_REASONS = 5


class Clip(NamedTuple):
    """An encoded clip in memory."""

    name: str
    encoded: bytes
    header: Header


class Crop(NamedTuple):
    """The n-th crop of a clip. `place`: draw of the shard, number of the member, n."""

    clip: Clip
    place: tuple[int, int, int]


# Where a stream begins. `failed`: clips of this block, by draw and member, with a crop that could
# not be decoded; they are counted.
_BEGINNING: Mapping[str, Any] = {
    "block": 0,
    "start": (0, 0, 0),
    "taken": 0,
    "read": 0,
    "bad": 0,
    "failed": (),
}


class Crops:
    """Endless crops of one reader, or those of one pass; iterate once.

    `read` and `bad` count members; a member with any crop that cannot be used is bad, and so is a
    shard that breaks. `reasons`: of the first few.
    """

    def __init__(
        self,
        shards: Shards,
        *,
        samples: int,
        rate: int,
        hold: int,
        seed: Sequence[int] | None,
        once: bool,
        max_bad: float,
        position: Mapping[str, Any] | None = None,
    ) -> None:
        """Crops of `samples` at `rate` Hz, shuffled `hold` at a time; without a seed, in order."""
        self._shards, self._samples, self._rate, self._hold = shards, samples, rate, hold
        self._seed, self._once, self._max_bad = seed, once, max_bad
        position = {**_BEGINNING, **(position or {})}
        self._block: int = position["block"]
        self._start: tuple[int, int, int] = tuple(position["start"])
        self._taken: int = position["taken"]
        self.read: int = position["read"]
        self.bad: int = position["bad"]
        self._failed: set[tuple[int, int]] = {(draw, n) for draw, n in position["failed"]}
        # The members of the block of a position were counted before the interruption.
        self._counted = self._taken > 0
        self.reasons: list[str] = []

    @property
    def position(self) -> dict[str, Any]:
        """Where to go on after the crop handed out last; fit for JSON."""
        return {
            "block": self._block,
            "start": list(self._start),
            "taken": self._taken,
            "read": self.read,
            "bad": self.bad,
            "failed": [list(clip) for clip in sorted(self._failed)],
        }

    def __iter__(self) -> Iterator[np.ndarray]:
        """Crops (samples,) float32.

        Raises:
            UserError: too many members are bad.
        """
        crops = self._from(self._start)
        while block := list(islice(crops, self._hold)):
            self._counted = False
            waiting = self._shuffled(block)
            last = block[-1].place
            del block  # a clip's bytes go when its last crop is handed out
            while waiting:
                self._taken += 1
                audio = self._decoded(waiting.popleft())
                if audio is not None:
                    yield audio
            self._start = (last[0], last[1], last[2] + 1)
            self._block, self._taken = self._block + 1, 0
            self._failed &= {last[:2]}  # the one clip that the next block may have crops of

    def _shuffled(self, block: list[Crop]) -> deque[Crop]:
        """What of a block is not handed out yet, in the order in which it will be."""
        order = np.arange(len(block))
        if self._seed is not None:
            order = np.random.default_rng([*self._seed, self._block]).permutation(order)
        return deque(block[index] for index in order[self._taken :])

    def _from(self, start: tuple[int, int, int]) -> Iterator[Crop]:
        """Crops in the order of the shards, from a place on."""
        draw, member, crop = start
        barren, resampled = 0, self._shards.resampled
        while barren < _DRAWS[resampled] * len(self._shards):
            if self._once and draw == len(self._shards):
                return
            barren += 1
            for number, clip in self._clips(draw, member):
                for n in range(crop if number == member else 0, self._count(clip.header)):
                    barren = 0
                    yield Crop(clip, (draw, number, n))
            draw, member, crop = draw + 1, 0, 0

    def _clips(self, draw: int, first: int) -> Iterator[tuple[int, Clip]]:
        """The readable clips of a shard from a member on, and their numbers."""
        shard, mine = self._shards.drawn(draw)
        try:
            for member in members(shard, lambda number: number >= first and mine(number)):
                name = f"{shard}: {member.name}"
                try:
                    clip = Clip(name, member.encoded, header(member.encoded))
                except BadAudioError as error:
                    self._count_bad(f"{name}: {error}")
                    continue
                self.read += not self._counted
                yield member.number, clip
        except DamagedShardError as error:
            self._count_bad(f"{shard}: {error}")

    def _count(self, clip: Header) -> int:
        """Crops in a clip: the whole ones, and the rest unless it is little."""
        whole, rest = divmod(clip.samples(self._rate), self._samples)
        return max(1, whole + (rest >= LEAST_REST * self._samples))

    def _decoded(self, crop: Crop) -> np.ndarray | None:
        clip, (draw, member, n) = crop
        try:
            return decode(clip.encoded, clip.header, n * self._samples, self._samples, self._rate)
        except BadAudioError as error:
            if (draw, member) not in self._failed:
                self._failed.add((draw, member))
                self.read -= 1  # counted as a good one when its header was read
                self._count_bad(f"{clip.name}: {error}")
            return None

    def _count_bad(self, reason: str) -> None:
        if len(self.reasons) < _REASONS:
            self.reasons.append(reason)
        if self._counted:
            return
        self.read, self.bad = self.read + 1, self.bad + 1
        many = self.bad > self._max_bad * max(self.read, _JUDGED)
        if many or self.bad == self.read > _JUDGED:
            raise UserError(
                f"expected at most {self._max_bad:.0%} of the files to be unreadable (max_bad), "
                f"found {self.bad} of {self.read}, the first {self.reasons[0]}; mend the shards"
            )
