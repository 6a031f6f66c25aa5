"""The HEAR 2021 evaluation: shallow heads, a grid of them, trained all at once.

`hear2021` is what heareval 2021.1.3 does (https://github.com/hearbenchmark/hear-eval-kit,
task_predictions.py; Turian et al., https://arxiv.org/abs/2203.03022), peculiarities included:
8 of 16 grid points, searched on the first division only and kept for the others, batches
that are never shuffled. `hear2021-strict` tries all points, shuffles, and chooses for each
division on its own validation clips. What differs from heareval all the same stands in the
parameters of each, and so in every record.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.problem import Fold, Outcome, Problem, Protocol
from harness.protocols import grid
from harness.protocols.heads import Division, Head, Trained, train
from harness.protocols.judges import EventJudge, Verdict, judge_of

_FILES = 0  # seed of heareval's one shuffle, of the files of each split

_ALWAYS = (
    "initial weights and dropout come from another random generator",
    "what dropout drops is drawn once; each head, layer and step takes it from another place",
    "hidden biases, which batch norm cancels, stay as drawn (heareval's drift by rounding)",
    "a last batch of a single row joins the batch before it (heareval fails)",
    "the files of a split are shuffled once, from the order of their names",
    "post-processing is chosen for the least error rate (heareval: for the largest)",
    "a score undefined in one division is undefined over all (heareval leaves the division out)",
)
_STRICT = (
    "all 16 points in place of 8",
    "a new order of the rows in every epoch",
    "points chosen for each division on its own validation clips",
    "an undefined validation score counts as the worst in place of ending the training",
)


def solve(problem: Problem, *, strict: bool) -> Outcome:
    """Train the grid's heads, choose on validation, answer for the test clips.

    extra: "valid" (the chosen head's score on validation, in each division; that of an error
    rate or of a loss is negative), "epochs" (how long it trained to get there) and, for events,
    "postprocessing".

    Raises UserError if a division cannot be trained on or validated, or if the task
    prescribes what is no parameter of the grid.
    """
    search = _Search(problem, strict=strict)
    divisions = range(len(problem.folds))
    if strict:
        found = search.train([search.head(point, n) for n in divisions for point in search.points])
        size = len(search.points)
        return search.outcome([_best(found[size * n : size * (n + 1)]) for n in divisions])
    share = len(search.points) / (len(search.points) + len(divisions) - 1)  # of all heads
    first = _best(search.train([search.head(point, 0) for point in search.points], upto=share))
    others = [replace(first.head, division=n) for n in divisions[1:]]
    return search.outcome([first, *search.train(others, begun=share)])


class _Found(NamedTuple):
    """A head, and what training has made of it."""

    head: Head
    trained: Trained


def _best(found: Sequence[_Found]) -> _Found:
    """Return the head with the best validation score, the first of equals."""
    return max(found, key=lambda each: each.trained.value)


class _Search:
    """A problem made ready for heads: rows on the device, divisions, grid and judge."""

    def __init__(self, problem: Problem, *, strict: bool) -> None:
        # As for linear: elsewhere some of the operations are missing.
        device = torch.device(problem.device if problem.device.startswith("cuda") else "cpu")
        prescribed = problem.evaluation.get("task_specific_param_grid", {})
        self.points = grid.points(prescribed)[: None if strict else grid.POINTS]
        self._schedule = grid.schedule(prescribed, shuffle=strict, nan_ends=not strict)
        self._problem = problem
        self._features = torch.from_numpy(problem.embeddings).to(device)
        self._judge = judge_of(problem, device)
        self._divisions = [
            Division(train=self._judge.rows(order), valid=self._judge.rows(fold.valid))
            for fold, order in zip(problem.folds, _orders(problem.folds), strict=True)
        ]

    def head(self, point: grid.Point, division: int) -> Head:
        return Head(
            layers=point["hidden_layers"],
            learning_rate=point["lr"],
            init=point["initialization"],
            division=division,
        )

    def train(
        self, heads: Sequence[Head], *, begun: float = 0.0, upto: float = 1.0
    ) -> list[_Found]:
        """Train heads side by side; `begun` and `upto` are the shares of the work before, after."""

        def judge(number: int, logits: Tensor) -> Verdict:
            return self._judge(self._problem.folds[heads[number].division].valid, logits)

        def progress(done: float, total: float) -> None:
            self._problem.progress(100 * (begun + (upto - begun) * done / total), 100)

        trained = train(
            self._features,
            self._judge.targets,
            self._problem.classes,
            heads,
            self._divisions,
            self._schedule,
            judge,
            self._problem.seed,
            progress,
        )
        return [_Found(*pair) for pair in zip(heads, trained, strict=True)]

    def outcome(self, chosen: Sequence[_Found]) -> Outcome:
        """Return the answers of one head per division for its test clips."""
        judge, trained = self._judge, [each.trained for each in chosen]
        events = isinstance(judge, EventJudge)
        answers: list[Any] = []
        for fold, head in zip(self._problem.folds, trained, strict=True):
            rows = torch.from_numpy(judge.rows(fold.test)).to(self._features.device)
            logits = head.logits(self._features, rows)
            answers.append(judge.answer(fold.test, logits, head.note))
        extra: dict[str, Any] = {
            "valid": [head.value for head in trained],
            "epochs": [head.epoch + 1 for head in trained],
        }
        if events:
            extra["postprocessing"] = [head.note for head in trained]
        return Outcome(
            scores=() if events else tuple(answers),
            events=tuple(answers) if events else (),
            selection={
                "on": "valid",
                "grid": list(self.points),
                "chosen": [_point(each.head) for each in chosen],
            },
            extra=extra,
        )


def _point(head: Head) -> grid.Point:
    return {
        "hidden_layers": head.layers,
        "lr": head.learning_rate,
        "initialization": head.init,
    }


def _orders(folds: Sequence[Fold]) -> list[np.ndarray]:
    """Return the training clips of each division, in the order that batches are cut from.

    As in heareval, one generator shuffles the files of split after split; the splits of a
    division then follow each other, so most batches hold clips of one or two folds.
    """
    generator = random.Random(_FILES)
    if len(folds) == 1:
        return [_shuffled(folds[0].train, generator)]
    splits = [_shuffled(fold.test, generator) for fold in folds]
    orders = []
    for fold in folds:
        members = [split[np.isin(split, fold.train)] for split in splits]
        orders.append(np.concatenate(members))
    return orders


def _shuffled(clips: np.ndarray, generator: random.Random) -> np.ndarray:
    order = clips.tolist()
    generator.shuffle(order)
    return np.array(order, dtype=np.int64)


def _protocol(name: str, *, strict: bool) -> Protocol:
    return Protocol(
        name=name,
        version=1,
        params={
            "grid points": 16 if strict else grid.POINTS,
            "head": "1 or 2 hidden layers of 1024, batch norm, dropout 0.1",
            "solver": "Adam, batches of 1024, up to 500 epochs, patience 20 validations",
            "differs from heareval": [*_ALWAYS, *(_STRICT if strict else ())],
        },
        solve=partial(solve, strict=strict),
        timestamps=True,
    )


HEAR2021 = _protocol("hear2021", strict=False)
HEAR2021_STRICT = _protocol("hear2021-strict", strict=True)
