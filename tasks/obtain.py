"""The clips of a task and their labels: from the disk, or made or downloaded first.

Whatever a reader returns is compared with the official numbers. A source that is there
only in part does not hide another one that is complete.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tasks import acquire
from tasks.acquire import Fetch
from tasks.archive import Tree
from tasks.archive.expand import Progress, expand
from tasks.errors import UserError
from tasks.measure import Measurements
from tasks.spec import Archive, Labels, Task
from tasks.stamp import stamp

_SLACK = 3  # times its footprint that a data set's archive may hold, lest a bomb fill the disk


class Found(NamedTuple):
    """What the reader of a source gave, and the stamp of the files that it read."""

    labels: Labels
    source: str
    stamp: str


def obtain(
    task: Task,
    folders: Sequence[Path],
    fetch: Fetch,
    measurements: Measurements,
    expanding: Progress | None = None,
) -> Found:
    """Read the first source that is complete; if none is, make or download the data set.

    `measurements` remembers which archives were verified; `expanding` is told of those that
    cannot be read in place. Raises UserError if the data cannot be had or are not the
    official ones.
    """
    _make_readable(task, folders, fetch, measurements, expanding)
    found = look(task, folders)
    if found is not None:
        return found
    if task.synthesise is not None:
        _make(task.synthesise, folders[-1])
    else:
        acquire.acquire(task, folders[-1], fetch)
        _make_readable(task, folders, fetch, measurements, expanding)
    try:
        return _read(task, folders)
    except FileNotFoundError as error:
        raise UserError(
            f"{task.name}: expected the data set in {folders[-1]}, found other files ({error}); "
            "move them away so that it can be written there"
        ) from error


def look(task: Task, folders: Sequence[Path]) -> Found | None:
    """Read the first source that is complete; None if one has to be brought first.

    That is where there is nothing, or a download that was begun. Raises UserError where
    there is something else than the official data, or nothing and none to be had.
    """
    try:
        return _read(task, folders)
    except FileNotFoundError as error:
        if task.synthetic or any(source.archives or source.listing for source in task.sources):
            return None
        raise UserError(f"{task.name}: {error}; put it there") from error
    except UserError:
        if acquire.unfinished(task, folders[-1]):
            return None
        raise


def archives(task: Task, folders: Sequence[Path]) -> Iterator[tuple[Path, Archive]]:
    """Yield the archives of all sources that are there, each with its folder."""
    for folder in folders:
        for source in task.sources:
            try:
                wanted = acquire.wanted(source, folder)
            except UserError:  # a damaged list stands in the way only of who fetches by it
                continue
            for archive in wanted:
                if (folder / archive.filename).is_file():
                    yield folder, archive


def _read(task: Task, folders: Sequence[Path]) -> Found:
    """Read the first source that is complete.

    Raises what is wrong with the first that is there but not complete, as UserError;
    FileNotFoundError if there is none.
    """
    now = stamp(task, folders)
    trees = [Tree(folder, _SLACK * task.footprint) for folder in folders]
    faults: list[Exception] = []
    for source in task.sources:
        for tree in trees:
            try:
                labels = source.read(tree)
                _check(task, labels, tree.folder)
                return Found(labels, source.name, now)
            except (UserError, FileNotFoundError) as error:
                faults.append(error)
    raise next((fault for fault in faults if isinstance(fault, UserError)), faults[0])


def _make_readable(
    task: Task,
    folders: Sequence[Path],
    fetch: Fetch,
    measurements: Measurements,
    expanding: Progress | None,
) -> None:
    """Verify the archives that are there, each once, then expand those that need it."""
    for folder, archive in archives(task, folders):
        verify = partial(fetch, archive, folder)
        measurements.once(folder / archive.filename, archive.checksum or "", verify)
    measurements.save()
    for folder in folders:
        expand(folder, _SLACK * task.footprint, expanding)


def _make(synthesise: Callable[[Path], None], folder: Path) -> None:
    """Write a synthetic data set beside its place, then move it there in one step."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            made = Path(temporary) / folder.name
            made.mkdir()
            synthesise(made)
            # Fails on a folder with files in it: then another process was first, or
            # something else lies there, and the reader tells which.
            if not (folder.is_dir() and any(folder.iterdir())):
                made.replace(folder)
    except OSError as error:
        if folder.is_dir() and any(folder.iterdir()):
            return
        raise UserError(
            f"cannot write {folder}: {error.strerror or error}; name another data folder"
        ) from error


def _check(task: Task, labels: Labels, folder: Path) -> None:
    """Compare the clips found with the official numbers, where there are any."""
    found = Counter(clip.split for clip in labels.clips)
    for split in sorted({*task.expected, *found}) if task.expected else ():
        expected = task.expected.get(split, 0)
        if found[split] != expected:
            state = "is incomplete" if found[split] < expected else "holds clips of another version"
            raise UserError(
                f"{task.name}: expected {expected} clips in {split}, found {found[split]} in "
                f"{folder}; the folder {state}: restore the official files or delete it so that "
                f"it is {'made' if task.synthetic else 'downloaded'} again"
            )
    # Of what is listed event by event, a class that never occurs may be left out.
    lacking = task.classes - len(labels.classes)
    if lacking < 0 or (lacking > 0 and not task.timestamps):
        raise UserError(
            f"{task.name}: expected {task.classes} classes, found {len(labels.classes)} in "
            f"{folder} ({', '.join(labels.classes[:5])}, …); restore the official labels"
        )
    repeated = [name for name, count in Counter(c.id for c in labels.clips).items() if count > 1]
    if repeated:
        raise UserError(
            f"{task.name}: expected every clip once, found {len(repeated)} twice in {folder}, "
            f"the first is {repeated[0]}; remove one copy"
        )
