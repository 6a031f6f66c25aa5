"""The mathematics of shallow heads, many at once: forward, backward and Adam, written out.

A head is one or two hidden layers (linear, batch norm, dropout, ReLU) and a projection to the
classes, as in HEAR 2021 (heareval/predictions/task_predictions.py). The heads of a stack have
one shape, see the same batches and the same dropout, and touch each other nowhere.

What is not a matrix product costs time too: each pass over an activation, and each fresh page of
memory more than the pass. Written out, without a tape, there are few of both:
- Batch norm takes away whatever a hidden layer's bias adds, so the bias has a gradient of exactly
  zero and is not kept. All it ever does is enter the running mean, which starts at 0: without
  the bias, that is a running mean that starts at minus the bias.
- ReLU and dropout are one clamp: from 0 to a ceiling that is 0 where an entry is dropped.
  Dropout's 1 / (1 - rate) moves into the batch norm's gain and shift.
- An activation is then above 0 exactly where a gradient passes: backward needs no mask.
- Every step writes where the step before it wrote.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Init = Literal["uniform", "normal"]
Sizes = tuple[int, int, int]  # D numbers of an embedding, H of a hidden layer, C classes

MOMENTUM, EPSILON = 0.1, 1e-5  # of batch norm, torch's defaults
ROWS = 4096  # judged at once


class Layer(NamedTuple):
    """A hidden layer of g heads, K → H: a linear map without its bias, and its batch norm."""

    weight: Tensor  # (g, H, K)
    gain: Tensor  # (g, H)
    shift: Tensor  # (g, H)
    mean: Tensor  # (g, H), running
    variance: Tensor  # (g, H), running, unbiased


class Stack(NamedTuple):
    """g heads of one shape, D → H (→ H) → C."""

    layers: tuple[Layer, ...]
    projection: Tensor  # (g, C, H)
    bias: Tensor  # (g, C)

    def learnt(self) -> list[Tensor]:
        """What Adam moves, in the order of `gradients`."""
        learnt = [tensor for layer in self.layers for tensor in layer[:3]]
        return [*learnt, self.projection, self.bias]

    def only(self, keep: Sequence[int] | slice) -> "Stack":
        """Some of the heads: a copy, or what a slice sees of them."""
        layers = tuple(Layer(*(tensor[keep] for tensor in layer)) for layer in self.layers)
        return Stack(layers, self.projection[keep], self.bias[keep])


def draw(depth: int, sizes: Sizes, init: Init, generator: torch.Generator) -> Stack:
    """One head at its start, on the CPU.

    Weights are Xavier's, with gain 1 where embeddings enter and √2 where a ReLU's output does;
    biases uniform within 1 / √fan-in, as torch has them.
    """
    inputs, hidden, classes = sizes
    xavier = nn.init.xavier_uniform_ if init == "uniform" else nn.init.xavier_normal_
    layers = []
    for position in range(depth):
        weight = torch.empty(hidden, inputs)
        xavier(weight, gain=math.sqrt(2) if position else 1.0, generator=generator)
        bias = _bias(hidden, inputs, generator)
        one, zero = torch.ones(hidden), torch.zeros(hidden)
        layers.append(Layer(*(t[None] for t in (weight, one, zero, -bias, one.clone()))))
        inputs = hidden
    projection = torch.empty(classes, hidden)
    xavier(projection, gain=math.sqrt(2), generator=generator)
    return Stack(tuple(layers), projection[None], _bias(classes, hidden, generator)[None])


def _bias(outputs: int, inputs: int, generator: torch.Generator) -> Tensor:
    bound = 1 / math.sqrt(inputs)
    return torch.empty(outputs).uniform_(-bound, bound, generator=generator)


def join(stacks: Sequence[Stack], like: Tensor) -> Stack:
    """Stacks of one shape side by side, on the device and in the type of `like`."""

    def side_by_side(tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(tensors)).to(like)

    layers = zip(*(stack.layers for stack in stacks), strict=True)
    return Stack(
        tuple(Layer(*map(side_by_side, zip(*layer, strict=True))) for layer in layers),
        side_by_side([stack.projection for stack in stacks]),
        side_by_side([stack.bias for stack in stacks]),
    )


class Room:
    """Memory by name, taken once and used again by every step, on the device of `like`.

    Memory taken anew comes in pages that the system clears first: slower than computing on it.
    """

    def __init__(self, like: Tensor) -> None:
        self._like = like
        self._taken: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """A contiguous tensor with whatever its last user left in it; one name, one type."""
        size = math.prod(shape)
        if name not in self._taken or len(self._taken[name]) < size:
            self._taken[name] = self._like.new_empty(size, dtype=dtype)
        return self._taken[name][:size].view(shape)


def ceilings(rate: float, shape: tuple[int, ...], seed: int, room: Room, name: str) -> Tensor:
    """Dropout's mask as a ceiling of this shape: 0 with probability `rate`, else no bound.

    16 random bits decide an entry: 0.1 is met within 1e-5. The mask depends on the seed, the
    shape and the kind of device alone. It lies in the room under the name.
    """
    size = math.prod(shape)
    words = room("random", -(-size // 4), dtype=torch.int64)
    generator = torch.Generator(words.device).manual_seed(seed)
    bits = words.random_(-(2**63), None, generator=generator).view(torch.int16)[:size]
    least = round(rate * 2**16) - 2**15  # that keeps an entry
    mask = torch.ge(bits.view(shape), least, out=room(name, *shape))
    return mask.mul_(torch.finfo(mask.dtype).max)


def gradients(
    stack: Stack, x: Tensor, target: Tensor, masks: Sequence[Tensor], rate: float, room: Room
) -> list[Tensor]:
    """Gradients of each head's loss, in the order of `learnt`; moves the running statistics.

    x: (B, 1 or g, D), what all heads see or each of them. target: likewise (B, 1 or g) int64 for
    the mean cross-entropy of the softmax; (B, 1 or g, C) of 0 and 1 for the mean binary
    cross-entropy over clips and classes. masks: (B, 1 or g, H) `ceilings` per hidden
    layer, of dropout with this rate. The gradients lie in the room until its next use.
    """
    taken, tape = x, []
    for i, (layer, mask) in enumerate(zip(stack.layers, masks, strict=True)):
        linear = _times(taken, layer.weight, room(f"linear{i}", len(x), *layer.gain.shape))
        norm, given = _normalise(linear, layer, rate, room(f"given{i}", *linear.shape))
        torch.clamp(given, given.new_zeros(()), mask, out=given)
        tape.append((taken, norm, given))
        taken = given
    logits = _times(taken, stack.projection, room("logits", len(x), *stack.bias.shape))
    slope = _slope(logits.add_(stack.bias), target)
    found = [_outer(slope, taken, room("projection", *stack.projection.shape)), slope.sum(dim=0)]
    above = stack.projection
    for i, (taken, norm, given) in reversed(list(enumerate(tape))):
        slope = _times(slope, above.transpose(1, 2), room(f"slope{i}", *given.shape))
        torch.ops.aten.threshold_backward.grad_input(slope, given, 0, grad_input=slope)
        own = [t.view(slope.shape[1:]).div_(1 - rate) for t in norm.backward(slope)]
        above = stack.layers[i].weight
        found = [_outer(slope, taken, room(f"weight{i}", *above.shape)), *own, *found]
    return found


class _Norm(NamedTuple):
    """A batch norm as it was applied: its input, flat, and per column gain, mean and scale."""

    x: Tensor  # (B, g · H)
    gain: Tensor  # (g · H,), dropout's factor in it
    mean: Tensor
    scale: Tensor  # 1 / √(variance + ε)

    def backward(self, slope: Tensor) -> tuple[Tensor, Tensor]:
        """From the output's gradient to the input's, in place; those of gain and shift."""
        flat = slope.flatten(1)
        _, gain, shift = torch.ops.aten.native_batch_norm_backward(
            flat, self.x, self.gain, None, None, self.mean, self.scale,
            True, EPSILON, [False, True, True],
        )  # fmt: skip
        # (slope - its mean - normed · mean of slope · normed) · gain · scale, in two passes; the
        # operator would do it in one, but into new memory.
        factor, tilt = self.gain * self.scale, gain * self.scale / -len(flat)
        flat.addcmul_(self.x, tilt)
        torch.addcmul(-factor * (shift / len(flat) + tilt * self.mean), flat, factor, out=flat)
        return gain, shift


def _normalise(linear: Tensor, layer: Layer, rate: float, out: Tensor) -> tuple[_Norm, Tensor]:
    """Batch norm of (B, g, H) and dropout's factor; moves the running statistics."""
    gain, shift = layer.gain.flatten() / (1 - rate), layer.shift.flatten() / (1 - rate)
    norm = _Norm(linear.flatten(1), gain, torch.empty_like(gain), torch.empty_like(gain))
    torch.ops.aten.native_batch_norm.out(
        norm.x, gain, shift, layer.mean.view(-1), layer.variance.view(-1),
        True, MOMENTUM, EPSILON,
        out=out.flatten(1), save_mean=norm.mean, save_invstd=norm.scale,
    )  # fmt: skip
    return norm, out


