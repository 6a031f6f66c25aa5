"""Who judges a head of the HEAR 2021 evaluation: by the classes of clips, or by events.

To whoever trains heads both kinds of task look the same: rows of embeddings with targets,
and a judge of what a head makes of the validation rows. They differ in what a row is, a clip
or a moment, and in how logits become an answer.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.model_selection import ParameterGrid
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from harness import event_scores, metrics
from harness.errors import UserError
from harness.events import Events, active, detect
from harness.problem import Moments, Problem

POSTPROCESSING: Mapping[str, Sequence[float]] = {
    "median_filter_ms": [250],
    "min_duration": [125, 250],
}


class Verdict(NamedTuple):
    """A value, larger is better, and the post-processing (ms) that it was reached with."""

    value: float
    postprocessing: Mapping[str, float] | None = None


class ClipJudge:
    """Judges a head by the task's metric on clips; a row is a clip."""

    def __init__(self, problem: Problem, device: torch.device) -> None:
        self._problem = problem
        self._by_score = _by_score(problem)
        targets = problem.targets
        self.targets = torch.from_numpy(
            targets.astype(np.uint8) if targets.ndim == 2 else targets
        ).to(device)

    def rows(self, clips: np.ndarray) -> np.ndarray:
        """Return the rows of some clips: the clips."""
        return clips

    def __call__(self, clips: np.ndarray, logits: Tensor) -> Verdict:
        """Judge the logits (n, C) of some clips."""
        if not self._by_score:
            return Verdict(-_loss(logits, self.targets[clips]))
        metric = self._problem.metric
        value = metrics.compute(metric, self._problem.targets[clips], self.answer(clips, logits))
        return Verdict(_upward(metric, value))

    def answer(
        self, clips: np.ndarray, logits: Tensor, postprocessing: Mapping[str, float] | None = None
    ) -> np.ndarray:
        """Return the probabilities (n, C) float32 that a head gives the classes."""
        several = self._problem.targets.ndim == 2
        chances = torch.sigmoid(logits) if several else torch.softmax(logits, dim=1)
        return chances.cpu().numpy()


class EventJudge:
    """Judges a head by the events that its answers, moment by moment, amount to.

    How these are cut out of the probabilities is chosen on validation anew each time, as in
    heareval: of equals the longer `min_duration` wins, and an undefined score counts as 0. The
    score itself is then rounded to float32 as there, so that equal shares of other counts, whose
    last bits differ, are no improvement.

    Raises UserError where the loss is to judge, which cannot choose, but there is a choice; and
    for post-processing that is not `detect`'s.
    """

    def __init__(self, problem: Problem, moments: Moments, device: torch.device) -> None:
        self._problem = problem
        self._moments = moments
        self._by_score = _by_score(problem)
        self._choices = _choices(
            problem.evaluation.get("event_postprocessing_grid", POSTPROCESSING)
        )
        if not self._by_score and len(self._choices) > 1:
            raise UserError(
                "event_postprocessing_grid: expected one way of post-processing where the loss "
                f"stops the training, found {len(self._choices)}; give one value of each"
            )
        targets = active(moments.events, moments.offsets, moments.times, problem.classes)
        self.targets = torch.from_numpy(targets.view(np.uint8)).to(device)

    def rows(self, clips: np.ndarray) -> np.ndarray:
        """Return the rows of some clips: their moments."""
        return self._moments.rows(clips)

    def __call__(self, clips: np.ndarray, logits: Tensor) -> Verdict:
        """Judge the logits (rows of the clips, C)."""
        if not self._by_score:
            return Verdict(-_loss(logits, self.targets[self.rows(clips)]), self._choices[0])
        metric, reference = self._problem.metric, self._moments.events.take(clips)
        find = self._finder(clips, logits)
        found = []
        for choice in self._choices:
            value = event_scores.compute(metric, reference, find(**choice), len(clips))
            found.append(Verdict(_upward(metric, value), choice))
        best = max(found, key=_rank)
        return best._replace(value=float(np.float32(best.value)))

    def answer(
        self, clips: np.ndarray, logits: Tensor, postprocessing: Mapping[str, float] | None
    ) -> Events:
        """Return the events that a head finds in some clips."""
        return self._finder(clips, logits)(**(postprocessing or self._choices[0]))

    def _finder(self, clips: np.ndarray, logits: Tensor) -> Callable[..., Events]:
        """Return what finds the events, given a way of post-processing."""
        lengths = np.diff(self._moments.offsets)[clips]
        return partial(
            detect,
            torch.sigmoid(logits).cpu().numpy(),
            np.concatenate([[0], np.cumsum(lengths)]),
            self._moments.times[self.rows(clips)],
        )


def judge_of(problem: Problem, device: torch.device) -> ClipJudge | EventJudge:
    """Return the judge that the problem calls for."""
    if problem.moments is None:
        return ClipJudge(problem, device)
    return EventJudge(problem, problem.moments, device)


def _choices(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, float]]:
    """Return all ways of post-processing that a grid holds."""
    lengths = [length for values in grid.values() for length in values]
    numbers = all(isinstance(n, int | float) and 0 <= n < math.inf for n in lengths)
    if grid.keys() != POSTPROCESSING.keys() or not numbers:
        raise UserError(
            f"event_postprocessing_grid: expected {' and '.join(POSTPROCESSING)}, in ms from 0, "
            f"found {json.dumps(dict(grid))}; mend the task's metadata"
        )
    return [dict(choice) for choice in ParameterGrid(dict(grid))]


def _by_score(problem: Problem) -> bool:
    """Whether the metric judges, as it does unless the task's evaluation wants the loss."""
    return bool(problem.evaluation.get("use_scoring_for_early_stopping", True))


def _upward(metric: str, value: float) -> float:
    return value if metrics.higher_is_better(metric) else -value


def _rank(verdict: Verdict) -> tuple[float, list[tuple[str, float]]]:
    value = 0.0 if np.isnan(verdict.value) else verdict.value
    return value, sorted((verdict.postprocessing or {}).items())


def _loss(logits: Tensor, targets: Tensor) -> float:
    """Return what training minimises, over all rows: nats."""
    if targets.ndim == 2:
        return float(binary_cross_entropy_with_logits(logits, targets.float()))
    return float(cross_entropy(logits, targets))
