"""Multinomial and binary logistic regression, many L2 strengths at once, by L-BFGS in torch.

For each member m (one strength; with several labels per clip, one strength and one class) the
solver minimises  mean over clips of the log-loss + λ_m / 2 · |W_m|²,  intercept free, which is
scikit-learn's objective for C = 1 / (λ n). It is convex: there is nothing to tune.

What makes it fast:
- All members share the features, so a step is one product (n, D) @ (D, columns of all members).
- Logits are linear in the step length: one product gives them for every length, and the line
  search costs no product at all. An iteration is two products, whatever the search does.
- The penalty does not notice a rotation, so the features are turned into the eigenbasis of their
  covariance. There the Hessian is close to diagonal, c σ_d² + λ, with c read off the last step:
  the right first guess for L-BFGS, which it corrects from the steps it has seen
  (Nocedal and Wright, Numerical Optimization, ch. 7.2). From zero it is Newton's own step.
- Members that have converged leave.
"""

from collections import deque
from typing import NamedTuple

import torch

MEMORY = 8  # steps remembered
ITERATIONS = 2000
WOLFE = 0.3  # the slope that a step may leave, relative to the slope it started with
TRIALS = 12
ROUNDING = 2e-8  # of the features' norm: a gradient below it is float32's own
FREQUENCY = 1e-6  # by how much the predicted class frequencies may miss the true ones
LEAVE = 0.875  # converged members leave once no more than this share is at work
LOGITS = 2**27  # entries of the largest matrix of logits, 512 MB; members beyond it wait


class Basis(NamedTuple):
    """Where the solver works: rotated features with a column of ones, and their variances."""

    features: torch.Tensor  # (n, R + 1)
    variance: torch.Tensor  # (R + 1, 1, 1) mean square of each column
    turn: torch.Tensor  # (D, R) orthonormal columns: features = standardised @ turn


class Solution(NamedTuple):
    """weights (R + 1, M, C) in the basis, the last row the intercepts; members not converged."""

    weights: torch.Tensor
    unconverged: int


def rotate(features: torch.Tensor) -> Basis:
    """Turn centred (n, D) features into the eigenbasis of their covariance, R = min(n, D)."""
    n, d = features.shape
    turn = torch.eye(d, dtype=features.dtype, device=features.device)
    if n < d:  # the solution lies in the span of the clips
        turn = torch.linalg.qr(features.T).Q
    spanned = features @ turn
    _, vectors = torch.linalg.eigh((spanned.T @ spanned).double())
    turn = turn @ vectors.to(features.dtype)
    ones = torch.ones(n, 1, dtype=features.dtype, device=features.device)
    rotated = torch.cat([features @ turn, ones], dim=1)
    return Basis(rotated, rotated.square().mean(dim=0)[:, None, None], turn)


