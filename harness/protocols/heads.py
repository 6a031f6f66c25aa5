"""Shallow heads as HEAR 2021 trains them, all at once, each with its own early stop.

The heads of a division share batches and dropout and are strangers otherwise: each is distributed
as if it were trained alone, and what becomes of it does not depend on its company. All chance
follows from the seed and

- for initial weights: the head's layers, initialisation and division;
- for dropout: epoch, step and layer;
- for the order of the clips, where they are shuffled: the epoch.

On an accelerator, where small products wait for their launch, heads of one depth are one stack.
On a CPU, where activations must stay in the cache, each is a stack of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.errors import UserError
from harness.protocols import layers
from harness.protocols.early_stop import ROWS, Trained, Watch
from harness.protocols.layers import Adam, Init, Room, Stack

WEIGHTS, DROPOUT, ORDER = range(3)  # what chance is for


@dataclass(frozen=True)
class Head:
    """What to train: 1 or 2 hidden layers, on the division at a position."""

    layers: int
    learning_rate: float
    init: Init
    division: int


@dataclass(frozen=True)
class Division:
    """Rows of the features, int64: those that train, in the order of their batches; and valid."""

    train: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How to train; the defaults are HEAR 2021's.

    every: epochs from one validation to the next. patience: validations in a row without
    improvement that end a head. shuffle: a new order every epoch, else the batches stay as they
    are. nan_ends: a value that is not finite ends a head.
    """

    hidden: int = 1024
    dropout: float = 0.1
    batch: int = 1024
    max_epochs: int = 500
    every: int = 3
    patience: int = 20
    shuffle: bool = False
    nan_ends: bool = True


# Position of a head, its (n_valid, C) logits on the device → value, larger is better; a note.
Judge = Callable[[int, Tensor], tuple[float, Any]]
Progress = Callable[[float, float], None]  # epochs done, epochs at most


@torch.no_grad()
def train(
    features: Tensor,
    targets: Tensor,
    classes: int,
    heads: Sequence[Head],
    divisions: Sequence[Division],
    schedule: Schedule,
    judge: Judge,
    seed: int,
    progress: Progress = lambda done, total: None,
    *,
    width: int | None = None,
) -> list[Trained]:
    """Train every head where the features lie; one result per head, in their order.

    features: (N, D) float32; batches are gathered from it, it is never copied. targets: (N,)
    int64, or (N, C) uint8 or bool where a clip may have several labels or none. width: heads in
    a stack; by default what suits the device.
    Raises UserError if a division cannot be trained on, or no epoch would be validated.
    """
    if schedule.max_epochs < schedule.every:
        raise UserError(
            f"heads: expected at least one validation, found max_epochs {schedule.max_epochs} and "
            f"a validation every {schedule.every} epochs; raise the one or lower the other"
        )
    if targets.dtype == torch.bool:
        targets = targets.view(torch.uint8)  # torch does not subtract bool
    if width is None:
        width = 1 if features.device.type == "cpu" else max(1, len(heads))
    setting = _Setting(
        features, targets, classes, divisions, schedule, judge, seed, width, progress
    )  # fmt: skip
    trained: dict[int, Trained] = {}
    for number in range(len(divisions)):
        own = {i: head for i, head in enumerate(heads) if head.division == number}
        if own:
            trained |= _train_division(setting, number, own)
        setting.report(number, schedule.max_epochs)
    return [trained[i] for i in range(len(heads))]


@dataclass(frozen=True)
class _Setting:
    """What all heads have in common."""

    features: Tensor
    targets: Tensor
    classes: int
    divisions: Sequence[Division]
    schedule: Schedule
    judge: Judge
    seed: int
    width: int
    progress: Progress

    def seeded(self, *purpose: int) -> int:
        """A number for a generator of torch, which keeps 32 bits."""
        return int(np.random.SeedSequence((self.seed, *purpose)).generate_state(1)[0])

    def report(self, division: int, epochs: int) -> None:
        """Divisions are trained in their order; one that ends early is done."""
        most = self.schedule.max_epochs
        self.progress(division * most + epochs, len(self.divisions) * most)


@dataclass(frozen=True)
class _Group:
    """Heads of one depth side by side, still training; members: their positions in the list."""

    members: list[int]
    stack: Stack
    adam: Adam

    def only(self, keep: list[int]) -> "_Group":
        members = [self.members[i] for i in keep]
        return _Group(members, self.stack.only(keep), self.adam.only(keep))


