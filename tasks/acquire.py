"""What a data set still lacks on this disk, what getting it takes, and getting it.

`offer` says what there is to decide, before anything is fetched; `acquire` then tries the
sources in turn.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks import zenodo
from tasks.archive.expand import expanded
from tasks.errors import UserError
from tasks.parallel import host, together
from tasks.spec import Archive, Source, Task

Fetch = Callable[[Archive, Path], Path]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What one source takes.

    `missing` are the files to fetch, with the list of a record's files standing for those
    files while it is not there. `bytes` are still to come; `disk` is what they and the
    expansion of a .tar.gz take, of `free` bytes. Sizes that are not published are estimates.
    """

    source: str
    missing: tuple[Archive, ...]
    bytes: int
    disk: int
    free: int

    @property
    def fits(self) -> bool:
        """Whether the disk has room for it."""
        return self.disk <= self.free

    @property
    def licences(self) -> tuple[str, ...]:
        """The licences of the missing files."""
        return _unique(archive.licence for archive in self.missing)

    @property
    def pages(self) -> tuple[str, ...]:
        """Where the missing files are described."""
        return _unique(archive.page for archive in self.missing)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where the missing files would come from."""
        return _unique(host(archive) for archive in self.missing if not archive.registration)

    @property
    def registrations(self) -> tuple[str, ...]:
        """What the owners ask for; where there is any, nothing is fetched from this source."""
        return _unique(archive.registration for archive in self.missing)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What getting the data of a task into `folder` takes: choices in the order of trying."""

    task: str
    folder: Path
    choices: tuple[Choice, ...]

    @property
    def choice(self) -> Choice | None:
        """The source that would be tried first; None if none may be fetched."""
        return next((choice for choice in self.choices if not choice.registrations), None)

    @property
    def registrations(self) -> tuple[str, ...]:
        """What the owners of the data ask for, also of those who take a third party's copy."""
        return _unique(text for choice in self.choices for text in choice.registrations)


def wanted(source: Source, folder: Path) -> list[Archive]:
    """Return the files of `source`, those of its list included if that is in `folder`.

    Raises UserError if the list is damaged.
    """
    archives = list(source.archives)
    listing = source.listing
    if listing is None or not (folder / listing.filename).is_file():
        return archives
    path = folder / listing.filename
    try:
        listed = zenodo.files(path.read_bytes(), source.wanted, listing.licence, listing.page)
    except (UserError, OSError) as error:
        raise UserError(f"{path}: {error}; delete it so that it is fetched again") from error
    return archives + listed


def begun(source: Source, folder: Path) -> bool:
    """Whether fetching `source` was begun and not finished: some of it is there, not all.

    Not so where what lacks is never fetched.
    """
    archives = _archives(source, folder)
    missing = _lacking(archives, folder)
    parts = any(_part(archive, folder).exists() for archive in archives)
    some = bool(missing) and len(missing) < len(archives)
    return (parts or some) and not any(archive.registration for archive in missing)


def unfinished(task: Task, folder: Path) -> bool:
    """Whether fetching one of the task's sources was begun and not finished."""
    return any(begun(source, folder) for source in task.sources)


def offer(task: Task, data: Path) -> Offer:
    """Return what getting the data of `task` into the folder `data` takes. Asks the disk only.

    Raises UserError if the list of a record's files is damaged.
    """
    folder = data / (task.within or task.dataset)
    return Offer(
        task=task.name,
        folder=folder,
        choices=tuple(_choice(task, source, folder) for source in _sources(task, folder)),
    )


