"""The linear probe, 8 strengths × 5 folds of 2000 × 768, 50 classes, beside scikit-learn.

scikit-learn solves the same 40 fits and 5 refits one by one, once with its default tolerance
(1e-4, as people run it) and once with 1e-6, about what ours reaches at weak penalties.

python -m tests.bench.linear [pairs]
"""

import sys
import warnings
from functools import partial

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tabulate import tabulate
from torch.utils.flop_counter import FlopCounterMode

from harness.problem import Fold, Problem
from harness.protocols import linear
from tests.bench.knn import clouds
from tests.bench.measure import ceiling, pairs

N, D, CLASSES, FOLDS = 2000, 768, 50, 5


def problem() -> Problem:
    """Five folds as ESC-50 has them: 1200 clips train, 400 validate, 400 test."""
    embeddings, targets = clouds(N, D, CLASSES, 1)
    number = np.arange(N) % FOLDS
    folds = []
    for i in range(FOLDS):
        test, valid = number == i, number == (i + 1) % FOLDS
        folds.append(Fold(f"fold{i + 1}", *map(np.flatnonzero, (~test & ~valid, valid, test))))
    return Problem(
        embeddings=embeddings,
        targets=targets,
        folds=tuple(folds),
        classes=CLASSES,
        metric="accuracy",
        device="cpu",
        seed=0,
    )


def peer(p: Problem, tolerance: float) -> list[np.ndarray]:
    """The same protocol with scikit-learn's solver: probabilities of the test clips."""
    scores = []
    for fold in p.folds:
        x, valid = (p.embeddings[rows] for rows in (fold.train, fold.valid))
        scaler = StandardScaler().fit(x)
        grid = [_regression(c, tolerance) for c in linear.STRENGTHS]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for regression in grid:
                regression.fit(scaler.transform(x), p.targets[fold.train])
            merit = [r.score(scaler.transform(valid), p.targets[fold.valid]) for r in grid]
            rows = np.concatenate([fold.train, fold.valid])
            scaler = StandardScaler().fit(p.embeddings[rows])
            best = _regression(linear.STRENGTHS[int(np.argmax(merit))], tolerance)
            best.fit(scaler.transform(p.embeddings[rows]), p.targets[rows])
        scores.append(best.predict_proba(scaler.transform(p.embeddings[fold.test])))
    return scores


def _regression(c: float, tolerance: float) -> LogisticRegression:
    return LogisticRegression(C=c, tol=tolerance, max_iter=10_000)


def agreement(p: Problem) -> list[list[str]]:
    """Fold 1, strength by strength, against scikit-learn in float64 with tolerance 1e-8."""
    fold = p.folds[0]
    features = torch.from_numpy(p.embeddings)
    probe = linear.fit(p, features, fold.train, linear.STRENGTHS)
    scaler = StandardScaler().fit(p.embeddings[fold.train].astype(float))
    x, test = (scaler.transform(p.embeddings[r].astype(float)) for r in (fold.train, fold.test))
    rows = []
    for member, c in enumerate(linear.STRENGTHS):
        theirs = _regression(c, 1e-8).fit(x, p.targets[fold.train]).predict_proba(test)
        ours = probe.probabilities(features[fold.test], member, multilabel=False)
        (hit, loss), (hit_theirs, loss_theirs) = _scores(p, ours), _scores(p, theirs)
        rows.append([f"{c:g}", f"{hit_theirs:.4f}", f"{hit - hit_theirs:+.4f}"])
        rows[-1] += [f"{loss_theirs:.4f}", f"{loss - loss_theirs:+.6f}"]
    return rows


def _scores(p: Problem, probabilities: np.ndarray) -> tuple[float, float]:
    """Accuracy and log-loss on the test clips of fold 1."""
    targets = p.targets[p.folds[0].test]
    likelihood = probabilities[np.arange(len(targets)), targets].astype(float)
    return float(np.mean(probabilities.argmax(axis=1) == targets)), -np.log(likelihood).mean()


def main() -> None:
    """Print floor, ours, peer and their ratio, then the agreement of the solutions."""
    p = problem()
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rate = ceiling()
    with FlopCounterMode(display=False) as counter:
        linear.solve(p)
    print(f"linear probe, 8 × {FOLDS} of {N} × {D}, {CLASSES} classes; ceiling {rate:.0f} GFLOP/s")
    floor = counter.get_total_flops() / rate / 1e9  # of the products made
    rows = []
    for tolerance in (1e-4, 1e-6):
        timed = pairs(partial(linear.solve, p), partial(peer, p, tolerance), n)
        figures = (floor, timed.a, timed.b, timed.ratio)
        rows.append([f"{tolerance:g}", *(f"{figure:.2f}" for figure in figures)])
    heads = ["scikit-learn's tol", "floor s", "ours s", "scikit-learn s", "ratio"]
    print(tabulate(rows, heads, disable_numparse=True))
    heads = ["C", "accuracy", "ours differs by", "log-loss", "ours differs by"]
    print(tabulate(agreement(p), heads, disable_numparse=True))


if __name__ == "__main__":
    main()
