"""Writing shards: several at a time, each complete before it has its name."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from dasheng.train.filelist import Entry
from tasks.errors import UserError

# Audio is compressed already: more effort gains nothing.
_EFFORT = 6
_READABLE = 0o444


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One archive to write, and what goes into it, in order; gzipped if its name ends in .gz."""

    file: Path
    entries: Sequence[Entry]


class Interrupted(Exception):
    """Writing was stopped; says what is there."""


class _Stopped(Exception):
    """A shard was given up because another could not be written, or all were interrupted."""


def write(shards: Sequence[Shard], workers: int, advance: Callable[[], None]) -> None:
    """Write all shards, over those that have their names already.

    Args:
        shards: to write.
        workers: how many are written at the same time.
        advance: called when a file is packed, from any thread.

    Raises:
        UserError: a file cannot be read, a shard cannot be written: names it.
        Interrupted: by Ctrl-C. Either way no part of a shard is left.
    """
    stop = Event()
    done = 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            writing = [pool.submit(_write, shard, advance, stop) for shard in shards]
            for shard in as_completed(writing):
                shard.result()
                done += 1
        except (UserError, KeyboardInterrupt) as error:
            stop.set()
            pool.shutdown(cancel_futures=True)
            done = sum(not shard.cancelled() and shard.exception() is None for shard in writing)
            told = f"{done} of {len(shards)} shards are complete, the same command makes the rest"
            if isinstance(error, UserError):
                raise UserError(f"{error}; {told}") from None
            raise Interrupted(told) from None


def _write(shard: Shard, advance: Callable[[], None], stop: Event) -> None:
    temporary = shard.file.with_name(f".{shard.file.name}.{os.getpid()}")
    try:
        with _tar(temporary, compress=shard.file.suffix == ".gz") as tar:
            for entry in shard.entries:
                if stop.is_set():
                    raise _Stopped
                _add(tar, entry)
                advance()
        temporary.replace(shard.file)
    except Exception as error:
        stop.set()
        if not isinstance(error, OSError):
            raise
        raise UserError(f"{shard.file}: could not write it, {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _tar(file: Path, *, compress: bool) -> Iterator[tarfile.TarFile]:
    """An archive to add to; neither the time nor its name gets into the bytes."""
    with file.open("wb") as raw:
        packed = gzip.GzipFile("", "wb", _EFFORT, raw, mtime=0) if compress else raw
        with packed, tarfile.open(fileobj=packed, mode="w") as tar:
            yield tar


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    try:
        audio = entry.file.read_bytes()
    except OSError as error:
        raise UserError(
            f"line {entry.line}: could not read {entry.file}, {error.strerror}"
        ) from None
    tar.addfile(_member(f"{entry.key}.{entry.suffix}", len(audio)), io.BytesIO(audio))
    if entry.columns:
        columns = entry.columns.encode()
        tar.addfile(_member(f"{entry.key}.json", len(columns)), io.BytesIO(columns))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, _READABLE
    return member
