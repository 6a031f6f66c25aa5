"""Mistakes that the user can mend: one line, exit code 2, no traceback."""

import errno

from tasks.errors import UserError

__all__ = ["UserError", "storage_error"]

_STORAGE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG),
}


def storage_error(error: OSError) -> UserError | None:
    """The user's version of a disk that is full or may not be written; None for other faults."""
    if error.errno not in _STORAGE:
        return None
    place = error.filename or "the disk"
    return UserError(
        f"expected to read and write {place}, found: {error.strerror}; free some space or choose "
        "another folder (--cache, --results, --data, --output)"
    )
