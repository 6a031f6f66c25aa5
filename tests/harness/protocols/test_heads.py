"""Whole trainings, small: against a plain PyTorch loop, alone and in company, to their end."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.errors import UserError
from harness.protocols import heads as heads_module
from harness.protocols.heads import Division, Head, Judge, Schedule, Trained, train

D, C = 6, 3
SHORT = Schedule(hidden=16, batch=16, max_epochs=12, every=2, patience=3)
GRID = (
    Head(1, 1e-2, "uniform", 0),
    Head(2, 3e-3, "normal", 0),
    Head(2, 1e-2, "uniform", 1),
    Head(1, 1e-2, "normal", 1),
    Head(2, 1e-3, "normal", 0),
    Head(1, 1e-3, "uniform", 0),
    Head(2, 3e-3, "uniform", 1),
    Head(2, 1e-2, "normal", 0),
)


def clouds(*, several: bool = False, n: int = 90) -> tuple[Tensor, Tensor]:
    """Features and targets that have something to do with each other."""
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(n, D, generator=generator)
    hidden = features @ torch.randn(D, C, generator=generator)
    hidden += torch.randn(n, C, generator=generator)
    return features, hidden > 0 if several else hidden.argmax(dim=1)


def halves(n: int = 90) -> list[Division]:
    """Two divisions of the same rows; the batches of neither come out even."""
    order = np.random.default_rng(2).permutation(n)
    return [Division(order[:60], order[60:]), Division(order[35:], order[:35])]


def loss_judge(targets: Tensor, heads: Sequence[Head], divisions: Sequence[Division]) -> Judge:
    """Negative validation loss; notes the logits."""

    def judge(number: int, logits: Tensor) -> tuple[float, Tensor]:
        truth = targets[torch.from_numpy(divisions[heads[number].division].valid)]
        if truth.ndim == 2:
            loss = nn.functional.binary_cross_entropy_with_logits(logits, truth.to(logits))
        else:
            loss = nn.functional.cross_entropy(logits, truth)
        return -float(loss), logits.clone()

    return judge


def run(
    heads: Sequence[Head],
    schedule: Schedule = SHORT,
    *,
    several: bool = False,
    width: int | None = None,
    seed: int = 0,
) -> list[Trained]:
    """In float64, where rounding has no time to grow."""
    features, targets = clouds(several=several)
    judge = loss_judge(targets, heads, halves())
    return train(features.double(), targets, C, heads, halves(), schedule, judge, seed, width=width)


def same(ours: Trained, theirs: Trained) -> None:
    assert ours.epoch == theirs.epoch
    assert ours.value == pytest.approx(theirs.value, abs=1e-7)
    torch.testing.assert_close(ours.note, theirs.note, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_same_alone_and_in_company(several: bool, shuffle: bool) -> None:
    schedule = replace(SHORT, shuffle=shuffle)
    company = run(GRID, schedule, several=several)
    backwards = run(GRID[::-1], schedule, several=several)[::-1]
    stacked = run(GRID, schedule, several=several, width=8)
    for i, head in enumerate(GRID):
        (alone,) = run([head], schedule, several=several)
        for other in (company[i], backwards[i], stacked[i]):
            same(other, alone)


def test_divisions_of_any_length_train_in_one_stack() -> None:
    """One has a batch more than the others, of one the last row is alone, two are equally long."""
    features, targets = clouds()
    order = np.random.default_rng(3).permutation(90)
    lengths = (33, 64, 40, 40)
    divisions = [Division(np.roll(order, 9 * n)[:n], np.roll(order, 9 * n)[n:]) for n in lengths]
    heads = [Head(2, 1e-2, "normal", number) for number in range(4)]
    judge = loss_judge(targets, heads, divisions)
    arguments = (features.double(), targets, C, heads, divisions, SHORT, judge, 0)
    for one, other in zip(train(*arguments, width=1), train(*arguments, width=4), strict=True):
        same(other, one)


def test_heads_of_one_stack_end_one_by_one() -> None:
    """Each ends at a validation of its own; what the others become does not change."""
    heads = [replace(GRID[0], learning_rate=rate) for rate in (1e-3, 3e-3, 1e-2, 3e-2)]
    features, targets = clouds()
    truth = loss_judge(targets, heads, halves())
    seen: list[int] = []

    def judge(number: int, logits: Tensor) -> tuple[float, Tensor]:
        seen.append(number)
        value, note = truth(number, logits)
        return (-np.inf if seen.count(number) == number + 1 else value), note

    found = train(features.double(), targets, C, heads, halves(), SHORT, judge, 0, width=4)
    assert [seen.count(number) for number in range(4)] == [1, 2, 3, 4]
    ends = [
        run([head], replace(SHORT, max_epochs=2 * max(1, number)))[0]
        for number, head in enumerate(heads)
    ]
    assert found[0].value == -np.inf
    for ours, theirs in zip(found[1:], ends[1:], strict=True):
        same(ours, theirs)


def plain(head: Head, features: Tensor, targets: Tensor, division: Division) -> nn.Sequential:
    """The head in torch.nn, from the weights that ours starts with."""
    judge = loss_judge(targets, [head], [division])
    setting = heads_module._Setting(features, targets, C, [division], SHORT, judge, 0, 1)
    start = heads_module._draw(setting, head)
    modules: list[nn.Module] = []
    for layer in start.layers:
        linear = nn.Linear(layer.weight.shape[2], SHORT.hidden)
        linear.weight.data, linear.bias.data = layer.weight[0], -layer.mean[0]
        modules += [linear, nn.BatchNorm1d(SHORT.hidden), nn.ReLU()]
    projection = nn.Linear(SHORT.hidden, C)
    projection.weight.data, projection.bias.data = start.projection[0], start.bias[0]
    return nn.Sequential(*modules, projection).to(features)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("rows", [40, 49])  # 49: the last of 16, 16 and 17 would be alone
def test_equals_a_plain_loop(depth: int, several: bool, rows: int) -> None:
    features, targets = clouds(several=several)
    features = features.double()
    division = Division(np.arange(90)[::-1][:rows].copy(), np.arange(30))
    head = Head(depth, 1e-2, "normal", 0)
    schedule = replace(SHORT, dropout=0.0, max_epochs=7, every=3)
    judge = loss_judge(targets, [head], [division])
    (ours,) = train(features, targets, C, [head], [division], schedule, judge, 0)
    model = plain(head, features, targets, division)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    lose = nn.BCEWithLogitsLoss() if several else nn.CrossEntropyLoss()
    x, y = (tensor[torch.from_numpy(division.train)] for tensor in (features, targets))
    judged = []
    for epoch in range(schedule.max_epochs):
        model.train()
        for first, last in ((0, 16), (16, 32), (32, rows)):
            optimiser.zero_grad()
            target = y[first:last].double() if several else y[first:last]
            lose(model(x[first:last]), target).backward()
            optimiser.step()
        model.eval()
        if (epoch + 1) % schedule.every == 0:
            judged.append((*judge(0, model(features[:30]).detach()), epoch))
    value, logits, epoch = max(judged, key=lambda each: each[0])
    assert ours.epoch == epoch
    assert ours.value == pytest.approx(value, abs=1e-7)
    torch.testing.assert_close(ours.note, logits, atol=1e-6, rtol=1e-6)


def test_the_head_kept_is_the_one_that_was_judged_best() -> None:
    features, _ = clouds()
    for head, found in zip(GRID, run(GRID), strict=True):
        valid = torch.from_numpy(halves()[head.division].valid)
        torch.testing.assert_close(found.logits(features.double(), valid), found.note)


def test_same_inputs_same_bits_and_the_seed_matters() -> None:
    one, two, other = run(GRID), run(GRID), run(GRID, seed=1)
    for a, b, c in zip(one, two, other, strict=True):
        assert torch.equal(a.note, b.note)
        assert a.value == b.value
        assert not torch.equal(a.note, c.note)


def test_shuffling_changes_the_batches() -> None:
    still, shuffled = run(GRID[:1]), run(GRID[:1], replace(SHORT, shuffle=True))
    assert not torch.equal(still[0].note, shuffled[0].note)


def scripted(values: Sequence[float], schedule: Schedule) -> tuple[Trained, list[int]]:
    """One head whose validations give these values; the epochs at which they were asked for."""
    features, targets = clouds()
    epochs: list[float] = []
    asked: list[int] = []

    def judge(number: int, logits: Tensor) -> tuple[float, int]:
        asked.append(int(epochs[-1]) if epochs else 0)
        return values[len(asked) - 1], len(asked) - 1

    (found,) = train(
        features, targets, C, GRID[:1], halves()[:1], schedule, judge, 0,
        lambda done, total: epochs.append(done),
    )  # fmt: skip
    return found, asked


def test_patience_counts_validations_and_the_first_of_equals_is_kept() -> None:
    schedule = replace(SHORT, max_epochs=100, every=3, patience=4)
    found, asked = scripted([0.1, 0.5, 0.5, 0.4, 0.5, 0.3, 9.0], schedule)
    assert (found.value, found.epoch, found.note) == (0.5, 5, 1)
    assert asked == [2, 5, 8, 11, 14, 17]  # epochs done and reported when each was asked for


def test_what_is_not_finite_ends_or_counts_as_the_worst() -> None:
    found, asked = scripted([np.nan, 0.5], SHORT)
    assert (found.value, found.epoch, len(asked)) == (-np.inf, 1, 1)
    lenient = replace(SHORT, nan_ends=False, max_epochs=6)
    found, asked = scripted([np.nan, 0.5, np.nan], lenient)
    assert (found.value, found.epoch, len(asked)) == (0.5, 3, 3)


def test_epochs_that_nobody_judges_are_not_trained() -> None:
    done: list[tuple[float, float]] = []
    features, targets = clouds()
    schedule = replace(SHORT, max_epochs=11, every=5)
    judge = loss_judge(targets, GRID[:1], halves())
    train(
        features, targets, C, GRID[:1], halves(), schedule, judge, 0,
        lambda *progress: done.append(progress),
    )  # fmt: skip
    assert done == [(epoch, 11) for epoch in range(1, 12)]


@pytest.mark.parametrize(
    ("division", "schedule", "message"),
    [
        (Division(np.arange(1), np.arange(1, 9)), SHORT, "at least 2 clips to train on"),
        (Division(np.arange(8), np.arange(0)), SHORT, "clips to validate on"),
        (halves()[0], replace(SHORT, max_epochs=1), "expected at least one validation"),
    ],
)
def test_what_cannot_be_trained_is_the_users_affair(
    division: Division, schedule: Schedule, message: str
) -> None:
    features, targets = clouds()
    with pytest.raises(UserError, match=message) as error:
        train(features, targets, C, GRID[:1], [division], schedule, lambda *_: (0.0, None), 0)
    assert "\n" not in str(error.value)


def test_learns_what_can_be_learnt() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, C, (600,), generator=generator)
    centres = 2 * torch.randn(C, D, generator=generator)
    features = centres[targets] + 0.3 * torch.randn(600, D, generator=generator)
    division = Division(np.arange(400), np.arange(400, 600))

    def judge(number: int, logits: Tensor) -> tuple[float, None]:
        return float((logits.argmax(dim=1) == targets[400:]).double().mean()), None

    heads = [replace(head, division=0) for head in GRID]
    for found in train(features, targets, C, heads, [division], SHORT, judge, 0):
        assert found.value > 0.98


def test_nothing_to_train() -> None:
    assert run([]) == []
