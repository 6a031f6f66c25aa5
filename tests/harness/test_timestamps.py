"""Timestamp embeddings: faults are told, and the times of our own modules are true."""

import math
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dasheng.blocks import EncoderConfig
from harness import timestamps
from harness.encoder import Encoder, load
from harness.errors import UserError
from harness.timestamps import clip_fault, embed_timestamps
from tests.dasheng.miniature import miniature, write_published
from tests.harness.clips import click, noise

RATE = 16000
TINY = EncoderConfig(embed_dim=32, depth=2, num_heads=4)  # blocks of 10 s, as in the base
# s; the blocks of Dasheng end at 10.08 s, a token takes 0.04 s, a frame 0.01 s
LENGTHS = (0.01, 0.03, 1.07, 1.0799375, 9.99, 10.08, 10.09, 10.12, 20.16, 29.9999375, 120, 600)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Encoder]:
    weights = write_published(miniature(TINY), tmp_path_factory.mktemp("weights") / "tiny.pt")
    return {"melspec": load("melspec", "cpu"), "dasheng": load(str(weights), "cpu")}


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize(("name", "first", "step"), [("melspec", 0, 10), ("dasheng", 15, 40)])
def test_times_are_regular_without_drift_and_within_the_clip(
    encoders: dict[str, Encoder], name: str, first: float, step: float, seconds: float
) -> None:
    samples = round(seconds * RATE)
    clips = np.stack([noise(samples), noise(samples, seed=1)])
    embeddings, times = embed_timestamps(encoders[name], clips)
    milliseconds = max(1000 * seconds, 30)  # what is shorter is padded to the first token
    expected = first + step * np.arange(embeddings.shape[1])
    assert embeddings.dtype == np.float32
    assert times.dtype == np.float64
    np.testing.assert_array_equal(times[0], times[1])
    np.testing.assert_allclose(times[0], expected, rtol=0, atol=0.1)
    assert milliseconds - first - 1.25 * step - 10 < times[0, -1] <= milliseconds
    assert clip_fault(embeddings[0], times[0], milliseconds) == ""


@pytest.mark.parametrize("seconds", [1.07, 75, 600])
@pytest.mark.parametrize(("name", "step"), [("melspec", 10), ("dasheng", 40)])
def test_a_click_is_where_the_times_say(
    encoders: dict[str, Encoder], name: str, step: float, seconds: float
) -> None:
    """Near the end, where a drift would be largest; a silence without it tells the difference."""
    samples = round(seconds * RATE)
    at = samples - 1600
    heard = click(samples, at)
    without = heard.copy()
    without[at] = 0
    clips = np.stack([heard, without])
    embeddings, times = embed_timestamps(encoders[name], clips)
    change = np.abs(embeddings[0] - embeddings[1]).max(axis=1)
    assert abs(times[0, change.argmax()] - 1000 * at / RATE) <= step


Output = tuple[Any, Any]


def broken(encoder: Encoder, change: Callable[[Tensor, Tensor], Any]) -> Encoder:
    """The encoder with another output of `get_timestamp_embeddings`."""
    module: Any = ModuleType("broken_hear")
    module.get_timestamp_embeddings = lambda audio, model: change(
        *encoder.module.get_timestamp_embeddings(audio, model)
    )
    return replace(encoder, module=module)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda e, t: e, "a pair of tensors"),
        (lambda e, t: (e, t, t), "a pair of tensors"),
        (lambda e, t: (e, t.tolist()), "a pair of tensors"),
        (lambda e, t: (e.double(), t), "torch.float32, found torch.float64"),
        (lambda e, t: (e[0], t), r"(2, T, 64), T > 0, found (101, 64)"),
        (lambda e, t: (e[:, :0], t[:, :0]), r"(2, T, 64), T > 0, found (2, 0, 64)"),
        (lambda e, t: (e[:1], t), r"(2, 101, 64), found (1, 101, 64)"),
        (lambda e, t: (e[:, :, :8], t), r"(2, 101, 64), found (2, 101, 8)"),
        (lambda e, t: (e, t[:, :-1]), r"timestamps (2, 101), found (2, 100)"),
        (lambda e, t: (e, t[:1]), r"timestamps (2, 101), found (1, 101)"),
    ],
)
def test_what_a_module_may_not_return(
    encoders: dict[str, Encoder], change: Callable[[Tensor, Tensor], Any], found: str
) -> None:
    with pytest.raises(UserError) as caught:
        embed_timestamps(broken(encoders["melspec"], change), np.stack([noise(RATE)] * 2))
    line = str(caught.value)
    assert found in line
    assert "get_timestamp_embeddings of broken_hear" in line
    assert "\n" not in line


def test_one_row_of_times_is_for_all(encoders: dict[str, Encoder]) -> None:
    clips = np.stack([noise(RATE)] * 2)
    _, expected = embed_timestamps(encoders["melspec"], clips)
    _, times = embed_timestamps(broken(encoders["melspec"], lambda e, t: (e, t[0])), clips)
    np.testing.assert_array_equal(times, expected)


GOOD = [0.0, 10.0, 10.0, 20.5]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (GOOD, ""),
        ([-0.9, 0, 10, 20.9], ""),
        ([0, 10, 20, math.nan], "finite timestamps"),
        ([0, 10, 20, math.inf], "finite timestamps"),
        ([0, 10, 9.99, 20], "order of time"),
        ([0, 10, 20, 29.9], ""),  # the last step is padded
        ([0, 10, 20, 30.1], "0 to 20 ms, found 0 to 30.1"),
        ([-1.1, 10, 20, 20], "0 to 20 ms, found -1.1 to 20"),
    ],
)
def test_times_of_a_clip_of_20_ms(times: list[float], words: str) -> None:
    found = clip_fault(np.zeros((4, 2), np.float32), np.array(times), 20)
    assert (words in found) if words else found == ""


def test_times_must_reach_the_second_half_of_a_clip() -> None:
    embeddings, times = np.zeros((4, 2), np.float32), np.array([0.0, 0.04, 0.08, 0.12])
    assert "are they seconds" in clip_fault(embeddings, times, 4000)
    assert "are they seconds" not in clip_fault(embeddings, 1000 * times, 200)
    assert clip_fault(embeddings, times, 999) == ""


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_embeddings_that_are_not_finite(number: float) -> None:
    embeddings = np.zeros((4, 2), np.float32)
    embeddings[2, 1] = number
    assert "NaN or infinity" in clip_fault(embeddings, np.array(GOOD), 20)


def test_autocast_is_taken_back(encoders: dict[str, Encoder]) -> None:
    half = broken(encoders["melspec"], lambda e, t: (e.bfloat16(), t))
    with torch.autocast("cpu", torch.bfloat16):
        embeddings, times = embed_timestamps(half, noise(RATE)[None])
    assert (embeddings.dtype, times.dtype) == (np.float32, np.float64)


def test_the_canary_sees_embeddings_and_times(encoders: dict[str, Encoder]) -> None:
    melspec = encoders["melspec"]
    changes: list[Callable[[Tensor, Tensor], Output]] = [
        lambda e, t: (e, t),
        lambda e, t: (1.01 * e, t),
        lambda e, t: (e, t + 5),
        lambda e, t: (e.flip(1), t),
    ]
    found = [timestamps.canary(broken(melspec, change)) for change in changes]
    assert found[0] == timestamps.canary(melspec)
    assert len(set(found)) == len(changes)
