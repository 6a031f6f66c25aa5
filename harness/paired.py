"""Two results on the same clips: how far apart they are, and whether that may be chance.

A clip that is hard for one encoder is hard for the other, so the difference is surer than either
score: intervals of two scores overlap long before their difference is in doubt. Only sampling of
test clips is tested; another seed, or other training clips, may move scores too.

Shares of clips: McNemar's mid-p test on the clips that one of the two gets right and the other
does not, and the Wald interval with Bonett and Price's adjustment; both as Fagerland, Lydersen and
Laake advise (The McNemar test for binary matched-pairs data, 2013; Recommended tests and confidence
intervals for paired binomial proportions, 2014). Other metrics: the t-test of the differences of
clips' influences, as DeLong's test of ROC areas (harness/ranking.py). Nothing is swapped between
the two, since scores of different models have different scales. docs/STATISTICS.md has what
simulations say of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import binom, t

from harness import intervals, metrics
from harness.errors import UserError
from harness.judged import Kept, Record, scored
from harness.predictions import Detections, Predictions


@dataclass(frozen=True)
class Paired:
    """One result less another.

    Attributes:
        difference: of the scores, in their unit: above 0 where the first is the larger, which is
            the better of the two unless lower is better. NaN where a score is undefined.
        low: of its 95 % interval. high: likewise.
        p: two-sided: how often clips would set two equal results as far apart. NaN where it is
            undefined.
        clips: test clips of all folds.
        test: what `p` is from.
    """

    difference: float
    low: float
    high: float
    p: float
    clips: int
    test: str


LEVEL = 0.05  # of significance, of a p that is adjusted for all that are tested


class Unpaired(UserError):
    """The two results are not of the same clips with the same labels by the same metric."""


def compare(record: Record, kept: Kept, other_record: Record, other_kept: Kept) -> Paired:
    """Compare two results on the same clips, in whatever order these are kept.

    The score is the mean over folds of the task's metric.

    Raises:
        Unpaired: clips, folds, labels, classes or the metric differ.
    """
    metric = record["task"]["metric"]
    own, other = _in_order(kept), _in_order(other_kept)
    _require_pair(_named(record), metric, own, other_record["task"]["metric"], other)
    if isinstance(own, Predictions) and isinstance(other, Predictions) and metric in metrics.SHARES:
        return _of_shares(_hits(metric, own), _hits(metric, other))
    return _of_scores(metric, scored(metric, own), scored(metric, other))


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust for how many are tested; NaN stays, and does not count.

    (Holm, A simple sequentially rejective multiple test procedure, 1979.) The probability of one
    or more false positives stays below the level that the adjusted are compared with.
    """
    adjusted = [math.nan] * len(ps)
    least, order = 0.0, sorted((p, n) for n, p in enumerate(ps) if not math.isnan(p))
    for place, (p, n) in enumerate(order):
        least = max(least, min(1.0, p * (len(order) - place)))
        adjusted[n] = least
    return adjusted


def mcnemar(gained: int, lost: int) -> float:
    """McNemar's mid-p: two-sided, of clips that only the one, and only the other, gets right."""
    if gained == lost:
        return 1.0
    fewer, both = min(gained, lost), gained + lost
    return float(2 * binom.cdf(fewer, both, 0.5) - binom.pmf(fewer, both, 0.5))