def _train_division(setting: _Setting, number: int, heads: dict[int, Head]) -> dict[int, Trained]:
    """Train the heads of one division until each has ended."""
    division, schedule = setting.divisions[number], setting.schedule
    _check(division)
    device = setting.features.device
    train, valid = (torch.from_numpy(rows).to(device) for rows in (division.train, division.valid))
    groups = _groups(setting, heads)
    watches = {i: Watch(schedule.patience, nan_ends=schedule.nan_ends) for i in heads}
    room = Room(setting.features)
    last = schedule.max_epochs // schedule.every * schedule.every  # nobody would see the rest
    for epoch in range(last):
        _learn(setting, groups, train, epoch, room)
        if (epoch + 1) % schedule.every == 0:
            for group, logits in zip(groups, _logits(setting, groups, valid), strict=True):
                for position, i in enumerate(group.members):
                    value, note = setting.judge(i, logits[:, position])
                    watches[i].see(epoch, value, note, partial(group.stack.only, [position]))
            groups = list(_unended(groups, watches))
            if not groups:
                break
        setting.report(number, epoch + 1)
    return {i: watch.best for i, watch in watches.items() if watch.best}


def _check(division: Division) -> None:
    if len(division.train) < 2:
        raise UserError(
            "heads: expected at least 2 clips to train on (batch norm divides by their spread), "
            f"found {len(division.train)}; use more clips (--limit)"
        )
    if len(division.valid) == 0:
        raise UserError(
            "heads: expected clips to validate on, found none that train could spare; "
            "use more clips (--limit) or --protocols knn"
        )


def _groups(setting: _Setting, heads: dict[int, Head]) -> list[_Group]:
    """Heads at their start, those of one depth in groups as wide as asked for."""
    groups = []
    for depth in sorted({head.layers for head in heads.values()}):
        members = [i for i, head in heads.items() if head.layers == depth]
        for first in range(0, len(members), setting.width):
            part = members[first : first + setting.width]
            stack = layers.join([_draw(setting, heads[i]) for i in part], setting.features)
            adam = Adam.start(stack, [heads[i].learning_rate for i in part])
            groups.append(_Group(part, stack, adam))
    return groups


def _draw(setting: _Setting, head: Head) -> Stack:
    key = setting.seeded(WEIGHTS, head.layers, head.init == "normal", head.division)
    sizes = (setting.features.shape[1], setting.schedule.hidden, setting.classes)
    return layers.draw(head.layers, sizes, head.init, torch.Generator().manual_seed(key))


def _learn(setting: _Setting, groups: list[_Group], rows: Tensor, epoch: int, room: Room) -> None:
    """One epoch of every group."""
    schedule = setting.schedule
    depth = max(len(group.stack.layers) for group in groups)
    if schedule.shuffle:
        generator = torch.Generator().manual_seed(setting.seeded(ORDER, epoch))
        rows = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
    for step, batch in enumerate(_batches(rows, schedule.batch)):
        x = room("x", len(batch), setting.features.shape[1])
        torch.index_select(setting.features, 0, batch, out=x)
        target = setting.targets[batch]
        masks = [
            layers.ceilings(
                schedule.dropout,
                (len(batch), schedule.hidden),
                setting.seeded(DROPOUT, epoch, step, layer),
                room,
                f"mask{layer}",
            )
            for layer in range(depth)
        ]
        for group in groups:
            own = masks[: len(group.stack.layers)]
            slopes = layers.gradients(group.stack, x, target, own, schedule.dropout, room)
            group.adam.move(group.stack, slopes)


def _batches(rows: Tensor, size: int) -> list[Tensor]:
    """Rows in batches; a last one of a single row, without spread, joins the batch before."""
    batches = list(rows.split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [rows[-size - 1 :]]
    return batches


def _logits(setting: _Setting, groups: list[_Group], rows: Tensor) -> list[Tensor]:
    """(n, g, C) of each group."""
    found: list[list[Tensor]] = [[] for _ in groups]
    for part in rows.split(ROWS):
        x = setting.features[part]
        for group, parts in zip(groups, found, strict=True):
            parts.append(layers.logits(group.stack, x))
    return [torch.cat(parts) for parts in found]


def _unended(groups: list[_Group], watches: dict[int, Watch]) -> Iterator[_Group]:
    """The groups without the heads that have ended."""
    for group in groups:
        keep = [at for at, i in enumerate(group.members) if not watches[i].ended]
        if len(keep) == len(group.members):
            yield group
        elif keep:
            yield group.only(keep)
