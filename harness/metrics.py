"""Scores of predictions, and how sure they are: numpy in, float out.

Definitions are those of the HEAR evaluation (heareval/score.py): accuracy of the first
largest score, or of its chroma (a class's index modulo 12, so that octaves are forgiven);
top-1 of several labels, of which the first is the true one (class 0 where there is none);
average precision, area under the ROC curve and d′ as plain means over classes. A class
without positives has average precision 0, as in scikit-learn; without positives or without
negatives its ROC area is undefined and the whole score is NaN. A class ranked without fault
has d′ = inf. Both are honest answers; whoever writes JSON must write them as null.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

RANKED = 2**22  # scores ranked at once, a few classes of all clips: 300 MB while it lasts
ROWS = 2**14  # clips whose largest score is looked for at once


@dataclass(frozen=True)
class _Ranking:
    """The clips of one fold ranked by score, class by class, best first.

    A resample of the clips only changes their weights, so the sort is done once and a
    thousand resamples cost a thousand cumulative sums. Tied scores form one step:
    `start` and `stop` bound the step that a positive lies in.
    """

    order: np.ndarray  # (C, N) clip at each rank
    clip: np.ndarray  # (P,) clip of each positive, class by class, best first
    start: np.ndarray  # (P,) flat index into (C, N + 1) cumulated weights
    stop: np.ndarray
    start_positive: np.ndarray  # (P,) index into (P + 1,) cumulated positive weights
    stop_positive: np.ndarray
    first_positive: np.ndarray  # (C + 1,) where each class begins among the positives

    @classmethod
    def of(cls, positive: np.ndarray, scores: np.ndarray) -> "_Ranking":
        """Rank (N, C) scores with their (N, C) bool labels."""
        n, classes = scores.shape
        order = np.argsort(-scores.T, axis=1, kind="stable")
        ranked = np.take_along_axis(scores.T, order, axis=1)
        opens = np.ones((classes, n), bool)
        opens[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
        rank = np.arange(n)
        start = np.maximum.accumulate(np.where(opens, rank, 0), axis=1)
        closes = np.ones((classes, n), bool)
        closes[:, :-1] = opens[:, 1:]
        stop = np.minimum.accumulate(np.where(closes, rank + 1, n)[:, ::-1], axis=1)[:, ::-1]
        hit = np.take_along_axis(positive.T, order, axis=1)
        row, column = np.nonzero(hit)
        before = np.concatenate([[0], np.cumsum(hit)])  # positives before each flat rank
        return cls(
            order=order,
            clip=order[hit],
            start=row * (n + 1) + start[row, column],
            stop=row * (n + 1) + stop[row, column],
            start_positive=before[row * n + start[row, column]],
            stop_positive=before[row * n + stop[row, column]],
            first_positive=np.concatenate([[0], np.cumsum(hit.sum(axis=1))]),
        )

    def _cumulate(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of all clips above each rank, (C, N + 1), and of positives, (P + 1,)."""
        above = np.zeros((self.order.shape[0], self.order.shape[1] + 1))
        np.cumsum(weights[self.order], axis=1, out=above[:, 1:])
        return above, np.concatenate([[0.0], np.cumsum(weights[self.clip])])

    def _by_class(self, values: np.ndarray) -> np.ndarray:
        """Sum values of the positives class by class: (P,) → (C,)."""
        return np.diff(np.concatenate([[0.0], np.cumsum(values)])[self.first_positive])

    def average_precision(self, weights: np.ndarray) -> np.ndarray:
        """Sum over thresholds of precision × step in recall: (N,) weights → (C,)."""
        above, positives = self._cumulate(weights)
        found = positives[self.stop_positive] - positives[self._class_start()]
        seen = above.ravel()[self.stop]
        gain = weights[self.clip] * found / np.maximum(seen, 1e-12)
        total = np.diff(positives[self.first_positive])
        return self._by_class(gain) / np.where(total > 0, total, 1.0)

    def auc(self, weights: np.ndarray) -> np.ndarray:
        """P(positive above negative) + ½ P(tie): (N,) weights → (C,), NaN if undefined."""
        above, positives = self._cumulate(weights)
        class_start = positives[self._class_start()]
        wrong_stop = above.ravel()[self.stop] - (positives[self.stop_positive] - class_start)
        wrong_start = above.ravel()[self.start] - (positives[self.start_positive] - class_start)
        total = np.diff(positives[self.first_positive])
        others = above[:, -1] - total
        beaten = self._by_class(weights[self.clip] * (wrong_stop + wrong_start) / 2)
        pairs = total * others
        return np.where(pairs > 0, 1.0 - beaten / np.where(pairs > 0, pairs, 1.0), np.nan)

    def _class_start(self) -> np.ndarray:
        return np.repeat(self.first_positive[:-1], np.diff(self.first_positive))


