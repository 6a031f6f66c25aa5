"""Metrics against scikit-learn's, ties and missing classes included; intervals; the floor."""

import time
import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings
from scipy.stats import norm
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score

from harness import metrics
from harness.event_scores import EVENT_METRICS


def case(seed: int, *, ties: bool, several: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(2, 40)), int(rng.integers(2, 6))
    scores = rng.random((n, classes)).astype(np.float32)
    if ties:
        scores = np.round(scores * 3) / 3
    if several:
        return rng.random((n, classes)) < 0.3, scores
    return rng.integers(0, classes, n), scores


def one_hot(targets: np.ndarray, classes: int) -> np.ndarray:
    return targets if targets.ndim == 2 else np.eye(classes, dtype=bool)[targets]


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@example(seed=344, ties=True, several=False)
@settings(deadline=None, max_examples=150)
def test_equals_scikit_learn(seed: int, ties: bool, several: bool) -> None:
    targets, scores = case(seed, ties=ties, several=several)
    truth = one_hot(targets, scores.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        precision = average_precision_score(truth, scores, average="macro")
    assert metrics.compute("mAP", targets, scores) == pytest.approx(precision, abs=1e-9)
    assert metrics.average_precisions(targets, scores).mean() == pytest.approx(precision, abs=1e-9)
    positives = truth.sum(axis=0)
    if ((positives > 0) & (positives < len(truth))).all():
        area = roc_auc_score(truth, scores, average="macro")
        # A faultless ranking's area is 1, of which scikit-learn's trapezia may miss the last bit.
        areas = np.round(roc_auc_score(truth, scores, average=None), 14)
        with np.errstate(invalid="ignore"):
            d_prime = np.mean(np.sqrt(2) * norm.ppf(areas))
        assert metrics.compute("auc_roc", targets, scores) == pytest.approx(area, abs=1e-9)
        ours = metrics.compute("d_prime", targets, scores)
        np.testing.assert_allclose(ours, d_prime, rtol=1e-6, atol=1e-9)
    else:
        assert np.isnan(metrics.compute("auc_roc", targets, scores))
        assert np.isnan(metrics.compute("d_prime", targets, scores))
    if not several:
        predicted = scores.argmax(axis=1)
        assert metrics.compute("accuracy", targets, scores) == accuracy_score(targets, predicted)


@given(st.integers(0, 10**6), st.integers(1, 90), st.booleans())
@settings(deadline=None, max_examples=40)
def test_ranking_a_few_classes_at_a_time_changes_nothing(
    seed: int, together: int, several: bool
) -> None:
    targets, scores = case(seed, ties=True, several=several)
    whole = metrics.compute_all(metrics.METRICS, targets, scores)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "RANKED", together)
        patch.setattr(metrics, "ROWS", together)
        parts = metrics.compute_all(metrics.METRICS, targets, scores)
    assert list(parts) == list(metrics.METRICS)
    np.testing.assert_allclose(list(parts.values()), list(whole.values()), rtol=1e-12, atol=1e-15)


def test_accuracy_takes_the_first_largest_and_any_true_label() -> None:
    tied = np.array([[0.5, 0.5, 0.1]])
    assert metrics.compute("accuracy", np.array([0]), tied) == 1
    assert metrics.compute("accuracy", np.array([1]), tied) == 0
    assert metrics.compute("accuracy", np.array([[True, False, True]]), tied) == 1


def test_chroma_forgives_octaves() -> None:
    scores = np.eye(30)[[12, 13, 25, 2]]
    assert metrics.compute("chroma_accuracy", np.array([0, 13, 1, 3]), scores) == 0.75
    labels = np.eye(30, dtype=bool)[[0, 13, 1, 3]]
    assert metrics.compute("chroma_accuracy", labels, scores) == 0.75


def test_the_top_1_of_several_labels_is_the_first_of_them() -> None:
    scores = np.array([[0.1, 0.9, 0.2], [0.1, 0.2, 0.9], [0.9, 0.1, 0.2]])
    labels = np.array([[False, True, True], [False, True, True], [False, False, False]])
    assert metrics.compute("top1_acc", labels, scores) == pytest.approx(2 / 3)
    assert metrics.compute("accuracy", labels, scores) == pytest.approx(2 / 3)
    assert metrics.compute("top1_acc", labels[:2], scores[:2]) == 0.5
    assert metrics.compute("accuracy", labels[:2], scores[:2]) == 1


def test_only_an_error_rate_is_better_lower() -> None:
    names = (*metrics.METRICS, "chroma_accuracy", "top1_acc", *EVENT_METRICS)
    assert [name for name in names if not metrics.higher_is_better(name)] == ["segment_1s_er"]


def test_a_faultless_ranking_has_infinite_d_prime() -> None:
    targets, scores = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert metrics.compute("d_prime", targets, scores) == np.inf
    assert metrics.compute("d_prime", targets, -scores) == -np.inf
    low, high = metrics.bootstrap("d_prime", [targets], [scores], seed=0, resamples=50)
    assert (low, high) == (np.inf, np.inf)
    opposed = metrics.bootstrap("d_prime", [targets] * 2, [scores, -scores], seed=0, resamples=50)
    assert np.isnan(opposed).all()


