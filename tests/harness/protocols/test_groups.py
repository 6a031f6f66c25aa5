"""Heads side by side: which neighbours go together, and what they see."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from harness.protocols import layers
from harness.protocols.groups import Group, Step, batches
from harness.protocols.layers import Adam
from harness.protocols.room import Room

FEATURES = torch.arange(40.0).view(20, 2)
TARGETS = torch.arange(20) % 3


def group(divisions: list[int]) -> Group:
    stack = layers.join(
        [layers.draw(1, (2, 4, 3), "normal", torch.Generator().manual_seed(i)) for i in range(9)],
        FEATURES,
    ).only(range(len(divisions)))
    members = list(range(len(divisions)))
    return Group(members, divisions, members, stack, Adam.start(stack, [0.1] * 9))


def test_neighbours_of_one_kind_go_together_in_the_memory_of_all() -> None:
    whole = group([4, 4, 1, 2, 0, 0])
    parts = list(whole.parts({4: 16, 1: 16, 2: 7, 0: 7}))
    assert [part.members for part in parts] == [[0, 1, 2], [3, 4, 5]]
    assert [part.divisions for part in parts] == [[4, 4, 1], [2, 0, 0]]
    parts[1].stack.bias.fill_(7)
    assert (whole.stack.bias[3:] == 7).all()
    assert (whole.stack.bias[:3] != 7).any()
    parts[0].adam.steps.add_(1)
    assert whole.adam.steps.tolist()[:6] == [1, 1, 1, 0, 0, 0]


def test_heads_whose_division_has_nothing_left_are_left_out() -> None:
    parts = list(group([4, 1, 1]).parts({1: 16}))
    assert [part.members for part in parts] == [[1, 2]]


def test_a_copy_is_a_copy() -> None:
    whole = group([0, 0])
    whole.only([1]).stack.bias.fill_(7)
    assert (whole.stack.bias != 7).all()


@given(st.integers(2, 200), st.integers(2, 50))
def test_batches_hold_every_row_once_and_none_is_alone(n: int, size: int) -> None:
    cut = batches(torch.arange(n), size)
    assert torch.cat(cut).tolist() == list(range(n))
    assert all(2 <= len(batch) <= size + 1 for batch in cut)
    assert all(len(batch) == size for batch in cut[:-1])


def seen(step: Step, divisions: list[int]) -> list[list[list[float]]]:
    x, target = step.batch(divisions)
    assert x.shape[:2] == target.shape[:2]
    found: list[list[list[float]]] = x.transpose(0, 1).tolist()
    return found


def test_heads_of_one_division_see_one_batch_and_others_their_own() -> None:
    rows: dict[int, Tensor] = {0: torch.tensor([3, 1]), 1: torch.tensor([0, 19])}
    step = Step(FEATURES, TARGETS, rows, Room(FEATURES))
    assert step.lengths == {0: 2, 1: 2}
    first, second = [[6.0, 7], [2, 3]], [[0.0, 1], [38, 39]]
    assert seen(step, [0, 0, 0]) == [first]
    assert seen(step, [1, 0, 0]) == [second, first, first]
    assert seen(step, [0]) == [first]  # what was gathered before is not written over
    assert step.batch([1, 0])[1].T.tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("several", [False, True])
def test_targets_have_the_shape_that_their_kind_needs(several: bool) -> None:
    targets = torch.ones(20, 3, dtype=torch.uint8) if several else TARGETS
    step = Step(FEATURES, targets, {0: torch.arange(5)}, Room(FEATURES))
    assert step.batch([0])[1].shape == ((5, 1, 3) if several else (5, 1))
