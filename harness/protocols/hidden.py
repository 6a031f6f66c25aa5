"""A hidden layer's linear map and batch norm, forward and backward, for many heads at once.

A pass over an activation costs as much as a small matrix product, so there are two ways through:

- `Wide` goes over the activation: its moments, its normalisation, and both again backward.
- `Narrow` is for inputs of few numbers, K. What the linear map makes of them has the moments that
  their mean and covariance (K, K) have behind it, so the batch norm is a factor and a shift that
  the product takes along; backward, all that it adds is as small as the weight. Only a first
  layer can be one: nothing here leads back to the input.

Batch norm: Ioffe and Szegedy, https://arxiv.org/abs/1502.03167, as torch.nn.BatchNorm1d has it.
Shapes: B clips, g heads, K numbers in, H out. An input is (B, 1, K) where all heads see the same.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from harness.protocols.room import Room

MOMENTUM, EPSILON = 0.1, 1e-5  # of batch norm, torch's defaults
NARROW = 256  # numbers of an input up to which its covariance costs less than the passes


class Layer(NamedTuple):
    """A hidden layer of g heads, K → H: a linear map without its bias, and its batch norm."""

    weight: Tensor  # (g, H, K)
    gain: Tensor  # (g, H)
    shift: Tensor  # (g, H)
    mean: Tensor  # (g, H), running
    variance: Tensor  # (g, H), running, unbiased


class Slopes(NamedTuple):
    """Gradients of what a layer learns, in the layer's order."""

    weight: Tensor
    gain: Tensor
    shift: Tensor


class Wide(NamedTuple):
    """A layer as it was applied: input, linear map's output, and per column gain, mean, scale."""

    x: Tensor  # (B, 1 or g, K)
    linear: Tensor  # (B, g · H)
    gain: Tensor  # (g · H,)
    mean: Tensor
    scale: Tensor  # 1 / √(variance + ε)

    @classmethod
    def forward(cls, x: Tensor, layer: Layer, out: Tensor, room: Room, name: str) -> "Wide":
        """Fill `out` (B, g, H); moves the running statistics. The room keeps what is named."""
        linear = times(x, layer.weight, room(f"linear of {name}", *out.shape)).flatten(1)
        gain, shift = layer.gain.flatten(), layer.shift.flatten()
        mean, scale = torch.empty_like(gain), torch.empty_like(gain)
        torch.ops.aten.native_batch_norm.out(
            linear, gain, shift, layer.mean.view(-1), layer.variance.view(-1),
            True, MOMENTUM, EPSILON,
            out=out.flatten(1), save_mean=mean, save_invstd=scale,
        )  # fmt: skip
        return cls(x, linear, gain, mean, scale)

    def backward(self, slope: Tensor, out: Tensor) -> Slopes:
        """From the output's gradient (B, g, H), which becomes the linear map's, in place."""
        flat = slope.flatten(1)
        _, gain, shift = torch.ops.aten.native_batch_norm_backward(
            flat, self.linear, self.gain, None, None, self.mean, self.scale,
            True, EPSILON, [False, True, True],
        )  # fmt: skip
        # (slope - its mean - normed · mean of slope · normed) · gain · scale, in two passes; the
        # operator would do it in one, but into new memory.
        factor, tilt = self.gain * self.scale, gain * self.scale / -len(flat)
        flat.addcmul_(self.linear, tilt)
        torch.addcmul(-factor * (shift / len(flat) + tilt * self.mean), flat, factor, out=flat)
        return Slopes(outer(slope, self.x, out), *(t.view(slope.shape[1:]) for t in (gain, shift)))


class Narrow(NamedTuple):
    """A layer as it was applied: input and its mean, weight by covariance, gain and scale."""

    x: Tensor  # (B, 1 or g, K)
    middle: Tensor  # (1 or g, K)
    weight: Tensor  # (g, H, K)
    spread: Tensor  # (g, H, K), weight · covariance of x
    gain: Tensor  # (g, H)
    scale: Tensor  # (g, H), 1 / √(variance + ε)

    @classmethod
    def forward(cls, x: Tensor, layer: Layer, out: Tensor) -> "Narrow":
        """Fill `out` (B, g, H); moves the running statistics."""
        clips = len(x)
        middle = x.mean(dim=0)
        apart = (x - middle).transpose(0, 1)  # (1 or g, B, K)
        spread = layer.weight @ (apart.transpose(1, 2) @ apart).div_(clips)
        variance = (spread * layer.weight).sum(dim=2)
        mean = (layer.weight * middle[:, None]).sum(dim=2)
        layer.mean.lerp_(mean, MOMENTUM)
        layer.variance.lerp_(variance * (clips / (clips - 1)), MOMENTUM)
        scale = variance.add_(EPSILON).rsqrt_()
        factor = layer.gain * scale
        times(x, layer.weight * factor[:, :, None], out, layer.shift - mean * factor)
        return cls(x, middle, layer.weight, spread, layer.gain, scale)

    def backward(self, slope: Tensor, out: Tensor) -> Slopes:
        """From the output's gradient (B, g, H), which stays as it is."""
        shift = slope.sum(dim=0)
        met = outer(slope, self.x, out)
        met.sub_(shift[:, :, None] * self.middle[:, None])  # slope' by what x is beyond its mean
        gain = (met * self.weight).sum(dim=2).mul_(self.scale)  # Σ slope · normed
        tilt = gain * self.scale  # by Σ normed' x / B, which is scale · spread
        met.sub_(self.spread * tilt[:, :, None]).mul_((self.gain * self.scale)[:, :, None])
        return Slopes(met, gain, shift)


def times(x: Tensor, weight: Tensor, out: Tensor, shift: Tensor | None = None) -> Tensor:
    """(B, 1 or g, K) by each head's (H, K)', plus its shift (g, H): (B, g, H).

    What all heads share is one wide product.
    """
    if x.shape[1] == 1:
        flat, one, wide = out.flatten(1), x[:, 0], weight.flatten(0, 1).T
        if shift is None:
            torch.mm(one, wide, out=flat)
        else:
            torch.addmm(shift.flatten(), one, wide, out=flat)
    elif shift is None:
        torch.bmm(x.transpose(0, 1), weight.transpose(1, 2), out=out.transpose(0, 1))
    else:
        each = x.transpose(0, 1), weight.transpose(1, 2)
        torch.baddbmm(shift[:, None], *each, out=out.transpose(0, 1))
    return out


def outer(slope: Tensor, x: Tensor, out: Tensor) -> Tensor:
    """(B, g, H)' by (B, 1 or g, K) of each head: (g, H, K)."""
    if x.shape[1] == 1:
        torch.mm(slope.flatten(1).T, x[:, 0], out=out.flatten(0, 1))
    else:
        torch.bmm(slope.permute(1, 2, 0), x.transpose(0, 1), out=out)
    return out
