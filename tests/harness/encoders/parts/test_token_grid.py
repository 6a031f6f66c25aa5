"""The grid that is measured is the one that a model counts by, whatever it pads."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.encoders.parts.token_grid import TokenGrid, measure

grids = st.builds(TokenGrid, field=st.integers(-2000, 1500), hop=st.integers(1, 3000))


@given(grids)
@settings(deadline=None)
def test_a_grid_is_found_again(grid: TokenGrid) -> None:
    assert measure(lambda samples: max(0, grid.count(samples)), 1600, 16000) == grid


@given(grids, st.integers(1, 100))
@settings(deadline=None)
def test_the_shortest_clip_of_so_many_tokens(grid: TokenGrid, count: int) -> None:
    assert grid.count(grid.samples(count)) == count
    assert grid.count(grid.samples(count) - 1) == count - 1
    assert grid.count(torch.tensor([grid.samples(count)])).tolist() == [count]


def test_convolutions() -> None:
    layers = nn.Sequential(nn.Conv1d(1, 1, 10, stride=5), nn.Conv1d(1, 1, 3, stride=2))
    padded = nn.Conv1d(1, 1, 9, stride=4, padding=4)
    assert measure(lambda n: layers(torch.zeros(1, 1, n)).shape[2], 50, 500) == TokenGrid(20, 10)
    assert measure(lambda n: padded(torch.zeros(1, 1, n)).shape[2], 50, 500) == TokenGrid(1, 4)


def test_centres_are_in_milliseconds() -> None:
    assert TokenGrid(400, 320).centres(3, 16000).tolist() == [12.5, 32.5, 52.5]
    assert TokenGrid(0, 160).centres(2, 16000).tolist() == [0.0, 10.0]  # centred frames
    assert TokenGrid(0, 160).centres(2, 16000).dtype == torch.float32


def test_as_many_tokens_for_any_clip() -> None:
    with pytest.raises(ValueError, match=r"expected tokens in time.*found 1214 for 1600 samples"):
        measure(lambda samples: 1214, 1600, 16000)


def test_tokens_at_no_steady_pace() -> None:
    with pytest.raises(ValueError, match="expected tokens at a steady pace"):
        measure(lambda samples: int(samples**0.5), 1600, 16000)