def _times(x: Tensor, weight: Tensor, out: Tensor) -> Tensor:
    """(B, 1 or g, K) by each head's (H, K)': (B, g, H). What all share is one wide product."""
    if x.shape[1] == 1:
        torch.mm(x[:, 0], weight.flatten(0, 1).T, out=out.flatten(1))
    else:
        torch.bmm(x.transpose(0, 1), weight.transpose(1, 2), out=out.transpose(0, 1))
    return out


def _outer(slope: Tensor, x: Tensor, out: Tensor) -> Tensor:
    """(B, g, H)' by (B, 1 or g, K) of each head: (g, H, K)."""
    if x.shape[1] == 1:
        torch.mm(slope.flatten(1).T, x[:, 0], out=out.flatten(0, 1))
    else:
        torch.bmm(slope.permute(1, 2, 0), x.transpose(0, 1), out=out)
    return out


def _slope(logits: Tensor, target: Tensor) -> Tensor:
    """Gradient of each head's loss in its logits (B, g, C)."""
    clips, _, classes = logits.shape
    if target.ndim == 3:
        return logits.sigmoid_().sub_(target).div_(clips * classes)
    truth = target[:, :, None] == torch.arange(classes, device=target.device)
    return torch.softmax(logits, dim=2).sub_(truth.to(logits)).div_(clips)


