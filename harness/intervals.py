"""How sure a score is: 95 % intervals of a mean over folds, from each clip's influence.

A rate has Wilson's interval (Probable inference, the law of succession, and statistical inference,
1927), with as many clips as would give an average of that variance: its effective sample size, as
in surveys (Dean and Pagano, Evaluating confidence interval methods for binomial proportions in
clustered surveys, 2015). It covers near 0 and 1, where percentiles of resampled scores do not,
and at 0 and 1, where all resamples are the same. docs/STATISTICS.md has the measured coverage.
"""

import math
from collections.abc import Sequence

import numpy as np

from harness import metrics

Z = 1.959963984540054  # the normal distribution has 95 % within ± Z
_LAST_DIGITS = 1e-14  # of sums of influences that cancel: no spread, and no ground to be sure


def interval(
    metric: str, per_fold: Sequence[float], influences: Sequence[np.ndarray]
) -> tuple[float, float]:
    """95 % interval of the mean over folds.

    per_fold: the score of each fold. influences: of its clips on it, (N,) each; see
    harness.metrics.influence. (NaN, NaN) where a score is undefined or infinite.
    """
    if not np.isfinite(per_fold).all():
        return math.nan, math.nan
    score = float(np.mean(per_fold))
    if metric in metrics.SHARES:
        return wilson(score, clips(influences))
    spread = variance(influences)
    if metrics.is_rate(metric):
        return wilson(score, score * (1 - score) / spread if spread else clips(influences))
    half = Z * math.sqrt(spread)
    return score - half, score + half


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share of `n` clips; n > 0, not always whole."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    # At 0 and 1 the ends are exact but for the last digit.
    return (0.0 if share == 0 else centre - half), (1.0 if share == 1 else centre + half)


def of_difference(gained: float, lost: float, n: float) -> tuple[float, float]:
    """95 % interval of a difference of two shares of the same `n` clips; n > 0.

    gained, lost: shares of clips that only the one, and only the other, gets right. Wald's
    interval, of one such clip more for either side (Bonett and Price, Adjusted Wald confidence
    interval for a difference of binomial proportions based on paired data, 2012).
    """
    more, less = ((n * share + 1) / (n + 2) for share in (gained, lost))
    half = Z * math.sqrt((more + less - (more - less) ** 2) / (n + 2))
    return max(-1.0, more - less - half), min(1.0, more - less + half)


def variance(influences: Sequence[np.ndarray]) -> float:
    """Of the mean over folds, whose clips are samples of their own; 0 if no clip moves it."""
    spread = float(sum(fold @ fold for fold in influences)) / len(influences) ** 2
    return 0.0 if spread < _LAST_DIGITS**2 else spread


def clips(influences: Sequence[np.ndarray]) -> float:
    """As how many clips in one fold the folds count: all of them, if folds are equal.

    A clip of a small fold weighs more; this is Kish's effective sample size (Survey Sampling,
    1965): F² / Σ 1/n.
    """
    return len(influences) ** 2 / sum(1 / len(fold) for fold in influences)
