"""The linear probe against the same protocol written with scikit-learn, and its edges."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

from harness.errors import UserError
from harness.problem import Fold, Problem
from harness.protocols import linear


def problem(
    *, n: int = 240, d: int = 12, classes: int = 5, several: bool = False, seed: int = 0
) -> Problem:
    """Overlapping clouds of very unequal spread, three folds."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    means = rng.standard_normal((classes, d))
    embeddings = (means[targets] + rng.standard_normal((n, d))) * np.geomspace(1e-3, 1e3, d) + 5
    labels = targets[:, None] == np.arange(classes)
    number = rng.permutation(n) % 3
    folds = tuple(
        Fold(f"fold{i + 1}", *(np.flatnonzero(number == (i + j) % 3) for j in (2, 1, 0)))
        for i in range(3)
    )
    return Problem(
        embeddings=embeddings.astype(np.float32),
        targets=labels | (rng.random(labels.shape) < 0.2) if several else targets,
        folds=folds,
        classes=classes,
        metric="mAP" if several else "accuracy",
        device="cpu",
        seed=0,
    )


def changed(p: Problem, **values: object) -> Problem:
    return Problem(**{**vars(p), **values})


def exact(c: float, x: np.ndarray, targets: np.ndarray, at: np.ndarray) -> np.ndarray:
    """scikit-learn's probabilities, solved to 1e-8, on standardised float64 features."""
    scaler = StandardScaler().fit(x)
    regression = LogisticRegression(C=c, tol=1e-8, max_iter=100_000)
    x, at = scaler.transform(x), scaler.transform(at)
    if targets.ndim == 1:
        return regression.fit(x, targets).predict_proba(at)
    return np.stack([regression.fit(x, y).predict_proba(at)[:, 1] for y in targets.T], axis=1)


@pytest.mark.parametrize(("several", "classes"), [(False, 5), (True, 5), (False, 2)])
def test_equals_the_same_protocol_in_scikit_learn(several: bool, classes: int) -> None:
    p = problem(several=several, classes=classes)
    outcome = linear.solve(p)
    assert outcome.selection is not None
    assert outcome.selection["on"] == "valid"
    assert outcome.extra == {"unconverged": 0}
    x = p.embeddings.astype(float)
    for fold, ours, chosen in zip(
        p.folds, outcome.scores, outcome.selection["chosen"], strict=True
    ):
        merits = []
        for c in linear.STRENGTHS:
            scores = exact(c, x[fold.train], p.targets[fold.train], x[fold.valid])
            truth = p.targets[fold.valid]
            if several:
                likelihood = np.where(truth, scores, 1 - scores)
                merit = average_precision_score(truth, scores, average="macro")
            else:
                likelihood = scores[np.arange(len(truth)), truth]
                merit = np.mean(scores.argmax(axis=1) == truth)
            merits.append((merit, np.mean(np.log(likelihood))))
        assert chosen == linear.STRENGTHS[max(range(len(merits)), key=merits.__getitem__)]
        rows = np.concatenate([fold.train, fold.valid])
        theirs = exact(chosen, x[rows], p.targets[rows], x[fold.test])
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_test_clips_are_not_seen() -> None:
    p = problem()
    fold = p.folds[0]
    spoiled = p.embeddings.copy()
    spoiled[fold.test] *= -3
    targets = p.targets.copy()
    targets[fold.test] = 0
    one = linear.solve(changed(p, folds=(fold,)))
    two = linear.solve(changed(p, folds=(fold,), embeddings=spoiled, targets=targets))
    assert one.selection == two.selection
    restored = linear.solve(changed(p, folds=(fold,), targets=targets))
    np.testing.assert_array_equal(one.scores[0], restored.scores[0])


def test_same_inputs_same_bytes() -> None:
    p = problem(several=True)
    first, second = linear.solve(p), linear.solve(p)
    assert [s.tobytes() for s in first.scores] == [s.tobytes() for s in second.scores]


def test_does_not_notice_shift_and_scale_of_a_feature() -> None:
    p = problem()
    moved = linear.solve(changed(p, embeddings=p.embeddings * np.float32(64) + np.float32(3)))
    for ours, theirs in zip(linear.solve(p).scores, moved.scores, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5e-3)


def test_constant_features_do_not_matter() -> None:
    p = problem()
    constant = np.full((len(p.targets), 3), 0.1, np.float32)
    more = linear.solve(changed(p, embeddings=np.concatenate([p.embeddings, constant], axis=1)))
    for ours, theirs in zip(linear.solve(p).scores, more.scores, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_constant_embeddings_give_the_class_frequencies() -> None:
    p = problem(classes=3)
    (fold, *_) = p.folds
    same = changed(p, embeddings=np.full_like(p.embeddings, 0.3), folds=(fold,))
    rows = np.concatenate([fold.train, fold.valid])
    frequency = np.bincount(p.targets[rows], minlength=3) / len(rows)
    outcome = linear.solve(same)
    assert outcome.extra == {"unconverged": 0}
    (scores,) = outcome.scores
    np.testing.assert_allclose(scores, np.tile(frequency, (len(fold.test), 1)), atol=1e-3)


@pytest.mark.parametrize("several", [False, True])
def test_classes_missing_in_train_and_more_dimensions_than_clips(several: bool) -> None:
    p = problem(n=40, d=100, several=several)
    targets = p.targets.copy()
    if several:
        targets[:, 2], targets[:, 3] = False, True
    else:
        targets[targets == 2] = 1
    outcome = linear.solve(changed(p, targets=targets))
    assert outcome.extra == {"unconverged": 0}
    for scores in outcome.scores:
        assert np.isfinite(scores).all()
        assert (scores[:, 2] == 0).all()
        if several:
            assert (scores[:, 3] == 1).all()


@pytest.mark.parametrize("several", [False, True])
def test_a_handful_of_clips(several: bool) -> None:
    p = problem(n=9, d=4, classes=3, several=several)
    (fold, *_) = p.folds
    tiny = Fold("test", fold.train[:1], fold.valid[:1], fold.test)
    outcome = linear.solve(changed(p, folds=(tiny,)))
    assert outcome.extra == {"unconverged": 0}
    (scores,) = outcome.scores
    assert scores.shape == (len(fold.test), 3)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_no_validation_clip_is_the_users_affair() -> None:
    p = problem()
    fold = p.folds[0]
    empty = Fold("fold1", fold.train, fold.valid[:0], fold.test)
    with pytest.raises(UserError, match="expected validation clips in fold1"):
        linear.solve(changed(p, folds=(empty,)))


def test_the_grid_is_wide_enough_and_starts_with_the_strongest_penalty() -> None:
    assert len(linear.STRENGTHS) >= 8
    assert list(linear.STRENGTHS) == sorted(linear.STRENGTHS)
