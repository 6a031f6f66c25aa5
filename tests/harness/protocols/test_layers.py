"""Against torch.nn, autograd and torch.optim.Adam, step by step."""

import math

import pytest
import torch
from torch import Tensor, nn

from harness.protocols import layers
from harness.protocols.layers import Adam, Init, Stack
from harness.protocols.room import Room

D, H, C, B = 6, 24, 5, 20
RATE = 0.1
INITS: tuple[Init, ...] = ("uniform", "normal", "uniform")
RATES = (3e-3, 1e-3, 1e-2)


class Reference(nn.Module):
    """A head as heareval builds it, from the same initial weights; dropout by a given mask."""

    def __init__(self, start: Stack) -> None:
        super().__init__()
        self.linear = nn.ModuleList()
        self.norm = nn.ModuleList()
        for layer in start.layers:
            _, outputs, inputs = layer.weight.shape
            linear = nn.Linear(inputs, outputs)
            linear.weight.data = layer.weight[0].clone()
            linear.bias.data = -layer.mean[0]
            self.linear.append(linear)
            self.norm.append(nn.BatchNorm1d(outputs))
        self.projection = nn.Linear(H, C)
        self.projection.weight.data = start.projection[0].clone()
        self.projection.bias.data = start.bias[0].clone()

    def forward(self, x: Tensor, masks: list[Tensor] | None = None) -> Tensor:
        for i, (linear, norm) in enumerate(zip(self.linear, self.norm, strict=True)):
            x = norm(linear(x))
            x = (x * (masks[i] > 0) / (1 - RATE) if masks else x).relu()
        return self.projection(x)


def started(depth: int) -> list[Stack]:
    """Three heads at their start."""
    return [
        layers.draw(depth, (D, H, C), init, torch.Generator().manual_seed(i))
        for i, init in enumerate(INITS)
    ]


