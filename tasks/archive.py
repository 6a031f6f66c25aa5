"""The files of a data set, read in place whether they lie in a folder or in a zip.

Archives are not unpacked: disk is not spent twice, and a member of a zip costs
hardly more to read than a file.
"""

import os
import threading
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tasks.errors import UserError

_open = threading.local()


@dataclass(frozen=True)
class Tree:
    """All files below one folder or in one zip; names are relative and use "/"."""

    path: Path
    names: tuple[str, ...]
    packed: bool

    @property
    def source(self) -> str:
        """What a record says of where the clips came from."""
        return "official archive" if self.packed else "official folder"

    def place(self, name: str) -> tuple[str, str]:
        """Return (path, member) of a file: what `read_bytes` takes."""
        return (str(self.path), name) if self.packed else (str(self.path / name), "")

    def read(self, name: str) -> bytes:
        """Return the bytes of the file called `name`."""
        return read_bytes(*self.place(name))


def trees(folder: Path, archives: tuple[str, ...]) -> Iterator[Tree]:
    """Yield what lies in `folder`: first its own files, then each zip named in `archives`."""
    if folder.is_dir():
        yield Tree(folder, tuple(_walk(folder)), packed=False)
    for name in archives:
        if (folder / name).is_file():
            yield Tree(folder / name, tuple(members(folder / name)), packed=True)


def members(path: Path) -> list[str]:
    """Return the names of the files in a zip, sorted.

    Raises UserError if it is no zip, is damaged, or has a name that leads out of it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise UserError(
            f"{path}: expected a zip archive, found a file that cannot be read as one ({error}); "
            "delete it so that it is downloaded again"
        ) from error
    for name in names:
        if _unsafe(name):
            raise UserError(
                f"{path}: member {name!r} points outside the archive; "
                "the file is not the official one: delete it"
            )
    return sorted(names)


def read_bytes(path: str, member: str) -> bytes:
    """Return a file's bytes, or those of a zip's `member` where that is not empty.

    May be called from many threads and after a fork: each thread of each process
    keeps its own open archive, and opens it anew when the file has been replaced.
    Raises OSError, KeyError (no such member) or zipfile.BadZipFile (damaged).
    """
    if not member:
        return Path(path).read_bytes()
    return _archive(path).read(member)


def _archive(path: str) -> zipfile.ZipFile:
    status = os.stat(path)  # noqa: PTH116  os.stat is half the cost, and runs once per clip
    identity = (os.getpid(), status.st_ino, status.st_size, status.st_mtime_ns)
    opened = _open.__dict__.setdefault("archives", {})
    if path not in opened or opened[path][0] != identity:
        opened[path] = (identity, zipfile.ZipFile(path))
    return opened[path][1]


def _walk(folder: Path) -> Iterator[str]:
    """Yield the files below `folder` in sorted order; hidden ones are nobody's data."""
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = PurePosixPath(Path(root).relative_to(folder).as_posix())
        for name in sorted(files):
            if not name.startswith("."):
                yield str(below / name)


def _unsafe(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]
