"""Differences between two encoders, against the records themselves and a bootstrap done by hand."""

from pathlib import Path

import numpy as np
import pytest

from dasheng.train.measured import Measured, difference, measured

RESULTS = Path(__file__).parents[3] / "results"
FOLDS = 4


def made(*hits: bool | int) -> Measured:
    """Clips in folds of their own kind."""
    return Measured({}, {(f"fold{n % FOLDS}", f"clip{n}"): bool(hit) for n, hit in enumerate(hits)})


def test_the_mean_is_the_difference_of_the_records() -> None:
    found = measured(RESULTS / "melspec")
    assert "demo knn" not in found
    for task in ("esc10", "fsdd"):
        knn, linear = found[f"{task} knn"], found[f"{task} linear"]
        gap = difference(linear, knn)
        assert gap is not None
        assert gap.mean == pytest.approx(linear.record["score"] - knn.record["score"])
        assert gap.low < gap.mean < gap.high


def test_the_interval_is_that_of_resampled_clips() -> None:
    rng = np.random.default_rng(1)
    own, other = rng.random(200) < 0.8, rng.random(200) < 0.6
    gap = difference(made(*own), made(*other))
    assert gap is not None
    gains = own.astype(int) - other.astype(int)
    drawn = np.zeros(4000)
    for fold in range(FOLDS):
        of_fold = gains[fold::FOLDS]
        picked = rng.integers(len(of_fold), size=(len(drawn), len(of_fold)))
        drawn += of_fold[picked].mean(axis=1) / FOLDS
    assert (gap.low, gap.high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)


def test_pairing_tells_apart_what_single_intervals_do_not() -> None:
    other = [n % 2 for n in range(400)]
    own = [hit or n % 40 == 0 for n, hit in enumerate(other)]  # right wherever the other is
    gap = difference(made(*own), made(*other))
    assert gap is not None
    assert 0 < gap.low < 0.025 < gap.high


def test_equal_encoders_differ_by_nothing_at_all() -> None:
    first, second = made(1, 0, 0, 1, 1, 1, 0), made(0, 1, 0, 1, 1, 0, 1)
    assert difference(first, first) == (0, 0, 0)
    gap = difference(first, second)
    assert gap is not None
    assert gap.mean == 0 or abs(gap.mean) > 1e-3  # no rounding that passes for a lead


def test_other_clips_or_other_metrics_have_no_difference() -> None:
    assert difference(made(1, 0, 1), made(1, 0)) is None
    assert difference(Measured({}, None), made(1)) is None
