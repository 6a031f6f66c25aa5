"""The picture of embeddings, against scikit-learn's exact decomposition."""

import numpy as np
from sklearn.decomposition import PCA

from harness.plane import plane


def test_it_is_the_exact_principal_plane_in_thousandths() -> None:
    rng = np.random.default_rng(0)
    embeddings = (rng.normal(size=(200, 64)) * np.linspace(9, 0.1, 64)).astype(np.float32)
    exact = PCA(2, svd_solver="full").fit_transform(embeddings.astype(np.float64))
    found = plane(embeddings)
    assert found.dtype == np.int16
    assert np.abs(found).max() == 1000
    np.testing.assert_allclose(found, 1000 * exact / np.abs(exact).max(), atol=1)


def test_the_last_bits_of_embeddings_do_not_reach_it() -> None:
    embeddings = np.random.default_rng(1).normal(size=(100, 32)).astype(np.float32)
    moved = embeddings * np.float32(1 + 2**-23)
    assert np.mean(plane(embeddings) != plane(moved)) < 0.01


def test_what_has_no_plane_lies_in_its_centre() -> None:
    for embeddings in (np.ones((5, 8)), np.eye(2, 8), np.arange(4.0)[:, None]):
        found = plane(embeddings.astype(np.float32))
        assert found.shape == (len(embeddings), 2)
        assert not found.any()
