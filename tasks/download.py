"""The one downloader: resumable, verified, shared between processes."""

from collections.abc import Callable
from pathlib import Path

from tasks.spec import Archive

Progress = Callable[[str, int, int | None], None]


def fetch(archive: Archive, folder: Path, *, progress: Progress | None = None) -> Path:
    """Return the path of `archive` in `folder`, downloading it if it is not there."""
    raise NotImplementedError
