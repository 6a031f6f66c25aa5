"""The solver against scikit-learn's, strength by strength, on the same objective."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from harness.protocols import logistic

STRENGTHS = (1e-4, 1e-2, 1e0, 1e2)


def features(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standardised, strongly correlated features and four classes that depend on them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * np.geomspace(1, 0.02, d) @ rng.standard_normal((d, d))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    logits = x @ rng.standard_normal((d, 4)) / np.sqrt(d) + rng.gumbel(size=(n, 4))
    return x, logits.argmax(axis=1)


def solved(x: np.ndarray, goal: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (D, M, C) and intercepts (M, C) in the features as given."""
    basis = logistic.rotate(torch.tensor(x, dtype=torch.float32))
    decay = torch.tensor([1 / (c * len(x)) for c in STRENGTHS])
    found = logistic.minimise(basis, torch.from_numpy(goal), decay, classes, 1e-3)
    assert found.unconverged == 0
    weights = torch.einsum("dr,rmc->dmc", basis.turn, found.weights[:-1])
    return weights.numpy(), found.weights[-1].numpy()


@pytest.mark.parametrize(("n", "d"), [(300, 20), (80, 80), (40, 120)])
def test_softmax_weights_are_scikit_learns(n: int, d: int) -> None:
    x, y = features(n, d)
    weights, intercepts = solved(x, y, 4)
    for member, c in enumerate(STRENGTHS):
        theirs = LogisticRegression(C=c, tol=1e-8, max_iter=100_000).fit(x, y)
        scale = np.abs(theirs.coef_).max()
        np.testing.assert_allclose(weights[:, member].T, theirs.coef_, atol=3e-3 * scale)
        logits = x @ weights[:, member] + intercepts[member]
        ours = torch.softmax(torch.from_numpy(logits), dim=1).numpy()
        loss = [-np.log(p[np.arange(n), y]).mean() for p in (ours, theirs.predict_proba(x))]
        assert abs(loss[0] - loss[1]) < 2e-4


def test_independent_logits_are_scikit_learns_binary_fits() -> None:
    x, y = features(200, 15)
    goal = np.tile((y == 1).astype(np.uint8)[:, None], (1, len(STRENGTHS)))
    weights, intercepts = solved(x, goal, 1)
    for member, c in enumerate(STRENGTHS):
        theirs = LogisticRegression(C=c, tol=1e-8, max_iter=100_000).fit(x, y == 1)
        scale = np.abs(theirs.coef_).max()
        np.testing.assert_allclose(weights[:, member, 0], theirs.coef_[0], atol=3e-3 * scale)
        assert intercepts[member, 0] == pytest.approx(theirs.intercept_[0], abs=3e-3)


def test_two_softmax_classes_are_the_binary_fit_of_twice_the_strength() -> None:
    x, y = features(200, 15)
    weights, _ = solved(x, (y == 1).astype(np.int64), 2)
    for member, c in enumerate(STRENGTHS):
        theirs = LogisticRegression(C=2 * c, tol=1e-8, max_iter=100_000).fit(x, y == 1)
        difference = weights[:, member, 1] - weights[:, member, 0]
        scale = np.abs(theirs.coef_).max()
        np.testing.assert_allclose(difference, theirs.coef_[0], atol=3e-3 * scale)


def test_members_that_wait_for_memory_get_the_same_solution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = features(100, 10)
    together, _ = solved(x, y, 4)
    monkeypatch.setattr(logistic, "LOGITS", 1)
    one_by_one, _ = solved(x, y, 4)
    np.testing.assert_allclose(one_by_one, together, atol=2e-3 * np.abs(together).max())


def test_the_basis_is_orthonormal_and_diagonal() -> None:
    for n, d in ((60, 20), (20, 60)):
        x, _ = features(n, d)
        basis = logistic.rotate(torch.tensor(x, dtype=torch.float32))
        rank = min(n, d)
        assert basis.features.shape == (n, rank + 1)
        unit = (basis.turn.T @ basis.turn).numpy()
        np.testing.assert_allclose(unit, np.eye(rank), atol=1e-5)
        covariance = (basis.features[:, :-1].T @ basis.features[:, :-1]).numpy() / n
        variance = basis.variance[:-1, 0, 0].numpy()
        np.testing.assert_allclose(covariance, np.diag(variance), atol=1e-4 * variance.max())
        np.testing.assert_allclose(basis.features[:, :-1] @ basis.turn.T, x, atol=1e-4)
