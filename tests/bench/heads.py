"""The shallow heads of HEAR 2021, all at once, beside their products alone and a plain loop.

    python -m tests.bench.heads [pairs] [sizes]

What is timed is `train` on synthetic embeddings with the 8 grid points on the first division and
one head of two layers on each of the others, as hear2021 does it, for a fixed number of epochs.

- `products`: the very matrix products that this made, recorded and replayed with the same shapes,
  strides and order, nothing else. Operands of one shape share their memory, so that they are in
  the cache wherever they can be: no training that needs these products is faster.
- `plain`: the same heads one after the other in torch.nn, autograd and torch.optim.Adam.
- Floors. FLOP: the products'. Bytes: what passes over memory beside the products, if nothing
  stayed in a cache: 17 reads or writes of a hidden activation per step (batch norm 4 forward and
  7 backward, clamp 3, threshold 3) and 7 of a weight (Adam).

The processor times tell more than the wall's where others use the machine too, but with several
threads they hold the waiting for each other. `sizes` adds a table with the time of every task of
HEAR 2021 at 768 numbers an embedding: a few batches are timed, one validation beyond another so
that what comes before the first epoch does not count, and extrapolated.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch
from tabulate import tabulate
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness.protocols import grid
from harness.protocols.heads import Division, Head, Schedule, train
from tests.bench.measure import ceiling

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SCHEDULE = Schedule(max_epochs=63, patience=1000)
ACTIVATION_PASSES, WEIGHT_PASSES = 17, 7
BATCHES = 2  # timed of a task that has more, and then extrapolated


@dataclass(frozen=True)
class Size:
    """Rows that train and validate in each division; several: labels per row."""

    name: str
    train: int
    valid: int
    classes: int
    divisions: int = 1
    D: int = 768
    several: bool = False
    epochs: int = 100  # of the extrapolation
    every: int = 3


def folds(name: str, clips: int, classes: int, k: int, **more: Any) -> Size:
    return Size(name, clips * (k - 2) // k, clips // k, classes, k, **more)


COMPARED = (Size("fsdd", 2400, 300, 10, D=64), folds("ESC-50", 2000, 50, 5))

# BENCHMARKS.md 1.1; frames of 40 ms where moments are labelled.
TASKS = (
    Size("DCASE 2016 task 2", 43 * 3000, 14 * 3000, 11, several=True, every=10),
    Size("NSynth pitch 5 h", 4000, 500, 88),
    Size("NSynth pitch 50 h", 40_000, 4530, 88),
    Size("Speech Commands 5 h", 16_000, 2000, 12),
    Size("Speech Commands full", 85_511, 10_102, 12),
    Size("Beehive states, each", 256, 32, 2),
    folds("Beijing Opera", 236, 4, 5),
    folds("CREMA-D", 7438, 6, 5),
    folds("ESC-50", 2000, 50, 5),
    Size("FSD50K", 36_796, 4170, 200, several=True),
    folds("Gunshot", 88, 4, 7),
    folds("GTZAN", 1000, 10, 10),
    folds("GTZAN music speech", 128, 2, 10),
    folds("LibriCount", 5720, 11, 5),
    folds("MAESTRO 5 h", 185 * 3000, 88, 5, several=True, every=1, epochs=50),
    folds("Mridangam stroke", 6977, 10, 5),
    folds("Mridangam tonic", 6977, 6, 5),
    folds("Vocal Imitation", 5601, 302, 3),
    folds("VoxLingua top 10", 972, 10, 5),
)


class Work:
    """Synthetic rows of a size, and what can be done with them."""

    def __init__(self, size: Size, schedule: Schedule = SCHEDULE) -> None:
        generator = torch.Generator().manual_seed(0)
        n = size.train + size.valid
        shape = (n, size.classes) if size.several else (n,)
        targets = torch.randint(0, 2 if size.several else size.classes, shape, generator=generator)
        self.size, self.schedule = size, schedule
        self.features = torch.randn(n, size.D, generator=generator).to(DEVICE)
        self.targets = (targets.to(torch.uint8) if size.several else targets).to(DEVICE)
        order = np.random.default_rng(0).permutation(n)
        self.division = Division(order[: size.train], order[size.train :])
        self.truth = self.targets[torch.from_numpy(self.division.valid).to(DEVICE)]

    def heads(self) -> list[Head]:
        points = grid.points({})[: grid.POINTS]
        chosen = next(point for point in points if point["hidden_layers"] == 2)
        placed = [(point, 0) for point in points]
        placed += [(chosen, number) for number in range(1, self.size.divisions)]
        return [
            Head(point["hidden_layers"], point["lr"], point["initialization"], number)
            for point, number in placed
        ]

    def judge(self, number: int, logits: Tensor) -> tuple[float, None]:
        if self.size.several:
            return float(((logits > 0) == self.truth).float().mean()), None
        return float((logits.argmax(dim=1) == self.truth).float().mean()), None

    def ours(self, heads: list[Head] | None = None) -> None:
        heads = self.heads() if heads is None else heads
        divisions = [self.division] * (1 + max(head.division for head in heads))
        classes = self.size.classes
        args = (self.features, self.targets, classes, heads, divisions, self.schedule)
        train(*args, self.judge, 0)

    def plain(self) -> None:
        """Every head alone, its batches cut once."""
        rows = torch.from_numpy(self.division.train).to(DEVICE)
        x, y = self.features[rows], self.targets[rows]
        y = y.float() if self.size.several else y
        batches = list(zip(x.split(1024), y.split(1024), strict=True))
        valid = self.features[torch.from_numpy(self.division.valid).to(DEVICE)]
        lose = nn.BCEWithLogitsLoss() if self.size.several else nn.CrossEntropyLoss()
        for number, head in enumerate(self.heads()):
            model = plain_head(head, self.size).to(DEVICE)
            optimiser = torch.optim.Adam(model.parameters(), lr=head.learning_rate)
            for epoch in range(self.schedule.max_epochs):
                model.train()
                for features, targets in batches:
                    optimiser.zero_grad()
                    lose(model(features), targets).backward()
                    optimiser.step()
                if (epoch + 1) % self.schedule.every == 0:
                    model.eval()
                    with torch.no_grad():
                        self.judge(number, model(valid))


def plain_head(head: Head, size: Size) -> nn.Sequential:
    modules: list[nn.Module] = []
    width = size.D
    for _ in range(head.layers):
        block = (nn.Linear(width, 1024), nn.BatchNorm1d(1024), nn.Dropout(0.1), nn.ReLU())
        modules += block
        width = 1024
    return nn.Sequential(*modules, nn.Linear(width, size.classes))


aten = torch.ops.aten
PRODUCTS = {
    aten.mm.out: aten.mm.out,
    aten.addmm.out: aten.mm.out,
    aten.bmm.out: aten.bmm.out,
    aten.baddbmm.out: aten.bmm.out,
}


class Products(TorchDispatchMode):
    """Records the matrix products of what runs within, and replays them."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[tuple[Any, list[Tensor]]] = []
        self._operands: dict[tuple[Any, ...], Tensor] = {}
        self.flop = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in PRODUCTS:  # a shift that it adds is the last but two
            tensors = [*args[-2:], kwargs["out"]]
            own = [self._operand(i, t) for i, t in enumerate(tensors)]
            self._calls.append((PRODUCTS[func], own))
            self.flop += 2 * prod(tensors[0].shape) * tensors[1].shape[-1]
        return func(*args, **(kwargs or {}))

    def _operand(self, position: int, like: Tensor) -> Tensor:
        key = (position, like.shape, like.stride())
        if key not in self._operands:
            empty = torch.empty_strided(like.shape, like.stride(), device=DEVICE)
            self._operands[key] = empty.normal_()
        return self._operands[key]

    def replay(self) -> None:
        for func, (a, b, out) in self._calls:
            func(a, b, out=out)