def batch(step: int, *, several: bool, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    size = (B, C) if several else (B,)
    target = torch.randint(0, 2 if several else C, size, generator=generator)
    x = torch.randn(B, D, generator=generator, dtype=torch.float64) * 3 + 1
    return x.to(dtype), target.to(torch.uint8) if several else target


def seen(masks: list[Tensor]) -> list[Tensor]:
    """The same for all heads."""
    return [mask[:, None] for mask in masks]


def masks_of(step: int, depth: int, room: Room) -> list[Tensor]:
    return [layers.ceilings(RATE, (B, H), 2 * step + i, room, f"mask{i}") for i in range(depth)]


@torch.no_grad()
def trained(starts: list[Stack], rates: tuple[float, ...], steps: int, *, several: bool) -> Stack:
    """Heads side by side after some steps, in float64."""
    like = torch.empty(0, dtype=torch.float64)
    stack, room = layers.join(starts, like), Room(like)
    adam = Adam.start(stack, rates)
    for step in range(steps):
        x, target = batch(step, several=several, dtype=like.dtype)
        masks = masks_of(step, len(stack.layers), room)
        adam.move(
            stack, layers.gradients(stack, x[:, None], target[:, None], seen(masks), RATE, room)
        )
    return stack


@pytest.mark.parametrize("narrow", [0, D])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_every_step_equals_torch(
    depth: int, several: bool, dtype: torch.dtype, narrow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "NARROW", narrow)
    like = torch.empty(0, dtype=dtype)
    stack, room = layers.join(started(depth), like), Room(like)
    adam = Adam.start(stack, RATES)
    references = [Reference(start).to(dtype) for start in started(depth)]
    optimisers = [
        torch.optim.Adam(reference.parameters(), lr=rate)
        for reference, rate in zip(references, RATES, strict=True)
    ]
    exact = dtype == torch.float64
    for reference in references:  # in float32 Adam makes steps of its idle biases' rounding
        for linear in reference.linear:
            linear.bias.requires_grad_(exact)
    lose = nn.BCEWithLogitsLoss() if several else nn.CrossEntropyLoss()
    tolerance, steps = (1e-8, 100) if exact else (1e-4, 20)
    for step in range(steps):
        x, target = batch(step, several=several, dtype=dtype)
        masks = masks_of(step, depth, room)
        with torch.no_grad():
            adam.move(
                stack, layers.gradients(stack, x[:, None], target[:, None], seen(masks), RATE, room)
            )
        held_out, _ = batch(-1, several=several, dtype=dtype)
        logits = layers.logits(stack, held_out)
        for i, (reference, optimiser) in enumerate(zip(references, optimisers, strict=True)):
            reference.train()
            optimiser.zero_grad()
            lose(reference(x, masks), target.to(dtype) if several else target).backward()
            optimiser.step()
            reference.eval()
            torch.testing.assert_close(
                logits[:, i], reference(held_out).detach(), atol=tolerance, rtol=tolerance
            )
            for layer, norm in zip(stack.layers, reference.norm, strict=True):
                torch.testing.assert_close(
                    layer.variance[i], norm.running_var, atol=tolerance, rtol=tolerance
                )
                torch.testing.assert_close(
                    layer.gain[i], norm.weight.detach(), atol=tolerance, rtol=tolerance
                )


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_head_does_not_notice_its_company(depth: int, several: bool) -> None:
    together = trained(started(depth), RATES, 50, several=several)
    x, _ = batch(-1, several=several, dtype=torch.float64)
    for i, start in enumerate(started(depth)):
        alone = trained([start], RATES[i : i + 1], 50, several=several)
        for part, whole in zip(alone.learnt(), together.learnt(), strict=True):
            torch.testing.assert_close(part[0], whole[i], atol=1e-9, rtol=1e-9)
        torch.testing.assert_close(layers.logits(alone, x)[:, 0], layers.logits(together, x)[:, i])


def test_many_rows_are_judged_as_few_are() -> None:
    stack = layers.join(started(2), torch.empty(0))
    features = torch.randn(50, D, generator=torch.Generator().manual_seed(0))
    rows = torch.arange(layers.ROWS + 7) % 50
    found = layers.logits_of(stack, features, rows)
    torch.testing.assert_close(found, layers.logits(stack, features)[rows])


def test_some_of_the_heads_go_on_as_if_nothing_had_happened() -> None:
    like = torch.empty(0, dtype=torch.float64)
    stack, room = layers.join(started(2), like), Room(like)
    adam = Adam.start(stack, RATES)
    for step in range(20):
        if step == 10:
            stack, adam = stack.only([2, 0]), adam.only([2, 0])
        x, target = batch(step, several=False, dtype=like.dtype)
        masks = masks_of(step, 2, room)
        adam.move(
            stack, layers.gradients(stack, x[:, None], target[:, None], seen(masks), RATE, room)
        )
    all_along = trained(started(2), RATES, 20, several=False)
    for part, whole in zip(stack.learnt(), all_along.only([2, 0]).learnt(), strict=True):
        torch.testing.assert_close(part, whole, atol=1e-9, rtol=1e-9)


def test_a_copy_stays_as_it_is() -> None:
    stack = layers.join(started(1), torch.empty(0))
    copy = stack.only([1])
    for tensor in stack.learnt():
        tensor.zero_()
    assert copy.projection.abs().sum() > 0


@pytest.mark.parametrize("init", ["uniform", "normal"])
def test_initial_weights_are_xaviers(init: Init) -> None:
    sizes = (300, 400, 200)
    start = layers.draw(2, sizes, init, torch.Generator().manual_seed(0))
    weights = [layer.weight[0] for layer in start.layers] + [start.projection[0]]
    for weight, gain in zip(weights, (1.0, math.sqrt(2), math.sqrt(2)), strict=True):
        expected = gain * math.sqrt(2 / sum(weight.shape))
        assert float(weight.std()) == pytest.approx(expected, rel=0.01)
        assert abs(float(weight.mean())) < 0.02 * expected
        if init == "uniform":
            assert float(weight.abs().max()) == pytest.approx(expected * math.sqrt(3), rel=1e-3)
        else:
            assert float(weight.abs().max()) > 3.5 * expected
    biases = [-layer.mean[0] for layer in start.layers] + [start.bias[0]]
    for bias, inputs in zip(biases, (300, 400, 400), strict=True):
        assert float(bias.abs().max()) == pytest.approx(1 / math.sqrt(inputs), rel=0.05)
    assert all((layer.variance == 1).all() for layer in start.layers)


def test_initial_weights_follow_from_the_generator() -> None:
    one, same = (
        layers.draw(2, (D, H, C), "normal", torch.Generator().manual_seed(3)) for _ in range(2)
    )
    other = layers.draw(2, (D, H, C), "normal", torch.Generator().manual_seed(4))
    for a, b in zip(one.learnt(), same.learnt(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.projection, other.projection)


def test_dropout_drops_a_tenth() -> None:
    room = Room(torch.empty(0))
    drawn = [layers.ceilings(0.1, (1000, 1024), seed, room, "mask").clone() for seed in range(8)]
    dropped = torch.stack([mask == 0 for mask in drawn]).double()
    assert float(dropped.mean()) == pytest.approx(0.1, abs=4 * 0.3 / math.sqrt(8e6))
    # Units and clips drop independently: their shares spread as those of fair coins do.
    for dim, size in ((1, 1000), (2, 1024)):
        shares = dropped.mean(dim=dim)
        assert float(shares.std()) == pytest.approx(0.3 / math.sqrt(size), rel=0.05)
    assert {0.0, torch.finfo(torch.float32).max} == set(drawn[0].unique().tolist())


def test_dropout_follows_from_the_seed() -> None:
    room = Room(torch.empty(0))
    one, same, other = (
        layers.ceilings(0.1, (7, 9), seed, room, "mask").clone() for seed in (5, 5, 6)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_no_dropout_drops_nothing() -> None:
    assert (layers.ceilings(0.0, (64, 64), 0, Room(torch.empty(0)), "mask") > 0).all()


def test_room_hands_out_the_same_memory_again() -> None:
    room = Room(torch.empty(0))
    first = room("a", 4, 6)
    assert room("a", 2, 5).data_ptr() == first.data_ptr()
    assert room("b", 4, 6).data_ptr() != first.data_ptr()
    assert room("a", 8, 6).shape == (8, 6)