def logits(stack: Stack, x: Tensor) -> Tensor:
    """(n, D) → (n, g, C) by the running statistics, without dropout."""
    taken = x[:, None]
    for layer in stack.layers:
        scale = layer.gain * torch.rsqrt(layer.variance + EPSILON)
        linear = _times(taken, layer.weight, x.new_empty(len(x), *scale.shape))
        shift = layer.shift - layer.mean * scale
        taken = torch.addcmul(shift, linear, scale, out=linear).relu_()
    out = x.new_empty(len(x), *stack.bias.shape)
    return _times(taken, stack.projection, out).add_(stack.bias)


def logits_of(stack: Stack, features: Tensor, rows: Tensor) -> Tensor:
    """As `logits` for some rows (n,) of the features (N, D), of which few are copied at once."""
    return torch.cat([logits(stack, features[part]) for part in rows.split(ROWS)])


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba, algorithm 1, each head with its own learning rate; no weight decay."""

    rates: tuple[float, ...]
    moments: tuple[list[Tensor], list[Tensor]]  # of the gradient and of its square
    steps: Tensor  # (g,) float32, taken so far

    @classmethod
    def start(cls, stack: Stack, rates: Sequence[float]) -> "Adam":
        """Before the first step."""
        zeros = [torch.zeros_like(tensor) for tensor in stack.learnt()]
        steps = stack.bias.new_zeros(len(rates), dtype=torch.float32)
        return cls(tuple(rates), (zeros, [tensor.clone() for tensor in zeros]), steps)

    def only(self, keep: Sequence[int] | slice) -> "Adam":
        """For some of the heads: a copy, or what a slice sees of it."""
        first, second = ([tensor[keep] for tensor in kind] for kind in self.moments)
        rates = self.rates[keep] if isinstance(keep, slice) else [self.rates[i] for i in keep]
        return Adam(tuple(rates), (first, second), self.steps[keep])

    def move(self, stack: Stack, slopes: Sequence[Tensor]) -> None:
        """One step of every head, in place; those with one rate in one call."""
        self.steps.add_(1)
        kinds = (stack.learnt(), slopes, *self.moments)
        by_head = (zip(*map(Tensor.unbind, kind), strict=True) for kind in kinds)
        each = list(zip(*by_head, strict=True))
        for rate in dict.fromkeys(self.rates):
            heads = [head for head, own in enumerate(self.rates) if own == rate]
            learnt, slope, first, second = (
                [tensor for head in heads for tensor in each[head][kind]] for kind in range(4)
            )
            steps = [self.steps[head] for head in heads for _ in each[head][0]]
            torch._fused_adam_(
                learnt, slope, first, second, [], steps, lr=rate,
                beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
            )  # fmt: skip
