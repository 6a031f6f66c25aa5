"""Embeddings → a picture in two dimensions: their first two principal components.

Linear and without luck: distances in the picture are distances of embeddings, seen from where
they differ most (Pearson 1901). What a neighbour embedding such as t-SNE shows depends on its
settings and seed, and distances in it mean little.
"""

import numpy as np
from sklearn.decomposition import PCA

THOUSANDTHS = 1000


def plane(embeddings: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n, D) float32 → (n, 2) int16, in thousandths of the farthest coordinate.

    Whole thousandths are all that a picture shows, and keep the last bits of a product out of the
    file. The sign of a component is scikit-learn's: its largest loading is positive.
    """
    n, size = embeddings.shape
    if n < 3 or size < 3 or not np.ptp(embeddings, axis=0).any():
        return np.zeros((n, 2), np.int16)
    values = embeddings.astype(np.float64)
    projected = PCA(2, svd_solver="arpack", random_state=seed).fit_transform(values)
    farthest = np.abs(projected).max() or 1.0
    return np.rint(THOUSANDTHS * projected / farthest).astype(np.int16)
