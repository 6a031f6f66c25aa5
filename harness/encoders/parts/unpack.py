"""One file out of a zip archive, by processes of which several may want it at once."""

import os
import zlib
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from zipfile import BadZipFile, ZipFile, ZipInfo

from tasks.errors import UserError
from tasks.growing import growing


def unpack(archive: Path, file: Path, largest: int) -> None:
    """Write the one file of this name that is in the archive to `file`, whole or not at all.

    Raises:
        ValueError: the archive is damaged, has no such file or several, or it has more than
            `largest` bytes.
        UserError: it cannot be read or the file not be written.
    """
    try:
        with ZipFile(archive) as opened, opened.open(_found(opened, file.name, largest)) as source:
            file.parent.mkdir(parents=True, exist_ok=True)
            with growing(file.with_name(f"{file.name}.part"), keep=False) as target:
                if file.is_file():  # another process was faster
                    return
                target.truncate(0)
                copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
                Path(target.name).replace(file)
    except (BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeDecodeError) as error:
        raise ValueError(f"{archive}: damaged ({error}); delete it to have it fetched") from None
    except OSError as error:
        raise UserError(
            f"cannot unpack {archive} to {file}: {error.strerror or error}; free some space, or "
            "delete the archive to have it fetched"
        ) from None


def _found(opened: ZipFile, name: str, largest: int) -> ZipInfo:
    inside = [member for member in opened.infolist() if PurePosixPath(member.filename).name == name]
    sizes = [member.file_size for member in inside]
    if len(sizes) != 1 or sizes[0] > largest:
        raise ValueError(
            f"{opened.filename}: expected one {name} of at most {largest} bytes, found "
            f"{len(sizes)} of {sum(sizes)} bytes"
        )
    return inside[0]
