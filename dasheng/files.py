"""Writing a file whole or not at all: under a temporary name, which is renamed when it is full."""

import os
from pathlib import Path


def write_whole(file: Path, data: bytes) -> None:
    """Write `data`; what was there before stays until all of it is written.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
