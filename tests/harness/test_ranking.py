"""Influences against numerical derivatives and against DeLong's variance, ties included."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import average_precision_score, roc_auc_score

from harness.ranking import Ranking


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One class with at least two positives and two negatives, scores tied: (N, 1) each."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 30))
    positive = rng.permutation(np.arange(n) < rng.integers(2, n - 1))
    return positive[:, None], np.round(rng.random((n, 1)) * 6) / 6


def derivative(score: object, positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """By each clip's weight, from both sides of 1."""
    n, step = len(positive), 1e-6
    sides = [
        [score(positive[:, 0], scores[:, 0], sample_weight=1 + side * row) for row in np.eye(n)]
        for side in (step, -step)
    ]
    return (np.array(sides[0]) - np.array(sides[1])) / (2 * step)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=15)
def test_an_influence_is_a_derivative_with_one_clip_fewer_of_its_kind(seed: int) -> None:
    positive, scores = case(seed)
    alike = np.where(positive[:, 0], positive.sum(), (~positive).sum())
    fewer = np.sqrt(alike / (alike - 1))
    ranking = Ranking.of(positive, scores)
    for score, ours in (
        (average_precision_score, ranking.average_precision_influence()),
        (roc_auc_score, ranking.auc_influence()),
    ):
        expected = derivative(score, positive, scores) * fewer
        np.testing.assert_allclose(ours[0], expected, atol=1e-7)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=40)
def test_the_squares_add_up_to_delongs_variance(seed: int) -> None:
    positive, scores = case(seed)
    yes, no = scores[positive][:, None], scores[~positive][None]
    beats = (yes > no) + 0.5 * (yes == no)  # the kernel of the Mann-Whitney statistic
    expected = sum(np.var(beats.mean(axis=axis), ddof=1) / beats.shape[1 - axis] for axis in (0, 1))
    influence = Ranking.of(positive, scores).auc_influence()
    assert np.sum(influence**2) == pytest.approx(expected, abs=1e-12)


def test_a_class_without_positives_has_precision_0_which_no_clip_moves() -> None:
    ranking = Ranking.of(np.zeros((4, 1), bool), np.random.default_rng(0).random((4, 1)))
    assert ranking.average_precision() == 0
    assert (ranking.average_precision_influence() == 0).all()
    assert np.isnan(ranking.auc()).all()
    assert np.isnan(ranking.auc_influence()).all()
