"""From a task to the index of its clips: obtained, measured, and kept.

A second preparation compares one stamp and reads one file. Where something changed, the
data, the task or this code, all is read again, but only changed files are measured.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tasks.acquire import Fetch, Offer, offer, unfinished
from tasks.archive import DamagedError, Place, read_bytes
from tasks.archive.expand import Progress as Expanding
from tasks.archive.expand import waiting
from tasks.download import fault
from tasks.errors import UserError
from tasks.index import Index, build, load, save
from tasks.measure import CHUNK, Measure, Measurements, measure, threaded
from tasks.obtain import Found, archives, look, obtain
from tasks.spec import Archive, Task
from tasks.stamp import stamp

__all__ = ["Index", "missing", "prepare", "verify"]

Progress = Callable[[str, int, int], None]  # the task's name, clips done, clips in all


def prepare(
    task: Task,
    data: Path,
    *,
    index: Path,
    fetch: Fetch,
    progress: Progress | None = None,
    expanding: Expanding | None = None,
) -> Index:
    """Return the index of `task`, whose data lie in (or are brought to) the folder `data`.

    `index` is the folder of what is kept between runs. `fetch` downloads an archive into a
    folder, or verifies the one that is there (`tasks.download.fetch`). `progress` is told of
    clips that are measured; `expanding` of the bytes of an archive that is expanded.

    Raises UserError if the data cannot be had or are not the official ones: other
    numbers of clips or classes, audio missing or of another sample rate, a damaged archive.
    """
    folders = _folders(task, data)
    file = _file(task, folders, index)
    known = load(task, file, stamp(task, folders))
    if known is not None:
        return known
    measured = index / "measured" / f"{folders[-1].name}-{_hash(folders[-1])}.parquet"
    measurements = Measurements(measured)
    found = obtain(task, folders, fetch, measurements, expanding)
    places = [clip.place for clip in found.labels.clips]
    measures = measurements.of(
        places, partial(_silent if progress is None else progress, task.name)
    )
    _check_rate(task, found, measures)
    made = build(task, found.labels, found.source, measures)
    save(made, file, found.stamp)
    return made


def missing(task: Task, data: Path, *, index: Path) -> Offer | None:
    """Return what `prepare` would have to fetch, and from where; None if it needs nothing.

    It asks the disk only; `data` may be yet to be made. Raises UserError where `prepare`
    would for what is there.
    """
    if task.synthetic:
        return None
    if not (data.is_dir() or (data / task.dataset).is_dir()):
        return offer(task, data)
    folders = _folders(task, data)
    if load(task, _file(task, folders, index), stamp(task, folders)) is not None:
        return None
    if any(waiting(folder) for folder in folders):  # what they hold shows once they are expanded
        return offer(task, data) if unfinished(task, folders[-1]) else None
    return None if look(task, folders) else offer(task, data)


def verify(task: Task, data: Path, *, index: Path, progress: Progress | None = None) -> list[str]:
    """Read a prepared task's audio again; return a line for each clip that is not as it was.

    So too for each archive that is not as published. Raises UserError if the task is not
    prepared.
    """
    folders = _folders(task, data)
    saved = load(task, _file(task, folders, index))
    if saved is None:
        raise UserError(
            f"{task.name}: expected a prepared index in {index}, found none; prepare it first"
        )
    lines = [_archive_fault(*there) for there in archives(task, folders)]
    columns = (saved.clips[name].tolist() for name in ("sha256", "sample_rate"))
    clips = list(zip(saved.places(), *columns, strict=True))
    for done, line in enumerate(threaded(_clip_fault, clips), 1):
        lines.append(line)
        if progress is not None and (done % CHUNK == 0 or done == len(clips)):
            progress(task.name, done, len(clips))
    return [line for line in lines if line]


def _archive_fault(folder: Path, archive: Archive) -> str:
    """Return what is wrong with an archive, read again; "" if nothing is."""
    path = folder / archive.filename
    try:
        found = fault(archive, path)
    except OSError as error:
        found = f"cannot be read: {error.strerror or error}"
    return f"{path}: {found}" if found else ""


def _clip_fault(clip: tuple[Place, str, int]) -> str:
    """Return what is wrong with a clip, read again; "" if nothing is."""
    place, expected, rate = clip
    if not rate and not measure(place).sample_rate:
        return f"{place}: expected audio that is all there, could not read it"
    try:
        found = hashlib.sha256(read_bytes(place)).hexdigest()
    except DamagedError as error:
        return str(error)
    except OSError as error:
        return f"{place}: cannot be read: {error.strerror or error}"
    # One that could not be read before has no checksum to differ from.
    same = expected in ("", found)
    return "" if same else f"{place}: expected sha256 {expected}, found {found}"


def _folders(task: Task, data: Path) -> list[Path]:
    """Return where the data may lie; what is missing is brought to the last of the folders."""
    if not (data.is_dir() or (data / task.dataset).is_dir()):
        raise UserError(f"expected a data folder at {data}, found none; create it or name another")
    names = dict.fromkeys((task.dataset, task.within or task.dataset))
    return [data.resolve() / name for name in names]


def _check_rate(task: Task, found: Found, measures: Sequence[Measure]) -> None:
    """Raise UserError if a clip has another sample rate than its source promises."""
    promised = {source.name: source.sample_rate for source in task.sources}[found.source]
    for clip, measured in zip(found.labels.clips, measures, strict=True):
        if promised and measured.sample_rate not in (0, promised):  # 0: could not be read
            raise UserError(
                f"{task.name}: expected {promised} Hz in {clip.place}, found "
                f"{measured.sample_rate} Hz; put the audio of the right sample rate there"
            )


def _file(task: Task, folders: Sequence[Path], index: Path) -> Path:
    # Sources of another rate are other audio: their indexes must not replace each other.
    rates = [f"{source.sample_rate}" for source in task.sources if source.sample_rate]
    return index / f"{'-'.join([task.name, *rates])}-{_hash(folders[0])}.parquet"


def _hash(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _silent(name: str, done: int, total: int) -> None:
    """Report to nobody."""
