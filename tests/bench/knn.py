"""kNN, 10,000 queries against a bank of 100,000 × 768, beside scikit-learn's brute force.

python -m tests.bench.knn [pairs]
"""

import sys

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from tabulate import tabulate

from harness.problem import Fold, Problem
from harness.protocols import knn
from tests.bench.measure import ceiling, pairs

BANK, QUERIES, D, CLASSES = 100_000, 10_000, 768, 50


def clouds(n: int, d: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings as encoders give them: class means plus noise of a decaying spectrum."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    spectrum = np.arange(1, d + 1, dtype=np.float32) ** -0.5
    turn, _ = np.linalg.qr(rng.standard_normal((d, d)))
    latent = rng.standard_normal((classes, d), dtype=np.float32)[targets] * 0.3
    latent += rng.standard_normal((n, d), dtype=np.float32)
    return (latent * spectrum) @ turn.astype(np.float32) + 0.5, targets


def main() -> None:
    """Print floor, ours, peer and their ratio."""
    embeddings, targets = clouds(BANK + QUERIES, D, CLASSES, 0)
    rows = np.arange(BANK + QUERIES)
    fold = Fold("test", rows[:BANK], rows[:0], rows[BANK:])
    problem = Problem(
        embeddings=embeddings,
        targets=targets,
        folds=(fold,),
        classes=CLASSES,
        metric="accuracy",
        device="cpu",
        seed=0,
    )
    peer = KNeighborsClassifier(knn.K, algorithm="brute").fit(embeddings[:BANK], targets[:BANK])
    predicted: dict[str, np.ndarray] = {}

    def ours() -> None:
        predicted["ours"] = np.argmax(knn.solve(problem).scores[0], axis=1)

    def theirs() -> None:
        predicted["peer"] = peer.predict(embeddings[BANK:])

    rate = ceiling()
    timed = pairs(ours, theirs, int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    floor = 2 * BANK * QUERIES * D / rate / 1e9
    row = [f"{floor:.2f}", f"{timed.a:.2f}", f"{timed.b:.2f}", f"{timed.ratio:.2f}"]
    different = int((predicted["ours"] != predicted["peer"]).sum())
    print(f"kNN, {QUERIES} × {BANK} × {D}; float32 ceiling {rate:.0f} GFLOP/s")
    print(tabulate([row], ["floor s", "ours s", "scikit-learn s", "ratio"], disable_numparse=True))
    print(f"clips predicted differently: {different} of {QUERIES}")


if __name__ == "__main__":
    main()
