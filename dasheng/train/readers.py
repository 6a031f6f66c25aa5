"""What a worker process does: it reads its share of the shards and makes batches of it.

What a batch holds follows from the seed, its reader and its number among that reader's alone.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from dasheng.train.augment import augment
from dasheng.train.augment import settings as augment_settings
from dasheng.train.config import TrainConfig
from dasheng.train.crops import Crops
from dasheng.train.shards import Shards
from tasks.errors import UserError

# What a random number is for, so that no two purposes share one.
_ORDER, _BLOCKS, _BATCHES = range(3)


class Handed(NamedTuple):
    """What a reader hands over: a batch, or at its end none; and how far it is.

    `error`: the message of a UserError, which must reach the user in one line.
    """

    reader: int
    audio: Tensor | None
    position: dict[str, Any]
    reasons: list[str]
    error: str = ""


@dataclass(frozen=True)
class Readers(IterableDataset[Handed]):
    """The readers of one process; each worker runs its own."""

    config: TrainConfig
    names: tuple[str, ...]
    rank: int
    world: int
    once: bool
    turn: int  # the reader whose batch comes first
    positions: tuple[Mapping[str, Any] | None, ...]

    def __iter__(self) -> Iterator[Handed]:
        info = get_worker_info()
        workers, worker = (info.num_workers, info.id) if info else (1, 0)
        return self._read((worker + self.turn) % workers, workers)

    def _read(self, reader: int, workers: int) -> Iterator[Handed]:
        crops, number = self._crops(reader, workers)
        stream = iter(crops)

        def handed(audio: Tensor | None, error: str = "") -> Handed:
            position = {**crops.position, "batches": number}
            return Handed(reader, audio, position, list(crops.reasons), error)

        try:
            while len(audio := self._filled(stream)) == self.config.batch_size:
                audio = self._augmented(audio, self.rank * workers + reader, number)
                number += 1
                yield handed(torch.from_numpy(audio))
            if len(audio) and self.once:
                yield handed(torch.from_numpy(audio))
        except UserError as error:
            yield handed(None, str(error))
        else:
            yield handed(None)

    def _crops(self, reader: int, workers: int) -> tuple[Crops, int]:
        config, position = self.config, self.positions[reader]
        own = self.rank * workers + reader
        shards = Shards(
            self.names,
            reader=own,
            readers=self.world * workers,
            seed=None if self.once else (config.seed, _ORDER),
            resampled=config.resampled and not self.once,
        )
        crops = Crops(
            shards,
            samples=config.crop_samples,
            rate=config.sample_rate,
            hold=1 if self.once else config.crop_shuffle,
            seed=None if self.once else (config.seed, _BLOCKS, own),
            once=self.once,
            max_bad=config.max_bad,
            position=position,
        )
        return crops, position["batches"] if position else 0

    def _filled(self, stream: Iterator[np.ndarray]) -> np.ndarray:
        """As many crops as a batch has, (B, N), or what is left."""
        audio = np.empty((self.config.batch_size, self.config.crop_samples), np.float32)
        filled = 0
        for crop in islice(stream, len(audio)):
            audio[filled] = crop
            filled += 1
        return audio[:filled]

    def _augmented(self, audio: np.ndarray, reader: int, number: int) -> np.ndarray:
        chosen = None if self.once else augment_settings(self.config.augment)
        if chosen is None:
            return audio
        rng = np.random.default_rng([self.config.seed, _BATCHES, reader, number])
        return augment(audio, rng, chosen)


def start_worker(_: int) -> None:
    """Leave Ctrl-C, and what ends a whole group of processes, to the process that trains.

    And drop what the MP3 decoder, written in C, prints of each frame that it finds damaged, or
    lands in by seeking: what cannot be used is counted and reported.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