def minimise(
    basis: Basis,
    goal: torch.Tensor,
    decay: torch.Tensor,
    classes: int,
    tolerance: float,
) -> Solution:
    """Fit every member from zero until its weights are known to the tolerance (`_far`).

    goal: (n,) int64 class of each clip (softmax over the classes of a member), or (n, M) uint8,
    0 or 1 (one logit per member, classes = 1). decay: (M,) λ.
    """
    members = len(decay)
    weights = basis.features.new_zeros(basis.features.shape[1], members, classes)
    together = max(1, LOGITS // (len(goal) * classes))
    unconverged = 0
    for first in range(0, members, together):
        part = torch.arange(first, min(first + together, members), device=weights.device)
        state = _begin(
            basis, goal if goal.ndim == 1 else goal[:, part], decay[part], weights[:, part]
        )
        history: deque[_Step] = deque(maxlen=MEMORY)
        for _ in range(ITERATIONS):
            active = _far(basis, state, tolerance)
            if not active.any():
                break
            if active.sum() <= LEAVE * active.numel():
                weights[:, part] = state.weights
                keep = torch.nonzero(active)[:, 0]
                part, state = part[keep], state.only(keep)
                history = deque((step.only(keep) for step in history), maxlen=MEMORY)
            state, step = _advance(basis, state, _direction(basis, state, history))
            history.append(step)
        else:
            unconverged += int(active.sum())
        weights[:, part] = state.weights
    return Solution(weights, unconverged)


class _Step(NamedTuple):
    """One step taken, and what it did to the gradient: (R + 1, M, C) each; inverse (M,)."""

    moved: torch.Tensor
    turned: torch.Tensor
    inverse: torch.Tensor  # 1 / <moved, turned>

    def only(self, keep: torch.Tensor) -> "_Step":
        return _Step(self.moved[:, keep], self.turned[:, keep], self.inverse[keep])


class _State(NamedTuple):
    """Members at work, M of them with C classes each."""

    goal: torch.Tensor
    decay: torch.Tensor  # (R + 1, M, 1); 0 for the intercept
    curvature: torch.Tensor  # (M,)
    weights: torch.Tensor  # (R + 1, M, C)
    logits: torch.Tensor  # (n, M, C)
    gradient: torch.Tensor  # (R + 1, M, C)

    def only(self, keep: torch.Tensor) -> "_State":
        goal = self.goal if self.goal.ndim == 1 else self.goal[:, keep]
        curvature, tensors = self.curvature[keep], (self.decay, *self[3:])
        decay, weights, logits, gradient = (tensor[:, keep] for tensor in tensors)
        return _State(goal, decay, curvature, weights, logits, gradient)


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Inner product of each member, (…, M, C) × (…, M, C) → (M,)."""
    return (a * b).sum(dim=(0, 2))


def _norm(a: torch.Tensor) -> torch.Tensor:
    return _dot(a, a).sqrt()


def _times(matrix: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """One wide product for all members: (a, b) @ (b, M, C) → (a, M, C)."""
    return (matrix @ columns.flatten(1)).view(len(matrix), *columns.shape[1:])


def _residual(logits: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """Probabilities minus what they should be: (n, M, C), overwriting the logits."""
    if goal.ndim == 2:
        return logits.sigmoid_().sub_(goal[:, :, None])
    probabilities = torch.softmax(logits, dim=2)
    index = goal[:, None, None].expand(-1, logits.shape[1], 1)
    return probabilities.scatter_add_(2, index, torch.full_like(logits[:, :, :1], -1))


def _begin(basis: Basis, goal: torch.Tensor, decay: torch.Tensor, weights: torch.Tensor) -> _State:
    decay = decay[None, :, None].repeat(len(weights), 1, 1)
    decay[-1] = 0
    logits = _times(basis.features, weights)
    residual = _residual(logits.clone(), goal)
    gradient = _times(basis.features.T, residual) / len(residual) + decay * weights
    share = residual.abs()  # p where the goal is 0, 1 - p where it is 1
    curvature = _dot(share, 1 - share) / len(share) / max(1, share.shape[2] - 1)
    return _State(goal, decay, curvature, weights, logits, gradient)


def _far(basis: Basis, state: _State, tolerance: float) -> torch.Tensor:
    """Members whose weights may still be off by more than the tolerance: (M,) bool.

    The objective curves by λ at least, so |W - W*| ≤ |gradient| / λ: asking for
    |gradient| ≤ tolerance · λ |W| bounds the relative error, whatever strength and scale.
    The intercepts' gradient is by how much the predicted class frequencies miss the true ones.
    """
    steep = _norm(state.gradient[:-1])
    pull = _norm(state.decay[:-1] * state.weights[:-1])
    noise = ROUNDING * basis.variance[:-1].sum().sqrt()
    missed = _norm(state.gradient[-1:])
    return (steep > torch.maximum(tolerance * pull, noise)) | (missed > FREQUENCY)


def _direction(basis: Basis, state: _State, history: "deque[_Step]") -> torch.Tensor:
    """L-BFGS by two loops over the steps remembered, from the diagonal c σ² + λ."""
    q = -state.gradient
    along = []
    for step in reversed(history):
        along.append(step.inverse * _dot(step.moved, q))
        q = q - along[-1][:, None] * step.turned
    q = q / (state.curvature[:, None] * basis.variance + state.decay + 1e-12)
    for step, share in zip(history, reversed(along), strict=True):
        q = q + (share - step.inverse * _dot(step.turned, q))[:, None] * step.moved
    return q


def _advance(basis: Basis, state: _State, direction: torch.Tensor) -> tuple[_State, _Step]:
    n = len(state.logits)
    rise = _times(basis.features, direction)
    length, residual = _search(state, direction, rise)
    moved = length[:, None] * direction
    weights = state.weights + moved
    gradient = _times(basis.features.T, residual) / n + state.decay * weights
    turned = gradient - state.gradient
    product = _dot(moved, turned)
    inverse = torch.where(product > 0, 1 / product, 0)
    decayed = _dot(moved, state.decay * moved)
    spread = _dot(moved, basis.variance * moved)
    curvature = ((product - decayed) / spread).clamp(1e-6, 1.0)
    curvature = torch.where(spread > 0, curvature, state.curvature)
    logits = state.logits + length[:, None] * rise
    state = state._replace(curvature=curvature, weights=weights, logits=logits, gradient=gradient)
    return state, _Step(moved, turned, inverse)


def _search(
    state: _State, direction: torch.Tensor, rise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Length for each member at which the slope has all but gone, and the residual there.

    The objective is convex along the line, so its slope grows: bracket its zero, then secant.
    """
    n = len(rise)
    linear = _dot(state.decay * state.weights, direction)
    square = _dot(state.decay * direction, direction)
    first = _dot(state.gradient, direction)
    length = torch.ones_like(first)
    low, high = torch.zeros_like(first), torch.full_like(first, torch.inf)
    slope_low, slope_high = first, torch.zeros_like(first)
    for trial in range(TRIALS):
        residual = _residual(state.logits + length[:, None] * rise, state.goal)
        slope = _dot(residual, rise) / n + linear + length * square
        done = slope.abs() <= WOLFE * first.abs()
        if trial == TRIALS - 1 or done.all():
            break
        below = slope < 0
        before, slope_before = low, slope_low
        low, slope_low = torch.where(below, length, low), torch.where(below, slope, slope_low)
        high, slope_high = torch.where(below, high, length), torch.where(below, slope_high, slope)
        outside = length - slope * (length - before) / (slope - slope_before)
        outside = torch.clamp(outside.nan_to_num(torch.inf), 1.5 * length, 5 * length)
        inside = low - slope_low * (high - low) / (slope_high - slope_low)
        inside = torch.clamp(inside, low + 0.1 * (high - low), high - 0.1 * (high - low))
        length = torch.where(done, length, torch.where(high.isinf(), outside, inside))
    return length, residual
