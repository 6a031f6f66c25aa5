"""Shallow heads as HEAR 2021 trains them, all at once, each with its own early stop.

The heads of a division share batches and are strangers otherwise: what becomes of one does not
depend on its company. All chance follows from the seed and

- for initial weights: what the head is;
- for dropout: epoch, step, layer, and what the head is but for its division;
- for the order of the clips, where they are shuffled: the epoch.

Heads must not share their chance: the best of eight that rise and fall together is less than the
best of eight strangers, which is what heareval chooses.

On an accelerator, where small products wait for their launch, all heads of one depth are one stack,
whatever their division. On a CPU, where activations must stay in the cache, each is a stack of its
own, and the divisions take turns.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.errors import UserError
from harness.protocols import layers
from harness.protocols.early_stop import Trained, Watch
from harness.protocols.groups import Group, Step, batches
from harness.protocols.layers import Adam, Init, Stack
from harness.protocols.room import Room

WEIGHTS, DROPOUT, ORDER, POOL = range(4)  # what chance is for
PLACES, STRIDE = 2**18, 16  # where a mask may begin, each at the head of a cache line


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
    setting = _Setting(features, targets, classes, divisions, schedule, judge, seed, width)
    numbers = sorted({head.division for head in heads})
    cohorts = [[number] for number in numbers] if width == 1 else [numbers] if numbers else []
    trained: dict[int, Trained] = {}
    for turn, cohort in enumerate(cohorts):
        own = {i: head for i, head in enumerate(heads) if head.division in cohort}
        report = partial(_report, progress, turn, len(cohorts), schedule.max_epochs)
        trained |= _train_together(setting, cohort, own, report)
        report(schedule.max_epochs)
    return [trained[i] for i in range(len(heads))]


def _report(progress: Progress, turn: int, turns: int, most: int, epochs: int) -> None:
    """Those who train together do so in turn; who ends early is done."""
    progress(turn * most + epochs, turns * most)


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

    def seeded(self, *purpose: int) -> int:
        """A number for a generator of torch, which keeps 32 bits."""
        return self.drawn(1, *purpose)[0]

    def drawn(self, count: int, *purpose: int) -> list[int]:
        """Numbers of 32 bits."""
        return np.random.SeedSequence((self.seed, *purpose)).generate_state(count).tolist()


def _train_together(
    setting: _Setting, cohort: list[int], heads: dict[int, Head], report: Callable[[int], None]
) -> dict[int, Trained]:
    """Train the heads of some divisions until each has ended."""
    schedule = setting.schedule
    for number in cohort:
        _check(setting.divisions[number])
    device, divisions = setting.features.device, setting.divisions
    train = {n: torch.from_numpy(divisions[n].train).to(device) for n in cohort}
    valid = {n: torch.from_numpy(divisions[n].valid).to(device) for n in cohort}
    groups = _groups(setting, heads)
    watches = {i: Watch(schedule.patience, nan_ends=schedule.nan_ends) for i in heads}
    room, pool = Room(setting.features), _pool(setting)
    last = schedule.max_epochs // schedule.every * schedule.every  # nobody would see the rest
    for epoch in range(last):
        _learn(setting, groups, train, epoch, room, pool)
        if (epoch + 1) % schedule.every == 0:
            for group in groups:
                _validate(setting, group, valid, watches, epoch)
            groups = list(_unended(groups, watches))
            if not groups:
                break
        report(epoch + 1)
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


def _groups(setting: _Setting, heads: dict[int, Head]) -> list[Group]:
    """Heads at their start, those of one depth in groups as wide as asked for."""

    def place(i: int) -> tuple[int, int]:
        division = heads[i].division
        return len(setting.divisions[division].train), division

    groups = []
    for depth in sorted({head.layers for head in heads.values()}):
        members = sorted((i for i, head in heads.items() if head.layers == depth), key=place)
        for first in range(0, len(members), setting.width):
            part = members[first : first + setting.width]
            stack = layers.join([_draw(setting, heads[i]) for i in part], setting.features)
            adam = Adam.start(stack, [heads[i].learning_rate for i in part])
            own = [heads[i] for i in part]
            chances = [setting.seeded(DROPOUT, *_kind(head)) for head in own]
            groups.append(Group(part, [head.division for head in own], chances, stack, adam))
    return groups


def _kind(head: Head) -> tuple[int, ...]:
    """What tells heads of one division apart, in whole numbers."""
    rate = int(np.float64(head.learning_rate).view(np.uint64))
    return head.layers, int(head.init == "normal"), rate


def _draw(setting: _Setting, head: Head) -> Stack:
    key = setting.seeded(WEIGHTS, *_kind(head), head.division)
    sizes = (setting.features.shape[1], setting.schedule.hidden, setting.classes)
    return layers.draw(head.layers, sizes, head.init, torch.Generator().manual_seed(key))


def _learn(
    setting: _Setting,
    groups: list[Group],
    train: Mapping[int, Tensor],
    epoch: int,
    room: Room,
    pool: Tensor,
) -> None:
    """One epoch of every group."""
    schedule = setting.schedule
    busy = {division for group in groups for division in group.divisions}
    cut = {n: batches(_ordered(setting, train[n], epoch), schedule.batch) for n in sorted(busy)}
    for number in range(max(map(len, cut.values()))):
        rows = {n: own[number] for n, own in cut.items() if number < len(own)}
        step = Step(setting.features, setting.targets, rows, room)
        for part in (part for group in groups for part in group.parts(step.lengths)):
            x, target = step.batch(part.divisions)
            masks = _masks(setting, part, len(x), (epoch, number), pool)
            slopes = layers.gradients(part.stack, x, target, masks, schedule.dropout, room)
            part.adam.move(part.stack, slopes)


def _ordered(setting: _Setting, rows: Tensor, epoch: int) -> Tensor:
    if not setting.schedule.shuffle:
        return rows
    generator = torch.Generator().manual_seed(setting.seeded(ORDER, epoch))
    return rows[torch.randperm(len(rows), generator=generator).to(rows.device)]


def _pool(setting: _Setting) -> Tensor:
    """What dropout is taken from.

    To draw anew in every step would cost a tenth of a head's products. A stretch of numbers
    drawn once is as random, as long as each layer, step and head begins at another place.
    """
    longest = max(min(len(d.train), setting.schedule.batch + 1) for d in setting.divisions)
    shape = (PLACES * STRIDE + longest * setting.schedule.hidden,)
    seed = setting.seeded(POOL)
    return layers.ceilings(setting.schedule.dropout, shape, seed, Room(setting.features), "pool")


def _masks(
    setting: _Setting, part: Group, clips: int, moment: tuple[int, int], pool: Tensor
) -> list[Tensor]:
    """Dropout's for each hidden layer, (B, g, H), as `layers.ceilings`."""
    depth, hidden, found = len(part.stack.layers), setting.schedule.hidden, []
    drawn = [setting.drawn(depth, chance, *moment) for chance in part.chances]
    for layer in zip(*drawn, strict=True):
        starts = (number % PLACES * STRIDE for number in layer)
        own = [pool[start : start + clips * hidden].view(clips, hidden) for start in starts]
        found.append(own[0][:, None] if len(own) == 1 else torch.stack(own, dim=1))
    return found


def _validate(
    setting: _Setting,
    group: Group,
    valid: Mapping[int, Tensor],
    watches: Mapping[int, Watch],
    epoch: int,
) -> None:
    """Have every head of a group judged."""
    for part in group.parts({n: n for n in valid}):
        logits = layers.logits_of(part.stack, setting.features, valid[part.divisions[0]])
        for place, i in enumerate(part.members):
            value, note = setting.judge(i, logits[:, place])
            watches[i].see(epoch, value, note, partial(part.stack.only, [place]))


def _unended(groups: list[Group], watches: dict[int, Watch]) -> Iterator[Group]:
    """The groups without the heads that have ended."""
    for group in groups:
        keep = [at for at, i in enumerate(group.members) if not watches[i].ended]
        if len(keep) == len(group.members):
            yield group
        elif keep:
            yield group.only(keep)
