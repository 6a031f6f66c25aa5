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

from harness.protocols.hidden import EPSILON, NARROW, Layer, Narrow, Wide, outer, times
from harness.protocols.room import Room

Init = Literal["uniform", "normal"]
Sizes = tuple[int, int, int]  # D numbers of an embedding, H of a hidden layer, C classes

ROWS = 4096  # judged at once


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
        kept = layer._replace(gain=layer.gain / (1 - rate), shift=layer.shift / (1 - rate))
        given = room(f"given{i}", len(x), *layer.gain.shape)
        narrow = i == 0 and x.shape[2] <= NARROW
        applied = (
            Narrow.forward(taken, kept, given)
            if narrow
            else Wide.forward(taken, kept, given, room, f"{i}")
        )
        torch.clamp(given, given.new_zeros(()), mask, out=given)
        tape.append((applied, given))
        taken = given
    logits = times(taken, stack.projection, room("logits", len(x), *stack.bias.shape))
    slope = _slope(logits.add_(stack.bias), target)
    found = [outer(slope, taken, room("projection", *stack.projection.shape)), slope.sum(dim=0)]
    above = stack.projection
    for i, (applied, given) in reversed(list(enumerate(tape))):
        slope = times(slope, above.transpose(1, 2), room(f"slope{i}", *given.shape))
        torch.ops.aten.threshold_backward.grad_input(slope, given, 0, grad_input=slope)
        above = stack.layers[i].weight
        weight, *own = applied.backward(slope, room(f"weight{i}", *above.shape))
        found = [weight, *(tensor.div_(1 - rate) for tensor in own), *found]
    return found


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
        linear = times(taken, layer.weight, x.new_empty(len(x), *scale.shape))
        shift = layer.shift - layer.mean * scale
        taken = torch.addcmul(shift, linear, scale, out=linear).relu_()
    out = x.new_empty(len(x), *stack.bias.shape)
    return times(taken, stack.projection, out).add_(stack.bias)


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
        for rate in dict.fromkeys(self.rates):
            heads = [head for head, own in enumerate(self.rates) if own == rate]
            learnt, slope, first, second = (
                [tensor[head] for head in heads for tensor in kind] for kind in kinds
            )
            steps = [self.steps[head] for head in heads for _ in slopes]
            torch._fused_adam_(
                learnt, slope, first, second, [], steps, lr=rate,
                beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
            )  # fmt: skip
