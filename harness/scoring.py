"""An outcome against the truth: every metric in every fold, its interval and its floor.

Clips are scored by their classes (harness/metrics.py), or by their events
(harness/event_scores.py); what follows from the scores is the same for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness import event_scores, intervals, metrics
from harness.events import Events
from harness.problem import Fold, Outcome, Problem


@dataclass(frozen=True)
class Scores:
    """What is told of an outcome.

    per_fold: metric → a value per fold, the task's own metric first. ci95: 95 % interval of
    the mean over folds of that metric. floor: what it is for whoever hears nothing.
    """

    per_fold: dict[str, list[float]]
    ci95: tuple[float, float]
    floor: float


def score(problem: Problem, outcome: Outcome, further: Sequence[str]) -> Scores:
    """Score an outcome by the problem's metric and by `further` ones."""
    wanted = list(dict.fromkeys([problem.metric, *further]))
    if problem.moments is not None:
        return _of_events(problem, problem.moments.events, outcome, wanted)
    targets = [problem.targets[fold.test] for fold in problem.folds]
    wanted = list(dict.fromkeys([*wanted, *metrics.METRICS]))
    pairs = list(zip(targets, outcome.scores, strict=True))
    folds = [metrics.compute_all(wanted, *pair) for pair in pairs]
    per_fold = {metric: [fold[metric] for fold in folds] for metric in wanted}
    influences = [metrics.influence(problem.metric, *pair) for pair in pairs]
    return Scores(
        per_fold=per_fold,
        ci95=intervals.interval(problem.metric, per_fold[problem.metric], influences),
        floor=float(np.mean([_floor(problem, fold) for fold in problem.folds])),
    )


def _of_events(
    problem: Problem, happened: Events, outcome: Outcome, wanted: Sequence[str]
) -> Scores:
    folds = [
        (happened.take(fold.test), found, len(fold.test))
        for fold, found in zip(problem.folds, outcome.events, strict=True)
    ]
    per_fold = {
        metric: [event_scores.compute(metric, *fold) for fold in folds] for metric in wanted
    }
    influences = [event_scores.influence(problem.metric, *fold) for fold in folds]
    return Scores(
        per_fold=per_fold,
        ci95=intervals.interval(problem.metric, per_fold[problem.metric], influences),
        # Nothing found: no F at all, or every event of the reference missed.
        floor=0.0 if metrics.higher_is_better(problem.metric) else 1.0,
    )


def _floor(problem: Problem, fold: Fold) -> float:
    learnt = problem.targets[np.concatenate([fold.train, fold.valid])]
    return metrics.floor(problem.metric, learnt, problem.targets[fold.test], problem.classes)
