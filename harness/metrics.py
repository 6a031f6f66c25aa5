"""Scores of predictions, and each clip's influence on them: numpy in, float out.

Definitions are those of the HEAR evaluation (heareval/score.py): accuracy of the first
largest score, or of its chroma (a class's index modulo 12, so that octaves are forgiven);
top-1 of several labels, of which the first is the true one (class 0 where there is none);
average precision, area under the ROC curve and d′ as plain means over classes. A class
without positives has average precision 0, as in scikit-learn; without positives or without
negatives its ROC area is undefined and the whole score is NaN. A class ranked without fault
has d′ = inf. Both are honest answers; whoever writes JSON must write them as null.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from harness.ranking import Ranking

RANKED = 2**22  # scores ranked at once, a few classes of all clips: 300 MB while it lasts
ROWS = 2**14  # clips whose largest score is looked for at once


def _mean(by_class: np.ndarray) -> float:
    return float(np.mean(by_class))


def _d_prime(auc: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):  # one class at AUC 1 and one at 0: inf - inf is NaN
        return float(np.mean(np.sqrt(2.0) * ndtri(auc)))


def _mean_slope(by_class: np.ndarray) -> np.ndarray:
    return np.full(len(by_class), 1 / len(by_class))


def _d_prime_slope(auc: np.ndarray) -> np.ndarray:
    """By the rule of inverse functions: 1 / density; without end at AUC 0 and 1."""
    with np.errstate(divide="ignore"):
        return np.sqrt(2.0) * np.sqrt(2 * np.pi) * np.exp(ndtri(auc) ** 2 / 2) / len(auc)


class _Ranked(NamedTuple):
    """A metric that looks at ranks.

    by_class: its value for each class, (C,). influence: of each clip on those, (C, N).
    over_classes: the metric, of the values for all classes. slope: its derivative by each.
    """

    by_class: Callable[[Ranking], np.ndarray]
    influence: Callable[[Ranking], np.ndarray]
    over_classes: Callable[[np.ndarray], float]
    slope: Callable[[np.ndarray], np.ndarray]


_PRECISION = (Ranking.average_precision, Ranking.average_precision_influence)
_AREA = (Ranking.auc, Ranking.auc_influence)
_RANKED = {
    "mAP": _Ranked(*_PRECISION, _mean, _mean_slope),
    "d_prime": _Ranked(*_AREA, _d_prime, _d_prime_slope),
    "auc_roc": _Ranked(*_AREA, _mean, _mean_slope),
}
METRICS = ("accuracy", *_RANKED)  # computed of every task
_FURTHER = ("chroma_accuracy", "top1_acc")  # computed where a task asks for them
SHARES = ("accuracy", *_FURTHER)  # of clips predicted rightly
_LOWER_IS_BETTER = ("segment_1s_er",)
_NO_RATES = ("d_prime", "segment_1s_er")


def higher_is_better(metric: str) -> bool:
    """Whether the larger of two scores is the better one; events' metrics included."""
    return metric not in _LOWER_IS_BETTER


def is_rate(metric: str) -> bool:
    """Whether it is from 0 to 1, so that percent means something; events' metrics included."""
    return metric not in _NO_RATES


def _rankings(targets: np.ndarray, scores: np.ndarray) -> Iterator[Ranking]:
    """Rank (N, C) scores, some classes at a time."""
    n, classes = scores.shape
    together = max(1, RANKED // n)
    for first in range(0, classes, together):
        some = np.arange(classes)[first : first + together]
        positive = targets[:, some] if targets.ndim == 2 else targets[:, None] == some
        yield Ranking.of(positive, scores[:, first : first + together])


def _ranked(metrics: Sequence[str], rankings: Iterable[Ranking]) -> dict[str, float]:
    wanted = {_RANKED[name].by_class for name in metrics}
    parts = [{by_class: by_class(part) for by_class in wanted} for part in rankings]
    values = {by_class: np.concatenate([part[by_class] for part in parts]) for by_class in wanted}
    return {name: _RANKED[name].over_classes(values[_RANKED[name].by_class]) for name in metrics}


def hits(metric: str, targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Whether the class of the first largest score is right, as `metric` has it: (N,) bool."""
    parts = (scores[start : start + ROWS] for start in range(0, len(scores), ROWS))
    predicted = np.concatenate([np.argmax(part, axis=1) for part in parts])
    if metric == "accuracy" and targets.ndim == 2:
        return targets[np.arange(len(targets)), predicted]
    true = targets.argmax(axis=1) if targets.ndim == 2 else targets
    if metric == "chroma_accuracy":
        return predicted % 12 == true % 12
    return predicted == true


def compute(metric: str, targets: np.ndarray, scores: np.ndarray) -> float:
    """Score one fold.

    targets: (N,) int64, or (N, C) bool. scores: (N, C), larger is likelier. May be NaN
    (undefined) or inf (d′ of a faultless ranking). Raises ValueError for an unknown metric
    and for no clips.
    """
    return compute_all([metric], targets, scores)[metric]


def compute_all(
    metrics: Sequence[str], targets: np.ndarray, scores: np.ndarray
) -> dict[str, float]:
    """Score one fold by several metrics, ranking its clips once; otherwise as `compute`."""
    known = METRICS + _FURTHER
    for metric in metrics:
        if metric not in known:
            raise ValueError(f"expected a metric of {', '.join(known)}, found {metric!r}")
    if len(targets) == 0:
        raise ValueError(f"expected clips to score by {', '.join(metrics)}, found none")
    ranked = [metric for metric in metrics if metric in _RANKED]
    found = _ranked(ranked, _rankings(targets, scores)) if ranked else {}
    for metric in set(metrics) & set(SHARES):
        found[metric] = float(np.mean(hits(metric, targets, scores)))
    return {metric: found[metric] for metric in metrics}


def average_precisions(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average precision of each class, as `compute` averages it: (C,), 0 without positives."""
    return np.concatenate([part.average_precision() for part in _rankings(targets, scores)])


def influence(metric: str, targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Each clip's influence on the score of one fold: (N,), not finite where the score is not.

    The squares add up to the variance of the score over samples of clips (harness/ranking.py).
    """
    if metric in SHARES:
        right = hits(metric, targets, scores)
        return (right - right.mean()) / np.sqrt(len(right) * max(len(right) - 1, 1))
    ranked = _RANKED[metric]
    by_class = [ranked.by_class(part) for part in _rankings(targets, scores)]
    slopes = np.split(
        ranked.slope(np.concatenate(by_class)), np.cumsum([len(part) for part in by_class])[:-1]
    )
    total = np.zeros(len(targets))
    with np.errstate(invalid="ignore"):  # a class without fault: no end of slope × no influence
        for slope, part in zip(slopes, _rankings(targets, scores), strict=True):
            total += slope @ ranked.influence(part)
    return total


def floor(metric: str, targets_train: np.ndarray, targets_test: np.ndarray, classes: int) -> float:
    """Score of whoever hears nothing: every clip gets the class frequencies of train.

    For accuracy that is the share of the majority class; for d′ it is 0, for the ROC area ½.
    """
    if targets_train.ndim == 2:
        frequency = targets_train.mean(axis=0)
    else:
        frequency = np.bincount(targets_train, minlength=classes) / len(targets_train)
    scores = np.broadcast_to(frequency, (len(targets_test), classes))
    return compute(metric, targets_test, scores)