def _of_shares(own: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> Paired:
    """Compare what is right and what is not, (N,) bool for each fold."""
    gained = [a & ~b for a, b in zip(own, other, strict=True)]
    lost = [b & ~a for a, b in zip(own, other, strict=True)]
    shares = _mean(gained), _mean(lost)
    low, high = intervals.of_difference(*shares, intervals.clips(gained))
    return Paired(
        difference=_rounded(shares[0] - shares[1]),
        low=low,
        high=high,
        p=mcnemar(*(int(sum(fold.sum() for fold in side)) for side in (gained, lost))),
        clips=sum(map(len, own)),
        test="McNemar, mid-p",
    )


def _of_scores(
    metric: str,
    own: Sequence[tuple[float, np.ndarray]],
    other: Sequence[tuple[float, np.ndarray]],
) -> Paired:
    """Compare scores and influences, () and (N,) for each fold."""
    pairs = list(zip(own, other, strict=True))
    test, clips = "t-test of influences", sum(len(influence) for _, influence in own)
    with np.errstate(invalid="ignore"):  # d′ of both may be infinite
        difference = float(np.mean([a - b for (a, _), (b, _) in pairs]))
    error = math.sqrt(intervals.variance([a - b for (_, a), (_, b) in pairs]))
    if not (math.isfinite(difference) and math.isfinite(error)):
        return Paired(math.nan, math.nan, math.nan, math.nan, clips, test)
    difference = _rounded(difference)
    if error == 0:  # either the two are the same, or nothing is known of what chance does
        same = (0.0, 0.0, 1.0) if difference == 0 else (math.nan, math.nan, math.nan)
        return Paired(difference, *same, clips, test)
    most = 1.0 if metrics.is_rate(metric) else math.inf
    of_chance = t(clips - len(pairs))  # as many degrees of freedom as clips that may vary
    half = float(of_chance.ppf(0.975)) * error
    return Paired(
        difference=difference,
        low=max(-most, difference - half),
        high=min(most, difference + half),
        p=float(2 * of_chance.sf(abs(difference) / error)),
        clips=clips,
        test=test,
    )


def _mean(folds: Sequence[np.ndarray]) -> float:
    return float(np.mean([fold.mean() for fold in folds]))


def _rounded(difference: float) -> float:
    """Without the last digit that folds leave whose differences cancel: that is no lead."""
    return round(difference, 12) + 0.0  # no −0.0


def _in_order(kept: Kept) -> Kept:
    """The same by fold and clip."""
    order = np.lexsort((kept.ids, kept.folds))
    clips: dict[str, Any] = {"ids": kept.ids[order], "folds": kept.folds[order]}
    if isinstance(kept, Predictions):
        return replace(kept, **clips, targets=kept.targets[order], scores=kept.scores[order])
    place = np.argsort(order)
    for side in ("happened", "found"):
        rows = getattr(kept, side).copy()
        rows[:, 0] = place[rows[:, 0].astype(np.int64)]
        clips[side] = rows[np.lexsort(rows.T[::-1])]
    return replace(kept, **clips)


def _require_pair(named: str, metric: str, own: Kept, other_metric: str, other: Kept) -> None:
    """Raise Unpaired, saying what differs first."""
    if other_metric != metric:
        raise Unpaired(
            f"{named}: expected two results by the same metric, found {metric} and "
            f"{other_metric}; compare records of one version of the task"
        )
    places, others = (set(zip(kept.folds, kept.ids, strict=True)) for kept in (own, other))
    if not (np.array_equal(own.folds, other.folds) and np.array_equal(own.ids, other.ids)):
        raise Unpaired(
            f"{named}: expected two results on the same clips of the same folds, found "
            f"{len(own.ids)} and {len(other.ids)}, of which {len(places & others)} are the same; "
            "run both on the same data"
        )
    if not np.array_equal(own.classes, other.classes):
        raise Unpaired(
            f"{named}: expected two results with the same classes, found {len(own.classes)} and "
            f"{len(other.classes)}, not the same or in another order; run both on the same data"
        )
    wrong = _otherwise_labelled(own, other)
    if wrong:
        raise Unpaired(
            f"{named}: expected two results with the same labels, found other ones for {wrong} of "
            f"{len(own.ids)} clips; run both on the same data"
        )


def _otherwise_labelled(own: Kept, other: Kept) -> int:
    """How many clips of the same order have other labels."""
    if isinstance(own, Predictions) and isinstance(other, Predictions):
        if own.targets.shape != other.targets.shape:
            return len(own.ids)
        differ = own.targets != other.targets
        return int((differ.any(axis=1) if differ.ndim == 2 else differ).sum())
    if isinstance(own, Detections) and isinstance(other, Detections):
        rows, others = (set(map(tuple, kept.happened.tolist())) for kept in (own, other))
        return len({row[0] for row in rows ^ others})
    return len(own.ids)


def _named(record: Record) -> str:
    return f"{record['task']['name']} {record['protocol']['name']}"


def _hits(metric: str, kept: Predictions) -> list[np.ndarray]:
    """Whether each clip is right: (N,) bool for each fold."""
    right = metrics.hits(metric, kept.targets, kept.scores)
    return [right[kept.folds == fold] for fold in np.unique(kept.folds)]
