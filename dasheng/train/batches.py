"""Batches of crops for the training loop, read by worker processes, from any position on.

Each worker of each process is a reader with data of its own (`shards`); a batch is made by one of
them. What a batch holds follows from the seed, its reader and its number alone, and it carries its
reader's place in the stream: so a run that goes on from a position sees, to the bit, the batches
that it would have seen, as long as it has as many processes and workers as before.
"""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from dasheng.train.augment import augment
from dasheng.train.augment import settings as augment_settings
from dasheng.train.config import TrainConfig
from dasheng.train.crops import Crops
from dasheng.train.shards import AUDIO, Shards, shard_names
from tasks.errors import UserError

# What a random number is for, so that no two purposes share one.
_ORDER, _BLOCKS, _BATCHES = range(3)


class _Handed(NamedTuple):
    """What a reader hands over: a batch, or at its end none; and how far it is.

    `error`: the message of a UserError, which must reach the user in one line.
    """

    reader: int
    audio: Tensor | None
    position: dict[str, Any]
    reasons: list[str]
    error: str = ""


@dataclass(frozen=True)
class _Readers(IterableDataset[_Handed]):
    """The readers of one process; each worker runs its own."""

    config: TrainConfig
    names: tuple[str, ...]
    rank: int
    world: int
    once: bool
    turn: int  # the reader whose batch comes first
    positions: tuple[Mapping[str, Any] | None, ...]

    def __iter__(self) -> Iterator[_Handed]:
        info = get_worker_info()
        workers, worker = (info.num_workers, info.id) if info else (1, 0)
        return self._read((worker + self.turn) % workers, workers)

    def _read(self, reader: int, workers: int) -> Iterator[_Handed]:
        crops, number = self._crops(reader, workers)
        stream = iter(crops)

        def handed(audio: Tensor | None, error: str = "") -> _Handed:
            position = {**crops.position, "batches": number}
            return _Handed(reader, audio, position, list(crops.reasons), error)

        try:
            while len(rows := list(islice(stream, self.config.batch_size))) == (
                self.config.batch_size
            ):
                audio = self._augmented(np.stack(rows), self.rank * workers + reader, number)
                number += 1
                yield handed(torch.from_numpy(audio))
            if rows and self.once:
                yield handed(torch.from_numpy(np.stack(rows)))
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

    def _augmented(self, audio: np.ndarray, reader: int, number: int) -> np.ndarray:
        chosen = None if self.once else augment_settings(self.config.augment)
        if chosen is None:
            return audio
        rng = np.random.default_rng([self.config.seed, _BATCHES, reader, number])
        return augment(audio, rng, chosen)


class Batches(Iterator[Tensor]):
    """Batches of crops (B, N) float32 on the CPU, in pinned memory where there is CUDA.

    `read` and `bad` count the members of the shards so far, `reasons` says of the first few why
    they are bad. `close` ends the workers; so do the last batch and an exception.
    """

    def __init__(
        self,
        config: TrainConfig,
        names: tuple[str, ...],
        *,
        rank: int,
        world: int,
        once: bool,
        position: Mapping[str, Any] | None = None,
    ) -> None:
        self._config, self._names, self._once = config, names, once
        self._rank, self._world = rank, world
        self._handed: dict[int, _Handed] = {}
        readers = max(1, config.num_workers)
        if position is not None and (len(position["readers"]), position["world"]) != (
            readers,
            world,
        ):
            raise UserError(
                f"expected the data to be read by {len(position['readers'])} workers of each of "
                f"{position['world']} processes, as before the interruption, found {readers} of "
                f"{world}; set num_workers and the number of processes as they were"
            )
        self._positions = list(position["readers"]) if position else [None] * readers
        self._turn: int = position["turn"] if position else 0
        self._loader: Iterator[_Handed] | None = None

    @property
    def position(self) -> dict[str, Any]:
        """Where to go on after the batch handed out last; fit for JSON."""
        return {"world": self._world, "turn": self._turn, "readers": list(self._positions)}

    @property
    def read(self) -> int:
        """Members read so far, the bad ones among them."""
        return sum(position["read"] for position in self._positions if position)

    @property
    def bad(self) -> int:
        """Members that could not be used so far."""
        return sum(position["bad"] for position in self._positions if position)

    @property
    def reasons(self) -> list[str]:
        """Why the first few bad members since the start are bad: "shard: member: reason"."""
        return [reason for handed in self._handed.values() for reason in handed.reasons]

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Tensor:
        """The next batch.

        Raises:
            UserError: no audio at all, or too many bad members.
        """
        if self._loader is None:
            self._loader = self._start()
        for handed in self._loader:
            self._handed[handed.reader] = handed
            self._positions[handed.reader] = handed.position
            if handed.error:
                self.close()
                raise UserError(handed.error)
            if handed.audio is not None:
                self._turn = (handed.reader + 1) % len(self._positions)
                return handed.audio
        self.close()
        if not self._once or not self.read > self.bad:
            raise UserError(self._nothing())
        raise StopIteration

    def _start(self) -> Iterator[_Handed]:
        readers = _Readers(
            config=self._config,
            names=self._names,
            rank=self._rank,
            world=self._world,
            once=self._once,
            turn=self._turn,
            positions=tuple(self._positions),
        )
        with warnings.catch_warnings():
            # How many workers there are is the configuration's to say, on few cores, too.
            warnings.filterwarnings("ignore", "This DataLoader will create")
            loader = DataLoader(
                readers,
                batch_size=None,
                num_workers=self._config.num_workers,
                collate_fn=_as_it_is,
                worker_init_fn=_leave_signals,
                pin_memory=torch.cuda.is_available(),
                generator=torch.Generator(),  # the global one is never drawn from
            )
            return iter(loader)

    def _nothing(self) -> str:
        setting = "cv_data" if self._once else "train_data"
        process = f" for process {self._rank} of {self._world}" if self._world > 1 else ""
        reasons = "; ".join(self.reasons)
        return (
            f"expected audio ({', '.join(AUDIO)}) in the {len(self._names)} shards of {setting}, "
            f"found none{process}{f' ({reasons})' if reasons else ''}; correct {setting}"
        )

    def close(self) -> None:
        """End the workers."""
        self._loader = None


class TrainingBatches(Batches):
    """Endless shuffled batches of `train_data`, augmented."""

    def __init__(
        self,
        config: TrainConfig,
        *,
        rank: int = 0,
        world: int = 1,
        position: Mapping[str, Any] | None = None,
    ) -> None:
        """Of process `rank` of `world`, from a `position` on.

        Raises:
            UserError: shards are missing, of the training or of the validation data.
        """
        shard_names(config.cv_data, "cv_data")
        names = shard_names(config.train_data, "train_data")
        super().__init__(config, names, rank=rank, world=world, once=False, position=position)


def validation_batches(config: TrainConfig, *, rank: int = 0, world: int = 1) -> Batches:
    """The crops of `cv_data` once, in order and as they are; the last batch may be smaller.

    Processes may get different numbers of batches.
    """
    names = shard_names(config.cv_data, "cv_data")
    return Batches(config, names, rank=rank, world=world, once=True)


def _as_it_is(handed: Any) -> Any:
    return handed


def _leave_signals(_: int) -> None:
    """Leave Ctrl-C, and what ends a whole group of processes, to the process that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