def test_one_class_without_fault_and_one_all_wrong_has_no_d_prime() -> None:
    scores = np.array([[0.9, 0.9], [0.2, 0.8]])
    assert np.isnan(metrics.compute("d_prime", np.array([0, 1]), scores))


@pytest.mark.parametrize("targets", [np.zeros(0, np.int64), np.zeros((0, 3), bool)])
def test_no_clips_or_an_unknown_metric_is_refused(targets: np.ndarray) -> None:
    with pytest.raises(ValueError, match="found none"):
        metrics.compute("mAP", targets, np.zeros((0, 3)))
    with pytest.raises(ValueError, match="found 'f1'"):
        metrics.compute("f1", np.zeros(1, np.int64), np.zeros((1, 3)))


@given(st.integers(0, 10**6), st.sampled_from(["mAP", "auc_roc", "d_prime"]))
@settings(deadline=None, max_examples=40)
def test_weighted_ranks_are_the_score_of_the_resample_itself(seed: int, metric: str) -> None:
    targets, scores = case(seed, ties=True, several=True)
    drawn = np.random.default_rng(seed).integers(len(targets), size=len(targets))
    weights = np.bincount(drawn, minlength=len(targets)).astype(float)
    ours = metrics._ranked([metric], metrics._rankings(targets, scores), weights)[metric]
    expected = metrics.compute(metric, targets[drawn], scores[drawn])
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


def test_interval_of_accuracy_is_that_of_naive_resampling() -> None:
    rng = np.random.default_rng(0)
    targets = [rng.integers(0, 3, n) for n in (80, 120)]
    scores = [rng.random((len(t), 3)) + 0.5 * (t[:, None] == np.arange(3)) for t in targets]
    interval = metrics.bootstrap("accuracy", targets, scores, seed=1, resamples=20_000)
    hits = [s.argmax(axis=1) == t for t, s in zip(targets, scores, strict=True)]
    naive = np.mean([rng.choice(h, (20_000, len(h))).mean(axis=1) for h in hits], axis=0)
    np.testing.assert_allclose(interval, np.quantile(naive, [0.025, 0.975]), atol=0.005)


@pytest.mark.parametrize("metric", [*metrics.METRICS, "chroma_accuracy", "top1_acc"])
def test_interval_holds_the_score_and_depends_on_the_seed_alone(metric: str) -> None:
    rng = np.random.default_rng(3)
    targets = [rng.integers(0, 2, 60) for _ in range(2)]
    scores = [rng.random((60, 2)) + 0.3 * (t[:, None] == np.arange(2)) for t in targets]
    value = np.mean([metrics.compute(metric, t, s) for t, s in zip(targets, scores, strict=True)])
    low, high = metrics.bootstrap(metric, targets, scores, seed=0, resamples=300)
    assert low <= value <= high
    assert low < high
    assert (low, high) == metrics.bootstrap(metric, targets, scores, seed=0, resamples=300)
    assert (low, high) != metrics.bootstrap(metric, targets, scores, seed=1, resamples=300)


def test_interval_leaves_out_resamples_without_a_class() -> None:
    targets = np.array([0, 1, 1, 1])
    scores = np.random.default_rng(0).random((4, 2))
    low, high = metrics.bootstrap("auc_roc", [targets], [scores], seed=0, resamples=100)
    assert 0 <= low <= high <= 1
    alone = metrics.bootstrap("auc_roc", [targets[1:]], [scores[1:]], seed=0, resamples=20)
    assert np.isnan(alone).all()


def test_a_thousand_resamples_of_ten_thousand_clips_take_no_time() -> None:
    rng = np.random.default_rng(0)
    targets, scores = rng.integers(0, 50, 10_000), rng.random((10_000, 50))
    start = time.perf_counter()
    metrics.bootstrap("accuracy", [targets], [scores], seed=0)
    assert time.perf_counter() - start < 0.5


def test_the_floor_is_the_majority_class_of_train() -> None:
    train, test = np.array([1, 1, 0, 2]), np.array([0, 1, 1, 2])
    assert metrics.floor("accuracy", train, test, 3) == 0.5
    assert metrics.floor("mAP", train, test, 3) == pytest.approx(1 / 3)
    assert metrics.floor("auc_roc", train, test, 3) == 0.5
    assert metrics.floor("d_prime", train, test, 3) == 0
    several = np.array([[True, False], [True, True]])
    assert metrics.floor("accuracy", several, several, 2) == 1
    assert metrics.floor("top1_acc", several, several, 2) == 1
    assert metrics.floor("chroma_accuracy", np.array([12, 12, 1]), np.array([0, 12, 1]), 13) == (
        pytest.approx(2 / 3)
    )
    assert metrics.floor("mAP", several, several, 2) == pytest.approx(0.75)
