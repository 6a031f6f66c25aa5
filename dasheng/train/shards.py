"""Which shards a reader of the training data reads, in which order, and what lies in them.

A reader is one worker of one process. Each has data of its own: as many whole shards as divide
evenly among the readers, and of every shard that is left over its share of the members. So two
readers never see the same clip, in however few shards the data come. A shard is a tar archive,
compressed or not whatever its name says, on a disk or behind any URL that webdataset opens.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple
from urllib.parse import urlparse

import numpy as np
from braceexpand import braceexpand
from webdataset.gopen import gopen

from tasks.errors import UserError

AUDIO = ("wav", "flac", "mp3", "ogg", "oga", "opus")

_AT_ONCE = 1 << 18  # bytes read from a shard
_END = bytes(512)  # a tar ends with two such blocks; at the first one tarfile stops
_UNREADABLE = (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError, ValueError)


class DamagedShardError(Exception):
    """A shard that cannot be read, or not to its end."""


class Member(NamedTuple):
    """An audio file in a shard: how many lie before it, its name and its content.

    The content of a link is empty.
    """

    number: int
    name: str
    encoded: bytes


def shard_names(patterns: Iterable[str], setting: str) -> tuple[str, ...]:
    """The shards that the patterns of a setting name by their braces: `a_{000..190}.tar`.

    Raises:
        UserError: braces that do not match; shards that are to lie on a disk and do not: tells
            how many, and the first.
    """
    try:
        names = tuple(name for pattern in patterns for name in braceexpand(pattern))
    except ValueError as error:
        raise UserError(f"{setting}: expected braces in pairs, found {error}") from None
    missing = [name for name in names if not _may_be_there(name)]
    if missing:
        raise UserError(
            f"{setting}: expected {len(names)} shards, {len(missing)} of them not found, first "
            f"{missing[0]}; correct {setting}"
        )
    return names


def _may_be_there(name: str) -> bool:
    url = urlparse(name)
    if url.scheme not in ("", "file"):
        return True
    return Path(url.path if url.scheme else name).is_file()


class Shards:
    """The shards of one reader, in the order in which it draws them.

    Args:
        names: all shards.
        reader: this reader, from 0.
        readers: how many there are.
        seed: of the order, with `reader`; None for the order of the names.
        resampled: draw with replacement, else one pass after the other, shuffled anew.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        reader: int,
        readers: int,
        seed: Sequence[int] | None,
        resampled: bool = False,
    ) -> None:
        even = len(names) - len(names) % readers
        self._whole = names[:even][reader::readers]
        self._names = self._whole + names[even:]
        self._reader, self._readers = reader, readers
        self._seed, self.resampled = seed, resampled

    def __len__(self) -> int:
        return len(self._names)

    def drawn(self, draw: int) -> tuple[str, Callable[[int], bool]]:
        """A shard by the number of its draw, and which of its members are this reader's."""
        index = self._index(draw)
        if index < len(self._whole):
            return self._names[index], lambda _: True
        # Another reader begins in each, or the same ones would get the members too many.
        return self._names[index], lambda number: (number + index) % self._readers == self._reader

    def _index(self, draw: int) -> int:
        count = len(self._names)
        if self._seed is None:
            return draw % count
        if self.resampled:
            rng = np.random.default_rng([*self._seed, self._reader, draw])
            return int(rng.integers(count))
        rng = np.random.default_rng([*self._seed, self._reader, draw // count])
        return int(rng.permutation(count)[draw % count])


def members(shard: str, wanted: Callable[[int], bool]) -> Iterator[Member]:
    """The audio files in a shard whose number among them is wanted, in their order.

    Told by the last suffix of their names; hidden files and all others are passed over.

    Raises:
        DamagedShardError: after the members that could be read.
    """
    number = 0
    try:
        with closing(gopen(shard)) as file, _opened(file) as tar:
            while (entry := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # it would keep them all
                if not _is_audio(entry):
                    continue
                if wanted(number):
                    content = tar.extractfile(entry) if entry.isreg() else None
                    yield Member(number, entry.name, content.read() if content else b"")
                number += 1
            if not tar.fileobj or tar.fileobj.read(len(_END)) != _END:
                raise tarfile.ReadError(f"cut short or damaged after {number} audio files")
    except _UNREADABLE as error:
        raise DamagedShardError(" ".join(str(error).split()) or type(error).__name__) from None


def _opened(file: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="r|*", bufsize=_AT_ONCE)


def _is_audio(entry: tarfile.TarInfo) -> bool:
    path = PurePosixPath(entry.name)
    kept = not path.name.startswith(".") and path.suffix[1:].lower() in AUDIO
    return kept and (entry.isreg() or entry.islnk() or entry.issym())
