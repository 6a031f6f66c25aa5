"""A run's own folder, which holds all that it writes."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

from dasheng.files import write_whole
from dasheng.train.config import TrainConfig
from tasks.errors import UserError


def new(config: TrainConfig) -> Path:
    """The name of one that no other run has, as the published trainer calls it."""
    return config.runs / f"{datetime.now():%Y-%m-%d_%H-%M}_{uuid.uuid4().hex}"


def make(folder: Path, config: TrainConfig) -> None:
    """Make the folder, with the configuration as `config.yaml`.

    Raises:
        UserError: it cannot be made.
        OSError: the disk is full; a configuration that was there is there still.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise UserError(
            f"expected to write to outputpath {config.outputpath}, cannot make {folder} "
            f"({error.strerror}); choose another"
        ) from None
    write_whole(folder / "config.yaml", config.as_yaml().encode())
