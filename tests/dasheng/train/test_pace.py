"""The pace of training, by a clock that the test moves."""

import time

import pytest

from dasheng.train.config import TrainConfig
from dasheng.train.pace import Pace


def test_pauses_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    config = TrainConfig(
        train_data=("a.tar",), batch_size=4, chunk_length=2.0, gradient_accumulation_steps=3
    )
    pace = Pace(config, processes=2)
    for _ in range(5):
        now[0] += 2.0
        pace.step()
    with pace.paused():
        now[0] += 60.0
    audio, per_step = pace.lap()
    assert per_step == pytest.approx(2.0)
    assert audio == pytest.approx(4 * 2.0 * 3 * 2 / 2.0)
    now[0] += 1.0
    pace.step()
    assert pace.lap()[1] == pytest.approx(1.0)
