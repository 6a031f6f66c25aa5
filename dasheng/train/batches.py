"""Batches of crops for the training loop, read by worker processes, from any position on.

Each worker of each process is a reader with data of its own (`shards`); a batch is made by one of
them. What a batch holds follows from the seed, its reader and its number alone, and it carries its
reader's place in the stream: so a run that goes on from a position sees, to the bit, the batches
that it would have seen, as long as it has as many processes and workers as before.
"""

from __future__ import annotations

import atexit
import multiprocessing
import warnings
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dasheng.train import augment
from dasheng.train.config import TrainConfig
from dasheng.train.readers import Handed, Readers, start_worker
from dasheng.train.shards import AUDIO, shard_names
from tasks.errors import UserError


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
        self._reasons: dict[int, list[str]] = {}
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
        self._loader: Iterator[Handed] | None = None
        self._workers: list[BaseProcess] = []

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
        return [reason for reasons in self._reasons.values() for reason in reasons]

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Tensor:
        """The next batch.

        Raises:
            UserError: no audio at all, or too many bad members.
        """
        if self._loader is None:
            self._loader = self._start()
            # Workers ignore the signal by which Python ends them when it exits.
            atexit.register(_close, weakref.ref(self))
        while (handed := next(self._loader, None)) is not None:
            self._reasons[handed.reader] = handed.reasons
            self._positions[handed.reader] = handed.position
            if handed.error:
                self.close()
                raise UserError(handed.error)
            if handed.audio is not None:
                self._turn = (handed.reader + 1) % len(self._positions)
                return handed.audio
        self.close()
        if self._once and (self._world > 1 or self.read > self.bad):
            raise StopIteration
        raise UserError(self._nothing())

    def _start(self) -> Iterator[Handed]:
        readers = Readers(
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
                worker_init_fn=start_worker,
                pin_memory=torch.cuda.is_available(),
                generator=torch.Generator(),  # the global one is never drawn from
            )
            others = multiprocessing.active_children()
            handed = iter(loader)
            self._workers = [one for one in multiprocessing.active_children() if one not in others]
            return handed

    def _nothing(self) -> str:
        setting = "cv_data" if self._once else "train_data"
        process = f" for process {self._rank} of {self._world}" if self._world > 1 else ""
        reasons = "; ".join(self.reasons)
        return (
            f"expected audio ({', '.join(AUDIO)}) in the {len(self._names)} shards of {setting}, "
            f"found none{process}{f' ({reasons})' if reasons else ''}; correct {setting}"
        )

    def close(self) -> None:
        """End the workers; the next batch, if it is asked for, starts others at the position."""
        self._loader = None
        for worker in self._workers:  # those that were too busy to end when they were told
            worker.kill()
            worker.join()
        self._workers = []


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
            UserError: shards are missing, `augment` holds a mistake, or there is no audio to
                validate on, which would otherwise be found out an epoch later.
        """
        augment.settings(config.augment)
        names = shard_names(config.train_data, "train_data")
        held_out = validation_batches(replace(config, num_workers=0, batch_size=1))
        if config.cv_data and rank == 0:
            next(held_out)
        super().__init__(config, names, rank=rank, world=world, once=False, position=position)


def validation_batches(config: TrainConfig, *, rank: int = 0, world: int = 1) -> Batches:
    """The crops of `cv_data` once, in order and as they are; the last batch may be smaller.

    Processes may get different numbers of batches.
    """
    names = shard_names(config.cv_data, "cv_data")
    return Batches(config, names, rank=rank, world=world, once=True)


def _as_it_is(handed: Any) -> Any:
    return handed


def _close(batches: weakref.ref[Batches]) -> None:
    left = batches()
    if left is not None:
        left.close()
