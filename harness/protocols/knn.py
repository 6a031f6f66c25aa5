"""k nearest neighbours, the protocol of the owner's published table.

faiss `IndexFlatL2`, k = 10, one vote per neighbour, ties of votes to the smallest class
index, mean over the official folds; the bank is train + valid. (Calibrated: the time mean of
Dasheng's log-mel on ESC-50 gives 18.40, the table says 18.4.) One search serves every k.

Exactness. faiss computes |q|² - 2q·x + |x|² in float32, which swaps neighbours at nearly equal
distances and makes nonsense of embeddings far from the origin. So the bank's mean is first
taken away (distances do not notice), and wherever the error of float32 could move a clip across
one of the k's, the distances concerned are taken again in float64 from the differences.
What is left are clips at exactly the same distance: the earlier one in the bank is nearer.
(scikit-learn keeps whichever its heap dropped last: it depends on the number of threads.)
"""

import faiss
import numpy as np
import torch

from harness.metrics import compute
from harness.problem import Fold, Outcome, Problem, Protocol

K = 10
KS = (1, 5, 10, 20, 50)
MARGIN = 14  # neighbours searched beyond the largest k, so that close calls are among them
QUERIES = 4096  # at once: bounds memory, and is faiss's own block
SETTLED = 64  # close calls at once: 64 × 64 × 768 float64 are 25 MB
FLOAT32_ERROR = 2.0**-24


def solve(problem: Problem) -> Outcome:
    """Vote; scores are the shares of the votes, (n_test, C) float32, at k = 10.

    extra["by_k"]: the metric at every k, mean over folds. A bank smaller than k votes whole.
    """
    by_k: dict[int, list[float]] = {k: [] for k in KS}
    scores = []
    for fold in problem.folds:
        votes = _vote(problem, fold)
        for k in KS:
            by_k[k].append(compute(problem.metric, problem.targets[fold.test], votes[k]))
        scores.append(votes[K])
    extra = {"by_k": {str(k): float(np.mean(values)) for k, values in by_k.items()}}
    return Outcome(scores=tuple(scores), extra=extra)


def _vote(problem: Problem, fold: Fold) -> dict[int, np.ndarray]:
    """Shares of the votes of the k nearest: k → (n_test, C) float32."""
    rows = np.sort(np.concatenate([fold.train, fold.valid]))
    near = rows[neighbours(problem.embeddings, rows, fold.test)]
    votes = {}
    for k in KS:
        counts = np.zeros((len(near), problem.classes), np.float32)
        for rank in range(min(k, near.shape[1])):
            if problem.targets.ndim == 2:
                counts += problem.targets[near[:, rank]]
            else:
                counts[np.arange(len(near)), problem.targets[near[:, rank]]] += 1
        votes[k] = counts / min(k, near.shape[1])
    return votes


def neighbours(embeddings: np.ndarray, bank: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The nearest rows of the bank for every query, nearest first.

    embeddings: (N, D) float32; bank, queries: positions in it. Returns (n_queries, k) int64
    positions in `bank`, k the smaller of 50 and the bank. The set of the first k is exact for
    every k in KS; equal distances go to the earlier row of the bank.
    """
    deepest = min(max(KS), len(bank))
    centre = embeddings[bank].mean(axis=0, dtype=np.float64).astype(np.float32)
    index = faiss.IndexFlatL2(embeddings.shape[1])
    largest = 0.0  # |x|² of the bank
    for start in range(0, len(bank), QUERIES):
        centred = embeddings[bank[start : start + QUERIES]] - centre
        index.add(centred)
        largest = max(largest, float(np.einsum("nd,nd->n", centred, centred).max()))
    found = np.empty((len(queries), deepest), np.int64)
    for start in range(0, len(queries), QUERIES):
        part = queries[start : start + QUERIES]
        centred = embeddings[part] - centre
        distances, rows = index.search(centred, min(deepest + MARGIN, len(bank)))
        found[start : start + QUERIES] = rows[:, :deepest]
        error = _error(centred, largest)
        close = np.flatnonzero(_close(distances, error))
        for where in (close[at : at + SETTLED] for at in range(0, len(close), SETTLED)):
            found[start + where] = _settle(
                embeddings, bank, part[where], rows[where], distances[where], error[where]
            )
    return found


def _error(centred: np.ndarray, largest: float) -> np.ndarray:
    """How far a float32 squared distance may be off: (n,) float64.

    Rounding errors of a sum of D products grow like √D (Higham and Mary, SIAM J. Sci.
    Comput. 41, 2019). With the factor 2 the largest error seen was a fifth of this, in 2·10⁷
    distances of five kinds of embeddings, D from 16 to 4096.
    """
    own = np.einsum("nd,nd->n", centred, centred, dtype=np.float64)
    return 2 * np.sqrt(centred.shape[1]) * FLOAT32_ERROR * (np.sqrt(own) + np.sqrt(largest)) ** 2


def _close(distances: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Queries where the error could move a clip across some k: (n,) bool."""
    edges = [k - 1 for k in KS if k < distances.shape[1]]
    apart = _apart(np.diff(distances, axis=1)[:, edges], error[:, None])
    return ~np.all(apart, axis=1)


def _apart(gap: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Whether two distances keep their order whatever the error (never so for NaN)."""
    return gap > 2 * error


def _settle(
    embeddings: np.ndarray,
    bank: np.ndarray,
    queries: np.ndarray,
    rows: np.ndarray,
    distances: np.ndarray,
    error: np.ndarray,
) -> np.ndarray:
    """Exact neighbours of close calls: among the rows found, or in the whole bank if need be."""
    deepest = min(max(KS), len(bank))
    rows = np.sort(rows, axis=1)
    exact = _exact_distances(embeddings[queries][:, None], embeddings[bank[rows]])[:, 0]
    settled = np.take_along_axis(rows, _first(exact, deepest), axis=1)
    # Some row that was not found may be as near as the last that counts.
    unsure = ~_apart(distances[:, -1] - distances[:, deepest - 1], error)
    if rows.shape[1] < len(bank) and unsure.any():
        settled[unsure] = _search_exactly(embeddings, bank, queries[unsure], deepest)
    return settled


def _search_exactly(
    embeddings: np.ndarray, bank: np.ndarray, queries: np.ndarray, deepest: int
) -> np.ndarray:
    # Queries are often copies here: digital silence, a collapsed encoder.
    unique, copy_of = np.unique(embeddings[queries], axis=0, return_inverse=True)
    exact = np.empty((len(unique), len(bank)))
    for start in range(0, len(bank), QUERIES):
        part = bank[start : start + QUERIES]
        exact[:, start : start + QUERIES] = _exact_distances(unique, embeddings[part])
    return _first(exact, deepest)[copy_of.ravel()]


def _exact_distances(queries: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """L2 from the differences in float64: (…, n, D), (…, m, D) → (…, n, m)."""
    a, b = torch.from_numpy(queries).double(), torch.from_numpy(rows).double()
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").numpy()


def _first(exact: np.ndarray, deepest: int) -> np.ndarray:
    """Columns of the smallest, nearest first, equal ones from left to right."""
    return np.argsort(exact, axis=1, kind="stable")[:, :deepest]


KNN = Protocol(
    name="knn",
    version=1,
    params={"k": K, "metric": "l2", "weights": "uniform", "search": "faiss.IndexFlatL2"},
    solve=solve,
)
