"""Losses of steps: their mean, and the first that is no number."""

import math

import pytest
import torch
from accelerate import Accelerator

from dasheng.train.losses import Losses, NotFinite


def test_the_mean_is_of_the_steps_since_the_last_line() -> None:
    losses = Losses(Accelerator(cpu=True), [4.0])
    losses.add(torch.tensor(1.0))
    assert losses.read(2) == [4.0, 1.0]
    losses.add(torch.tensor(1.0))
    assert losses.mean(3) == 2.0
    losses.add(torch.tensor(3.0))
    assert losses.mean(4) == 3.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_first_step_without_a_number_is_named(bad: float) -> None:
    losses = Losses(Accelerator(cpu=True), [0.5, 0.5])
    for loss in (0.5, bad, bad, 0.5):
        losses.add(torch.tensor(loss))
    with pytest.raises(NotFinite, match=f"the loss of step 12 is {bad}"):
        losses.read(14)
