"""Synthetic sounds: finite, bounded, reproducible, and of many kinds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train.synthesis import RATE, synthesise


@settings(deadline=None, max_examples=50)
@given(samples=st.integers(1, 3 * RATE), seed=st.integers(0, 2**32 - 1))
def test_any_length_is_finite_and_bounded(samples: int, seed: int) -> None:
    sound = synthesise(samples, np.random.default_rng(seed))
    assert sound.shape == (samples,)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 5  # five events that peak together


def test_the_generator_alone_decides() -> None:
    first, again, other = (synthesise(RATE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_both_tones_and_noises_occur() -> None:
    """Spectral flatness, geometric over arithmetic mean: near 0 for a tone, near 1 for noise."""
    rng = np.random.default_rng(0)
    flatness = []
    for _ in range(200):
        power = np.abs(np.fft.rfft(synthesise(RATE, rng) * np.hanning(RATE))) ** 2 + 1e-12
        flatness.append(np.exp(np.log(power).mean()) / power.mean())
    assert min(flatness) < 0.001
    assert max(flatness) > 0.1


@pytest.mark.parametrize("samples", [RATE // 100, RATE, 10 * RATE])
def test_there_is_sound(samples: int) -> None:
    rng = np.random.default_rng(1)
    assert all(np.abs(synthesise(samples, rng)).max() > 0 for _ in range(20))