class Turn(NamedTuple):
    wall: float
    processor: float


def turn(work: Callable[[], None]) -> Turn:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return Turn(time.perf_counter() - wall, time.process_time() - processor)


def compare(size: Size, n: int) -> list[str]:
    """One row: floors, medians of n turns, and medians of the turns' ratios."""
    work = Work(size)
    with Products() as products:
        work.ours()
    turns = [(turn(work.ours), turn(products.replay), turn(work.plain)) for _ in range(n)]
    ours, alone, plain = (statistics.median(each[i].wall for each in turns) for i in range(3))

    def ratio(a: int, b: int, clock: str) -> str:
        values = [getattr(each[a], clock) / getattr(each[b], clock) for each in turns]
        return f"{statistics.median(values):.2f}"

    floor = products.flop / ceiling(device=DEVICE) / 1e9
    figures = (products.flop / 1e9, floor, passed(work) / 1e9, alone, ours, plain)
    ratios = (ratio(0, 1, "wall"), ratio(0, 1, "processor"), ratio(2, 0, "wall"))
    return [size.name, *(f"{figure:.1f}" for figure in figures), *ratios]


def passed(work: Work) -> float:
    """Bytes that everything but the products reads and writes in training."""
    size, total = work.size, 0
    steps = -(-size.train // 1024)
    for head in work.heads():
        inner = 1024 * 1024 if head.layers == 2 else 0
        weights = size.D * 1024 + inner + 1024 * size.classes
        total += ACTIVATION_PASSES * size.train * 1024 * head.layers
        total += WEIGHT_PASSES * weights * steps
    return 4.0 * total * work.schedule.max_epochs


def extrapolate(size: Size) -> list[str]:
    """One row: seconds per epoch of the grid and of one more head, minutes in all."""
    rows = min(size.train, BATCHES * 1024)
    scale = size.train / rows
    part = replace(size, train=rows, valid=max(1, round(size.valid / scale)))
    work = Work(part)
    heads = work.heads()

    def per_epoch(some: list[Head]) -> float:
        walls = []
        for blocks in (1, 2):
            work.schedule = replace(SCHEDULE, max_epochs=blocks * size.every, every=size.every)
            walls.append(turn(partial(work.ours, some)).wall)
        return (walls[1] - walls[0]) * scale / size.every

    whole, one = per_epoch(heads[: grid.POINTS]), per_epoch([replace(heads[-1], division=0)])
    total = size.epochs * (whole + one * (size.divisions - 1)) / 60
    how = "measured" if scale == 1 else f"from {rows} rows"
    counts = (f"{size.train}", f"{size.valid}", f"{size.classes}", f"{size.divisions}")
    return [size.name, *counts, f"{whole:.2f}", f"{one:.2f}", f"{size.epochs}", f"{total:.1f}", how]


def main() -> None:
    """Print the comparison and, if asked, the tasks of HEAR."""
    arguments = [argument for argument in sys.argv[1:] if argument.isdigit()]
    n = int(arguments[0]) if arguments else 3
    print(
        f"shallow heads of HEAR 2021, {SCHEDULE.max_epochs} epochs on {DEVICE}, "
        f"{torch.get_num_threads()} threads; ceiling {ceiling(device=DEVICE):.0f} GFLOP/s"
    )
    heads = ["size", "GFLOP", "floor s", "passes GB", "products s", "ours s", "plain s"]
    heads += ["ours / products", "processor time", "plain / ours"]
    print(tabulate([compare(size, n) for size in COMPARED], heads, disable_numparse=True))
    if "sizes" in sys.argv:
        heads = ["task", "train", "valid", "classes", "divisions", "grid s/epoch"]
        heads += ["one more s/epoch", "epochs", "total min", "s/epoch is"]
        print("\nevery head trained for the epochs given, judged by accuracy: extrapolated")
        print(tabulate([extrapolate(size) for size in TASKS], heads, disable_numparse=True))


if __name__ == "__main__":
    main()