def _d_prime(auc: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):  # one class at AUC 1 and one at 0: inf - inf is NaN
        return float(np.mean(np.sqrt(2.0) * ndtri(auc)))


class _Ranked(NamedTuple):
    """A metric that looks at ranks: its value for each class, and for all of them."""

    by_class: Callable[[_Ranking, np.ndarray], np.ndarray]
    over_classes: Callable[[np.ndarray], float]


_RANKED = {
    "mAP": _Ranked(_Ranking.average_precision, lambda precision: float(np.mean(precision))),
    "d_prime": _Ranked(_Ranking.auc, _d_prime),
    "auc_roc": _Ranked(_Ranking.auc, lambda auc: float(np.mean(auc))),
}
METRICS = ("accuracy", *_RANKED)  # computed of every task
_FURTHER = ("chroma_accuracy", "top1_acc")  # computed where a task asks for them
_SHARES = ("accuracy", *_FURTHER)  # of clips predicted rightly
_LOWER_IS_BETTER = ("segment_1s_er",)


def higher_is_better(metric: str) -> bool:
    """Whether the larger of two scores is the better one; events' metrics included."""
    return metric not in _LOWER_IS_BETTER


def _rankings(targets: np.ndarray, scores: np.ndarray) -> Iterator[_Ranking]:
    """Rank (N, C) scores, some classes at a time."""
    n, classes = scores.shape
    together = max(1, RANKED // n)
    for first in range(0, classes, together):
        some = np.arange(classes)[first : first + together]
        positive = targets[:, some] if targets.ndim == 2 else targets[:, None] == some
        yield _Ranking.of(positive, scores[:, first : first + together])


def _ranked(
    metrics: Sequence[str], rankings: Iterable[_Ranking], weights: np.ndarray
) -> dict[str, float]:
    parts = [[_RANKED[name].by_class(part, weights) for name in metrics] for part in rankings]
    values = map(np.concatenate, zip(*parts, strict=True))
    return {
        name: _RANKED[name].over_classes(value) for name, value in zip(metrics, values, strict=True)
    }


def _hits(metric: str, targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
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
    found = _ranked(ranked, _rankings(targets, scores), np.ones(len(targets))) if ranked else {}
    for metric in set(metrics) & set(_SHARES):
        found[metric] = float(np.mean(_hits(metric, targets, scores)))
    return {metric: found[metric] for metric in metrics}


def bootstrap(
    metric: str,
    targets: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    *,
    seed: int,
    resamples: int = 1000,
) -> tuple[float, float]:
    """95 % percentile interval of the mean over folds, resampling test clips in each fold.

    (Efron and Tibshirani, An Introduction to the Bootstrap, ch. 13.) Resamples in which the
    metric is undefined, because a class was not drawn, are left out; (NaN, NaN) if all are.
    """
    rng = np.random.default_rng(seed)
    drawn = np.zeros(resamples)
    for fold_targets, fold_scores in zip(targets, scores, strict=True):
        in_fold = _resample(metric, fold_targets, fold_scores, rng, resamples)
        with np.errstate(invalid="ignore"):  # d′ of inf in one fold and -inf in another is NaN
            drawn += in_fold / len(targets)
    return interval(drawn)


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """Where the middle 95 % of the resampled scores lie, NaN left out; (NaN, NaN) if all are."""
    drawn = drawn[~np.isnan(drawn)]
    if len(drawn) == 0:
        return float("nan"), float("nan")
    # Order statistics, not interpolation: inf - inf between two neighbours would be NaN.
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)


def _resample(
    metric: str,
    targets: np.ndarray,
    scores: np.ndarray,
    rng: np.random.Generator,
    resamples: int,
) -> np.ndarray:
    n = len(targets)
    if metric in _SHARES:
        # Drawing n clips with replacement and counting the hits is a binomial draw.
        return rng.binomial(n, np.mean(_hits(metric, targets, scores)), size=resamples) / n
    rankings = list(_rankings(targets, scores))
    counts = (np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(resamples))
    weights = (count.astype(float) for count in counts)
    return np.array([_ranked([metric], rankings, drawn)[metric] for drawn in weights])


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
