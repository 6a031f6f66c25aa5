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

from collections.abc import Iterator

import faiss
import numpy as np
import torch

from harness.metrics import compute
from harness.problem import Outcome, Problem, Protocol

K = 10
KS = (1, 5, 10, 20, 50)
MARGIN = 14  # neighbours searched beyond the largest k, so that close calls are among them
QUERIES = 16_384  # at once
BANK = 2**26  # numbers of the bank at once: 256 MiB
SETTLED = 64  # close calls at once: 64 × 64 × 768 float64 are 25 MB
EXACT = 4096  # rows of the bank at once that close calls are held against, the same
FLOAT32_ERROR = 2.0**-24


def solve(problem: Problem) -> Outcome:
    """Vote; scores are the shares of the votes, (n_test, C) float32, at k = 10.

    extra["by_k"]: the metric at every k, mean over folds. A bank smaller than k votes whole.
    """
    by_k: dict[int, list[float]] = {k: [] for k in KS}
    scores, nearest = [], []
    for fold in problem.folds:
        bank = np.sort(np.concatenate([fold.train, fold.valid]))
        near = neighbours(problem.embeddings, bank, fold.test)
        nearest.append(bank[near[:, :K]])
        votes = np.zeros((len(near), problem.classes), np.float32)
        for rank in range(max(KS)):
            if rank < near.shape[1]:
                _add_votes(votes, problem.targets[bank[near[:, rank]]])
            k = rank + 1
            if k in KS:  # metrics look at the order of scores: votes will do for shares
                by_k[k].append(compute(problem.metric, problem.targets[fold.test], votes))
            if k == K:
                scores.append(votes / min(k, near.shape[1]))
    extra = {"by_k": {str(k): float(np.mean(values)) for k, values in by_k.items()}}
    return Outcome(scores=tuple(scores), neighbours=tuple(nearest), extra=extra)


def _add_votes(votes: np.ndarray, targets: np.ndarray) -> None:
    """One neighbour of each clip votes: (n,) classes, or (n, C) bool, into (n, C) float32."""
    if targets.ndim == 2:
        votes += targets
    else:
        votes[np.arange(len(votes)), targets] += 1


def neighbours(embeddings: np.ndarray, bank: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The nearest rows of the bank for every query, nearest first.

    embeddings: (N, D) float32; bank, queries: positions in it. Returns (n_queries, k) int64
    positions in `bank`, k the smaller of 50 and the bank. The set of the first k is exact for
    every k in KS; equal distances go to the earlier row of the bank. Beside `embeddings` and
    the answer, what is held does not grow with their number.
    """
    deepest = min(max(KS), len(bank))
    centre = _mean(embeddings, bank)
    largest = max(_squares(block).max() for _, block in _blocks(embeddings, bank, centre))
    found = np.empty((len(queries), deepest), np.int64)
    for start in range(0, len(queries), QUERIES):
        part = queries[start : start + QUERIES]
        centred = _centred(embeddings, part, centre)
        best = faiss.ResultHeap(len(part), min(deepest + MARGIN, len(bank)))
        for at, block in _blocks(embeddings, bank, centre):
            distances, rows = faiss.knn(centred, block, min(best.k, len(block)))
            best.add_result(distances, rows + at)
        best.finalize()
        nearest = best.I[:, :deepest]
        error = _error(centred, float(largest))
        close = np.flatnonzero(_close(best.D, error) | _lost(best.I))
        nearest[close] = _settle(
            embeddings, bank, part[close], best.I[close], best.D[close], error[close]
        )
        found[start : start + QUERIES] = nearest
    return found


def _blocks(
    embeddings: np.ndarray, bank: np.ndarray, centre: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """The bank with its mean taken away, some rows at a time, and where they begin."""
    rows = max(1, BANK // embeddings.shape[1])
    for start in range(0, len(bank), rows):
        yield start, _centred(embeddings, bank[start : start + rows], centre)


def _centred(embeddings: np.ndarray, rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    values = embeddings[rows]
    values -= centre
    return values


def _mean(embeddings: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean of some embeddings, (D,) float32."""
    total = np.zeros(embeddings.shape[1])
    for start in range(0, len(rows), QUERIES):
        total += embeddings[rows[start : start + QUERIES]].sum(axis=0, dtype=np.float64)
    return (total / len(rows)).astype(np.float32)


def _squares(centred: np.ndarray) -> np.ndarray:
    """|x|² of each row, (n,) float64."""
    return np.einsum("nd,nd->n", centred, centred, dtype=np.float64)


def _error(centred: np.ndarray, largest: float) -> np.ndarray:
    """How far a float32 squared distance may be off: (n,) float64.

    Rounding errors of a sum of D products grow like √D (Higham and Mary, SIAM J. Sci.
    Comput. 41, 2019). With the factor 2 the largest error seen was a fifth of this, in 2·10⁷
    distances of five kinds of embeddings, D from 16 to 4096.
    """
    size = np.sqrt(_squares(centred)) + np.sqrt(largest)
    return 2 * np.sqrt(centred.shape[1]) * FLOAT32_ERROR * size**2


def _close(distances: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Queries where the error could move a clip across some k: (n,) bool."""
    edges = [k - 1 for k in KS if k < distances.shape[1]]
    apart = _apart(np.diff(distances, axis=1)[:, edges], error[:, None])
    return ~np.all(apart, axis=1)


def _lost(rows: np.ndarray) -> np.ndarray:
    """Queries with a distance beyond float32, whose row faiss gives as -1, last: (n,) bool."""
    return rows[:, -1] < 0


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
    settled = np.empty((len(queries), deepest), np.int64)
    for start in range(0, len(queries), SETTLED):
        some = slice(start, start + SETTLED)
        candidates = np.sort(rows[some], axis=1)
        clips = embeddings[queries[some], None]
        exact = _exact_distances(clips, embeddings[bank[candidates]])[:, 0]
        settled[some] = np.take_along_axis(candidates, _first(exact, deepest), axis=1)
    unsure = _lost(rows)
    if rows.shape[1] < len(bank):  # some row not found may be as near as the last that counts
        unsure |= ~_apart(distances[:, -1] - distances[:, deepest - 1], error)
    if unsure.any():
        settled[unsure] = _search_exactly(embeddings, bank, queries[unsure], deepest)
    return settled


def _search_exactly(
    embeddings: np.ndarray, bank: np.ndarray, queries: np.ndarray, deepest: int
) -> np.ndarray:
    # Queries are often copies here: digital silence, a collapsed encoder.
    unique, copy_of = np.unique(embeddings[queries], axis=0, return_inverse=True)
    found = np.empty((len(unique), deepest), np.int64)
    exact = np.empty((SETTLED, len(bank)))
    for start in range(0, len(unique), SETTLED):
        some = unique[start : start + SETTLED]
        for at in range(0, len(bank), EXACT):
            rows = bank[at : at + EXACT]
            exact[: len(some), at : at + len(rows)] = _exact_distances(some, embeddings[rows])
        found[start : start + SETTLED] = _first(exact[: len(some)], deepest)
    return found[copy_of.ravel()]


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
