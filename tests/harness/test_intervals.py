"""Intervals against scipy and statsmodels, and how often they hold what they are to hold."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import binom, binomtest, norm
from statsmodels.stats.proportion import proportion_confint

from harness import intervals, metrics
from harness.event_scores import EVENT_METRICS

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.97, 0.98, 0.99)


@given(st.integers(1, 3000), st.floats(0, 1))
@settings(deadline=None, max_examples=80)
def test_a_share_has_wilsons_interval(n: int, share: float) -> None:
    hits = round(share * n)
    ours = intervals.interval("accuracy", [hits / n], [np.zeros(n)])
    scipys = binomtest(hits, n).proportion_ci(method="wilson")
    assert ours == pytest.approx(tuple(scipys), abs=1e-12)
    assert ours == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-12)


def test_folds_count_as_all_their_clips_if_they_are_equal_and_as_fewer_if_not() -> None:
    assert intervals.clips([np.zeros(80)] * 5) == pytest.approx(400)
    assert intervals.clips([np.zeros(20), np.zeros(380)]) == pytest.approx(4 / (1 / 20 + 1 / 380))


def covered(n: int, share: float) -> float:
    """The probability that the interval of n clips in one fold holds the share: no simulation."""
    hits = np.arange(n + 1)
    held = [low <= share <= high for low, high in (intervals.wilson(hit / n, n) for hit in hits)]
    return float(binom.pmf(hits, n, share) @ held)


@pytest.mark.parametrize("n", [100, 300, 1000])
def test_intervals_of_shares_cover_near_1_too(n: int) -> None:
    found = [covered(n, share) for share in SHARES]
    assert 0.94 < np.mean(found) < 0.96
    assert min(found) > 0.915
    assert max(found) < 0.975


@pytest.mark.parametrize("sizes", [(100, 100, 100), (40, 110, 150)])
def test_intervals_of_means_over_folds_cover(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    folds = [np.zeros(size) for size in sizes]
    found = []
    for share in SHARES:
        drawn = np.stack([rng.binomial(size, share, 400) / size for size in sizes], axis=1)
        ends = [intervals.interval("accuracy", list(each), folds) for each in drawn]
        found.append(np.mean([low <= share <= high for low, high in ends]))
    assert 0.93 < np.mean(found) < 0.97


@pytest.mark.parametrize(("metric", "pull"), [("auc_roc", 0.8), ("auc_roc", 2.5), ("mAP", 1.5)])
def test_intervals_of_ranked_clips_cover(metric: str, pull: float) -> None:
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(500):
        targets = rng.random((150, 3)) < (0.2, 0.3, 0.5)
        scores = rng.normal(size=targets.shape) + pull * targets
        value = metrics.compute(metric, targets, scores)
        influences = [metrics.influence(metric, targets, scores)]
        drawn.append((value, *intervals.interval(metric, [value], influences)))
    value, low, high = np.array(drawn).T
    assert 0.925 < np.mean((low <= value.mean()) & (value.mean() <= high)) < 0.975


@pytest.mark.parametrize("metric", [*metrics.METRICS, *EVENT_METRICS])
def test_an_interval_holds_its_score(metric: str) -> None:
    influences = [np.random.default_rng(n).normal(scale=0.001, size=200) for n in range(2)]
    low, high = intervals.interval(metric, [0.7, 0.8], influences)
    assert low < 0.75 < high
    assert intervals.variance(influences) == pytest.approx(sum((np.hstack(influences) / 2) ** 2))


@pytest.mark.parametrize("metric", ["d_prime", "segment_1s_er"])
def test_other_metrics_have_the_interval_of_the_normal_distribution(metric: str) -> None:
    influences = [np.random.default_rng(n).normal(size=200) for n in range(2)]
    error = np.sqrt(np.sum(np.hstack(influences) ** 2)) / 2
    expected = norm.interval(0.95, loc=1.5, scale=error)
    assert intervals.interval(metric, [1.0, 2.0], influences) == pytest.approx(expected)


def test_last_digits_of_influences_that_cancel_are_no_spread() -> None:
    targets = np.arange(6) % 3
    scores = np.eye(3)[(targets + 1) % 3]  # each class's positives tie with half of the others
    score, influence = (f("auc_roc", targets, scores) for f in (metrics.compute, metrics.influence))
    assert score == 0.25
    assert 0 < np.abs(influence).max() < 1e-16
    assert intervals.interval("auc_roc", [score], [influence]) == pytest.approx(
        proportion_confint(1.5, 6, method="wilson")
    )


@pytest.mark.parametrize("metric", ["accuracy", "auc_roc", "event_onset_50ms_fms"])
def test_faultless_scores_and_those_of_none_are_not_certain(metric: str) -> None:
    nothing = [np.zeros(100)]
    low, high = intervals.interval(metric, [1.0], nothing)
    assert 0.95 < low < 0.97
    assert high == 1.0
    assert intervals.interval(metric, [0.0], nothing) == pytest.approx((0.0, 1 - low))


@pytest.mark.parametrize("metric", ["d_prime", "auc_roc", "segment_1s_er"])
def test_without_a_score_there_is_no_interval(metric: str) -> None:
    for undefined in ([math.nan, 0.5], [math.inf, 0.5], [math.inf, -math.inf]):
        ends = intervals.interval(metric, undefined, [np.zeros(3)] * 2)
        assert all(map(math.isnan, ends))


def test_the_interval_of_a_difference_covers_where_few_clips_tell_two_results_apart() -> None:
    rng = np.random.default_rng(2)
    found = []
    for gained, lost in ((0.05, 0.05), (0.08, 0.02), (0.2, 0.1), (0.2, 0.0)):
        counts = rng.multinomial(200, [gained, lost, 1 - gained - lost], 1500)[:, :2] / 200
        ends = [intervals.of_difference(*pair, 200) for pair in counts]
        found.append(np.mean([low <= gained - lost <= high for low, high in ends]))
    assert 0.94 < np.mean(found) < 0.97
    assert min(found) > 0.93
    assert intervals.of_difference(0, 0, 100) == pytest.approx((-0.0272, 0.0272), abs=1e-4)
    assert intervals.of_difference(1, 0, 100)[1] == 1


@given(st.integers(0, 50), st.integers(0, 50), st.integers(100, 1000))
@settings(deadline=None, max_examples=40)
def test_a_difference_has_the_interval_of_a_mean_of_two_more_clips(
    gained: int, lost: int, n: int
) -> None:
    apart = np.repeat([1, -1, 0], [gained + 1, lost + 1, n - gained - lost])
    expected = norm.interval(0.95, loc=apart.mean(), scale=apart.std() / np.sqrt(n + 2))
    found = intervals.of_difference(gained / n, lost / n, n)
    assert found == pytest.approx(np.clip(expected, -1, 1))
