"""The encoders that a run keeps: the last one, the best few, and their mean.

A file's name says all that has to be known of it, so that a resumed run goes on with what it finds.
The mean of the best few is the published trainer's last step.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from dasheng import checkpoint
from dasheng.blocks import EncoderConfig

_BEST = re.compile(r"best_(\d+)_(\d+\.\d+)\.safetensors")


class Best(NamedTuple):
    """One of the best encoders: its loss on held-out data, its step, its file."""

    loss: float
    step: int
    file: Path


class Saved:
    """The encoder files of a run folder; of several processes the main one keeps them."""

    def __init__(self, run_folder: Path, n_saved: int) -> None:
        """`n_saved`: how many of the best are kept."""
        self.folder = run_folder
        self.n_saved = n_saved

    @property
    def best(self) -> list[Best]:
        """The best encoders in the folder, lowest loss first; of equal ones the earlier."""
        return sorted(_best(file) for file in self.folder.iterdir() if _BEST.fullmatch(file.name))

    def keep(
        self, encoder_state: Mapping[str, Tensor], config: EncoderConfig, loss: float, step: int
    ) -> None:
        """Write `last.safetensors`, and `best_<step>_<loss>.safetensors` if it is among the best.

        What is no longer among the best is removed only once the new file is there.

        Args:
            encoder_state: the encoder's tensors by its own names.
            config: what it was built with.
            loss: on held-out data, lower is better; one that is not finite is never best.
            step: optimiser steps done. A step that is done again, after resuming, replaces itself.

        Raises:
            OSError: the disk is full or cannot be written; what was there is there still.
        """
        checkpoint.save_state(encoder_state, config, self.folder / "last.safetensors")
        if not math.isfinite(loss):
            return
        before = self.best
        new = _best(self.folder / f"best_{step}_{loss:.6f}.safetensors")
        kept = sorted([new, *(best for best in before if best.step != step)])[: self.n_saved]
        if new in kept:
            checkpoint.save_state(encoder_state, config, new.file)
        for best in before:
            if best not in kept:
                best.file.unlink()
                best.file.with_suffix(".json").unlink(missing_ok=True)

    def average(self) -> Path | None:
        """Write `averaged.safetensors`, the mean of the best ones' tensors; None if there are none.

        Counts (the batch norm's) are those of the best. No more than two encoders are in memory.

        Raises:
            ValueError, OSError: one of the files cannot be read, or the mean not be written.
        """
        best = self.best
        if not best:
            return None
        model = checkpoint.load(best[0].file)
        mean = model.state_dict()
        for number, other in enumerate(best[1:], start=2):
            for name, x in checkpoint.load(other.file).state_dict().items():
                if x.is_floating_point():
                    mean[name] = mean[name].lerp(x, 1 / number)
        file = self.folder / "averaged.safetensors"
        checkpoint.save_state(mean, model.config, file)
        return file


def _best(file: Path) -> Best:
    """What the name says."""
    _, step, loss = file.stem.split("_")
    return Best(float(loss), int(step), file)
