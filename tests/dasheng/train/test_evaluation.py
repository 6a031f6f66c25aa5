"""When the encoder is validated and tried; whole runs are in test_loop.py."""

from typing import Any

import pytest

from dasheng.train.config import TrainConfig
from dasheng.train.evaluation import tried_at, validated_at


def config(**more: Any) -> TrainConfig:
    return TrainConfig(train_data=("a.tar",), epochs=5, epoch_length=4, **more)


@pytest.mark.parametrize(("every", "steps"), [(1, [4, 8, 12, 16, 20]), (2, [8, 16, 20])])
def test_validation_is_after_epochs_and_at_the_end(every: int, steps: list[int]) -> None:
    chosen = config(valid_every=every)
    assert [step for step in range(21) if validated_at(step, chosen)] == steps


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, []),
        ({"eval_tasks": ("esc10",)}, [0, 4, 8, 12, 16, 20]),
        ({"eval_tasks": ("esc10",), "eval_every": 7}, [0, 7, 14, 20]),
    ],
)
def test_tasks_are_tried_from_the_first_step_on(settings: dict[str, Any], steps: list[int]) -> None:
    chosen = config(**settings)
    assert [step for step in range(21) if tried_at(step, chosen)] == steps
