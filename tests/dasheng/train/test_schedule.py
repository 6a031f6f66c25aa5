"""The learning rate is the published trainer's: values of ignite 0.5.5 itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasheng.train.config import TrainConfig
from dasheng.train.schedule import learning_rate

# (steps in all, decay_frac, warmup_iters, lr) → the learning rate of some steps.
GOLDEN = {
    (12, 0.1, None, 1.0): {0: 1.0, 1: 0.9846666218300807, 6: 0.55, 11: 0.11533337816991929},
    (12, 0.1, 3, 1.0): {0: 0.0, 1: 0.5, 2: 1.0, 3: 0.9846666218300807, 11: 0.23180194846605362},
    (12, 0.1, 2, 1.0): {0: 0.0, 1: 1.0, 2: 0.9846666218300807, 11: 0.16028856829700255},
    (1000, 0.01, 100, 3e-4): {999: 1.0268107330169726e-05},
    (150000, 0.1, 4500, 3e-4): {149999: 3.0599134778584204e-05},
}


def made(steps: int, decay: float, warmup: int | None, lr: float, **more: object) -> TrainConfig:
    settings = {"epochs": 1, "epoch_length": steps, "decay_frac": decay, "warmup_iters": warmup}
    return TrainConfig(train_data=("a",), optimizer_args={"lr": lr}, **{**settings, **more})


@pytest.mark.parametrize("settings", GOLDEN, ids=str)
def test_values_of_ignite(settings: tuple[int, float, int | None, float]) -> None:
    config = made(*settings)
    for step, rate in GOLDEN[settings].items():
        assert learning_rate(step, config) == pytest.approx(rate, rel=1e-12)


@given(
    steps=st.integers(1, 300),
    decay=st.floats(0, 1),
    warmup=st.none() | st.integers(0, 300),
    lr=st.floats(1e-6, 1),
)
def test_rises_to_the_full_rate_and_falls_to_no_less_than_the_last(
    steps: int, decay: float, warmup: int | None, lr: float
) -> None:
    config = made(steps, decay, warmup, lr)
    rates = [learning_rate(step, config) for step in range(steps)]
    peak = max((warmup or 0) - 1, 0)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    if peak < steps:
        assert rates[peak] == lr
        assert min(rates[peak:]) >= lr * decay * (1 - 1e-9)


def test_iterations_win_over_epochs_of_warm_up() -> None:
    assert learning_rate(2, made(12, 0.1, 3, 1.0, warmup_epochs=2)) == 1.0
    halves = made(6, 0.1, None, 1.0, epochs=2, warmup_epochs=1)
    assert learning_rate(5, halves) == 1.0 and learning_rate(4, halves) == pytest.approx(0.8)


def test_no_schedule() -> None:
    config = made(12, 0.1, 3, 0.5, use_scheduler=False)
    assert {learning_rate(step, config) for step in range(12)} == {0.5}
