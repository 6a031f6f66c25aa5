"""`python3 dasheng/train/train.py CONFIG`: train from source, alone or by `accelerate launch`.

This file may run before anything is installed and under any launcher, so it imports nothing but
the standard library: what else is needed is loaded by name, where its absence can be told.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

MISTAKE = 2
INTERRUPTED = 130

_FOLDER = Path(__file__).resolve().parent
# Seconds in which the main process has said what is wrong and its launcher has ended the others.
_PATIENCE = 5.0


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; mistakes become one line and exit code 2."""
    _leave_folder()
    errors = importlib.import_module("tasks.errors")
    try:
        command = importlib.import_module("dasheng.train.command")
        command.run(sys.argv[1:] if words is None else words)
    except errors.UserError as error:
        _end(f"error: {error}", MISTAKE)
    except ModuleNotFoundError as error:
        if error.name is None or "." in error.name:  # a package that lacks a part of itself
            raise
        _end(
            f"error: expected {error.name} for training, found no such package; "
            "run: pip install 'dasheng[train]'",
            MISTAKE,
        )
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)


def _leave_folder() -> None:
    """Import from the clone, not from this file's folder, which Python puts first for a script.

    Here lie `config`, `model`, `audio`, …: names that other packages import as their own.
    """
    if sys.path[0] and Path(sys.path[0]).resolve() == _FOLDER:
        sys.path[0] = str(_FOLDER.parents[1])


def _end(line: str, code: int) -> NoReturn:
    """Say why, once: of several processes the main one does, others only what it did not meet."""
    if int(os.environ.get("RANK", "0")) > 0:
        time.sleep(_PATIENCE)
    sys.stderr.write(f"{line}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