def acquire(task: Task, folder: Path, fetch: Fetch) -> None:
    """Bring the files of the first source that gives them all into `folder`.

    One that was begun comes first. What is there already is kept and not fetched again,
    also when this call fails or is interrupted. `fetch` is called from several threads.

    Raises UserError, in one line, that says of every source why it did not work.
    """
    reasons = []
    for source in _sources(task, folder):
        locked = [archive for archive in _missing(source, folder) if archive.registration]
        if locked:
            reasons.append(f"{source.name}: {_by_hand(locked, folder)}")
            continue
        try:
            _fetch(source, folder, fetch)
        except UserError as error:
            reasons.append(f"{source.name}: {error}")
        else:
            return
    raise UserError(f"{task.name}: cannot get the data; {'; '.join(reasons) or 'no source'}")


def _sources(task: Task, folder: Path) -> list[Source]:
    """Return the sources that have files, in the order of trying.

    What was begun is ended; what the disk has no room for comes last.
    """
    sources = [source for source in task.sources if source.archives or source.listing]
    return sorted(
        sources,
        key=lambda source: (not begun(source, folder), not _choice(task, source, folder).fits),
    )


def _choice(task: Task, source: Source, folder: Path) -> Choice:
    missing = _missing(source, folder)
    to_come = sum(_to_come(archive, folder) for archive in missing)
    return Choice(
        source=source.name,
        missing=tuple(missing),
        bytes=to_come,
        disk=to_come + _expansion(task, source, folder),
        free=_free(folder),
    )


def _archives(source: Source, folder: Path) -> list[Archive]:
    told = [source.listing] if source.listing else []
    return told + wanted(source, folder)


def _missing(source: Source, folder: Path) -> list[Archive]:
    return _lacking(_archives(source, folder), folder)


def _lacking(archives: Iterable[Archive], folder: Path) -> list[Archive]:
    return [archive for archive in archives if not _there(archive, folder)]


def _there(archive: Archive, folder: Path) -> bool:
    names = (archive.filename, _tar(archive))
    return any((folder / name).is_file() for name in names) or any(
        next(folder.glob(pattern), None) for pattern in archive.instead
    )


def _to_come(archive: Archive, folder: Path) -> int:
    """Return the bytes of a file that are not there yet."""
    part = _part(archive, folder)
    return max(_size(archive) - (part.stat().st_size if part.exists() else 0), 0)


def _expansion(task: Task, source: Source, folder: Path) -> int:
    """Return the bytes that what a .tar.gz is expanded to will still take, beside itself."""
    listing = source.listing
    if listing is not None and not (folder / listing.filename).is_file():
        return task.footprint if source.wanted.endswith("gz") else 0
    packed = [a for a in wanted(source, folder) if _tar(a) != a.filename]
    still = [a for a in packed if not (folder / _tar(a)).exists()]
    share = sum(map(_size, still)) / (sum(map(_size, packed)) or 1)
    return int(task.footprint * share)


def _tar(archive: Archive) -> str:
    """Return the name of the tar that a .tar.gz is expanded to; any other file keeps its own."""
    return expanded(archive.filename) or archive.filename


def _size(archive: Archive) -> int:
    return archive.about if archive.size is None else archive.size


def _part(archive: Archive, folder: Path) -> Path:
    return folder / f"{archive.filename}.part"


def _free(folder: Path) -> int:
    """Return the free bytes of the disk that `folder` is, or would be, on."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def _by_hand(locked: list[Archive], folder: Path) -> str:
    said = " ".join(_unique(archive.registration for archive in locked))
    pages = " and ".join(_unique(archive.page for archive in locked))
    names = ", ".join(archive.filename for archive in locked)
    return f"{said} (see {pages}), then put {names} into {folder}"


def _fetch(source: Source, folder: Path, fetch: Fetch) -> None:
    """Fetch what `source` still lacks, its list of files first."""
    if source.listing:
        fetch(source.listing, folder)
    missing = _missing(source, folder)
    needed = sum(_to_come(archive, folder) for archive in missing if archive.size is not None)
    free = _free(folder)
    if needed > free:
        raise UserError(
            f"needs {needed:,} bytes, {free:,} are free on the disk of {folder}; free some space "
            "or name another data folder"
        )
    together(missing, lambda archive: fetch(archive, folder))


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
