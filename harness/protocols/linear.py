"""The convex linear probe: no learning rate, no epochs, no luck.

Per fold: features standardised on train; multinomial logistic regression (with several labels
per clip, one binary per class) for every L2 strength of the grid; the strength that scores best
on validation; refitted with it on train + valid, standardised anew; test met once.
The strengths are scikit-learn's C (LogisticRegression: sum of log-losses + |W|² / 2C, intercept
free).
Solved until the weights are within about 0.1 % of the one solution (harness/protocols/logistic).
"""

from typing import NamedTuple

import numpy as np
import torch

from harness.errors import UserError
from harness.metrics import compute
from harness.problem import Fold, Outcome, Problem, Protocol
from harness.protocols import logistic

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2)  # strongest penalty first
TOLERANCE = 1e-3
SMALLEST = 1e-7  # probability that a log-loss may see: one miss is not an infinite loss


class Probe(NamedTuple):
    """Fits of several strengths. logits = (x - mean) / scale @ weights + intercepts."""

    mean: torch.Tensor  # (D,)
    scale: torch.Tensor  # (D,)
    weights: torch.Tensor  # (D, M, C') over the classes that train can tell
    intercepts: torch.Tensor  # (M, C')
    seen: np.ndarray  # (C',) those classes
    certain: np.ndarray  # (C,) probability of the others: 0, or 1 if every train clip has it
    unconverged: int

    def probabilities(self, x: torch.Tensor, member: int, *, multilabel: bool) -> np.ndarray:
        """(n, D) features → (n, C) float32 by the fit of one strength."""
        logits = (x - self.mean) / self.scale @ self.weights[:, member] + self.intercepts[member]
        given = torch.sigmoid(logits) if multilabel else torch.softmax(logits, dim=1)
        result = np.tile(self.certain.astype(np.float32), (len(x), 1))
        result[:, self.seen] = given.cpu().numpy()
        return result


def solve(problem: Problem) -> Outcome:
    """Fit, choose and refit in every fold; scores are probabilities, (n_test, C) float32.

    extra["unconverged"]: fits that had not reached the tolerance when time was called; 0 is
    what to expect. Raises UserError if a fold has no validation clip to choose by.
    """
    features = torch.tensor(problem.embeddings, device=_device(problem.device))
    scores, chosen, unconverged = [], [], 0
    for fold in problem.folds:
        if len(fold.valid) == 0:
            raise UserError(
                f"protocol linear: expected validation clips in {fold.name}, found none that "
                "train could spare; use more clips (--limit) or --protocols knn"
            )
        probe = fit(problem, features, fold.train, STRENGTHS)
        best = _choose(problem, features, fold, probe)
        rows = np.sort(np.concatenate([fold.train, fold.valid]))
        final = fit(problem, features, rows, STRENGTHS[best : best + 1])
        multilabel = problem.targets.ndim == 2
        scores.append(final.probabilities(features[fold.test], 0, multilabel=multilabel))
        chosen.append(STRENGTHS[best])
        unconverged += probe.unconverged + final.unconverged
    selection = {"on": "valid", "grid": {"C": list(STRENGTHS)}, "chosen": chosen}
    return Outcome(scores=tuple(scores), selection=selection, extra={"unconverged": unconverged})


def _device(name: str) -> str:
    return name if name.startswith("cuda") else "cpu"  # MPS has no float64


def fit(
    problem: Problem, features: torch.Tensor, rows: np.ndarray, strengths: tuple[float, ...]
) -> Probe:
    """Fit the clips in rows of (N, D) float32 features, one member per strength (C)."""
    mean, scale, standard = _standardise(features[rows])
    targets = problem.targets[rows]
    present = targets if targets.ndim == 2 else targets[:, None] == np.arange(problem.classes)
    share = present.mean(axis=0)
    told = (share > 0) & (share < 1) if targets.ndim == 2 else share > 0
    seen = np.flatnonzero(told)
    basis = logistic.rotate(standard)
    decay = torch.tensor([1 / (c * len(rows)) for c in strengths], device=features.device)
    if targets.ndim == 2:
        goal = torch.from_numpy(targets[:, seen].astype(np.uint8)).to(features.device)
        goal = goal.repeat(1, len(strengths))
        decay = decay.repeat_interleave(len(seen))
        width = 1
    else:
        goal = torch.from_numpy(np.searchsorted(seen, targets)).to(features.device)
        width = len(seen)
        if width == 2:  # two columns share what is one penalty on one column in scikit-learn
            decay = 2 * decay
    solution = logistic.minimise(basis, goal, decay, width, TOLERANCE)
    weights = solution.weights.reshape(len(solution.weights), len(strengths), len(seen))
    return Probe(
        mean=mean,
        scale=scale,
        weights=torch.einsum("dr,rmc->dmc", basis.turn, weights[:-1]),
        intercepts=weights[-1],
        seen=seen,
        certain=(share == 1) if targets.ndim == 2 else np.zeros(problem.classes),
        unconverged=solution.unconverged,
    )


def _standardise(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean, scale and the (n, D) standardised features; constant features become 0."""
    mean = x.mean(dim=0, dtype=torch.float64).float()
    centred = x - mean
    scale = centred.square().mean(dim=0, dtype=torch.float64).sqrt().float()
    # Less spread than float32 can tell from the mean is rounding, not a feature.
    constant = scale <= torch.finfo(torch.float32).eps * mean.abs()
    scale = torch.where(constant, 1, scale)
    return mean, scale, torch.where(constant, 0, centred / scale)


def _choose(problem: Problem, features: torch.Tensor, fold: Fold, probe: Probe) -> int:
    """Strength with the best metric on valid; then the smaller log-loss, then the stronger."""
    targets = problem.targets[fold.valid]
    valid = features[fold.valid]

    def merit(member: int) -> tuple[float, float]:
        scores = probe.probabilities(valid, member, multilabel=targets.ndim == 2)
        value = compute(problem.metric, targets, scores)
        return (-np.inf if np.isnan(value) else value, -_log_loss(targets, scores))

    return max(range(len(STRENGTHS)), key=merit)  # max keeps the first of equals


def _log_loss(targets: np.ndarray, scores: np.ndarray) -> float:
    """Mean negative log-likelihood in nats per clip (per clip and class with several labels)."""
    if targets.ndim == 2:
        likelihood = np.where(targets, scores, 1 - scores)
    else:
        likelihood = scores[np.arange(len(targets)), targets]
    return float(-np.mean(np.log(np.maximum(likelihood, SMALLEST))))


LINEAR = Protocol(
    name="linear",
    version=1,
    params={
        "C": list(STRENGTHS),
        "penalty": "l2, intercept free",
        "solver": "L-BFGS, float32",
        "standardise": "on train, then on train + valid",
        "tolerance": TOLERANCE,
    },
    solve=solve,
)
