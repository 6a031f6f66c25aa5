"""Metrics against scikit-learn's, ties and missing classes included; influences; the floor."""

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


def test_one_class_without_fault_and_one_all_wrong_has_no_d_prime() -> None:
    scores = np.array([[0.9, 0.9], [0.2, 0.8]])
    assert np.isnan(metrics.compute("d_prime", np.array([0, 1]), scores))


@pytest.mark.parametrize("targets", [np.zeros(0, np.int64), np.zeros((0, 3), bool)])
def test_no_clips_or_an_unknown_metric_is_refused(targets: np.ndarray) -> None:
    with pytest.raises(ValueError, match="found none"):
        metrics.compute("mAP", targets, np.zeros((0, 3)))
    with pytest.raises(ValueError, match="found 'f1'"):
        metrics.compute("f1", np.zeros(1, np.int64), np.zeros((1, 3)))


@pytest.mark.parametrize("metric", [*metrics.METRICS, "chroma_accuracy", "top1_acc"])
@pytest.mark.parametrize("several", [True, False])
def test_influences_tell_how_far_scores_of_resampled_clips_are_apart(
    metric: str, several: bool
) -> None:
    rng = np.random.default_rng(4)
    truth = np.eye(3, dtype=bool)[rng.integers(3, size=400)]
    if several:
        truth |= rng.random(truth.shape) < 0.2
    scores = rng.normal(size=truth.shape) + truth
    targets = truth if several else truth.argmax(axis=1)
    rows = rng.integers(len(targets), size=(400, len(targets)))
    drawn = [metrics.compute(metric, targets[some], scores[some]) for some in rows]
    influence = metrics.influence(metric, targets, scores)
    assert np.linalg.norm(influence) == pytest.approx(np.std(drawn), rel=0.12)


@given(st.integers(0, 10**6), st.sampled_from(["mAP", "auc_roc", "d_prime", "accuracy"]))
@settings(deadline=None, max_examples=40)
def test_influences_of_a_few_classes_at_a_time_are_those_of_all(seed: int, metric: str) -> None:
    targets, scores = case(seed, ties=True, several=True)
    whole = metrics.influence(metric, targets, scores)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "RANKED", 1)
        parts = metrics.influence(metric, targets, scores)
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-15)


def test_where_there_is_no_score_there_is_no_influence() -> None:
    targets, scores = np.array([1, 1, 1]), np.random.default_rng(0).random((3, 2))
    for metric in ("auc_roc", "d_prime"):
        assert np.isnan(metrics.influence(metric, targets, scores)).all()
    faultless = np.eye(2)[[0, 1, 1]]
    assert not np.isfinite(metrics.influence("d_prime", np.array([0, 1, 1]), faultless)).any()


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
