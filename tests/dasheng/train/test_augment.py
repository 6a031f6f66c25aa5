"""What augmentation does to a batch, and what it leaves alone."""

import numpy as np
import pytest

from dasheng.train.augment import Augment, augment, settings
from tasks.errors import UserError


@pytest.fixture
def clips() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (64, 1600)).astype(np.float32)


def decibels(ratio: np.ndarray) -> np.ndarray:
    return 20 * np.log10(ratio)


def test_gain_is_one_factor_per_clip_within_the_bounds(clips: np.ndarray) -> None:
    louder = augment(clips, np.random.default_rng(1), Augment(gain_db=(-6, 10)))
    ratios = louder / clips
    assert np.ptp(ratios, axis=1).max() < 1e-5
    gains = decibels(ratios[:, 0])
    assert gains.min() >= -6.001
    assert gains.max() <= 10.001
    assert np.ptp(gains) > 10  # the range is used


def test_a_shifted_clip_has_the_same_samples_from_another_one_on(clips: np.ndarray) -> None:
    shifted = augment(clips, np.random.default_rng(1), Augment(shift=True))
    np.testing.assert_array_equal(np.sort(shifted), np.sort(clips))
    firsts = [
        int(np.flatnonzero(row == clip[0])[0]) for row, clip in zip(shifted, clips, strict=True)
    ]
    assert len(set(firsts)) > 50
    np.testing.assert_array_equal(np.roll(shifted[3], -firsts[3]), clips[3])


def test_a_mixture_is_the_clip_and_its_neighbour(clips: np.ndarray) -> None:
    mixed = augment(clips, np.random.default_rng(1), Augment(mix=0.5))
    added = mixed - clips
    neighbours = np.roll(clips, 1, axis=0)
    share = (added * neighbours).sum(1) / np.square(neighbours).sum(1)
    np.testing.assert_allclose(added, share[:, None] * neighbours, atol=1e-6)
    touched = share > 1e-6
    assert 20 < touched.sum() < 44
    assert decibels(share[touched]).min() > -25.1
    assert decibels(share[touched]).max() < 5.1


def test_a_part_of_the_clips_becomes_synthetic(clips: np.ndarray) -> None:
    replaced = augment(clips, np.random.default_rng(1), Augment(synthetic=0.25))
    changed = (replaced != clips).any(axis=1)
    assert 6 < changed.sum() < 28
    assert augment(clips, np.random.default_rng(1), Augment(synthetic=1.0)).std() > 0


def test_the_batch_given_is_left_as_it_was_and_the_generator_alone_decides(
    clips: np.ndarray,
) -> None:
    before = clips.copy()
    chosen = Augment(gain_db=(-3, 3), mix=0.5, synthetic=0.5)
    first, again = (augment(clips, np.random.default_rng(7), chosen) for _ in range(2))
    np.testing.assert_array_equal(clips, before)
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32


def test_settings_from_a_configuration() -> None:
    assert settings({}) is None
    assert settings({"gain_db": None, "mix": 0}) is None
    assert settings({"gain_db": [-6, 10], "mix": 1}) == Augment(gain_db=(-6.0, 10.0), mix=1)
    assert settings({"gain_db": [-6, "1e1"], "mix": "5e-1"}) == Augment(gain_db=(-6, 10), mix=0.5)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"gain": 3}, "unknown setting augment.gain: did you mean augment.gain_db"),
        ({3: 3, "a": 1}, "unknown setting augment.3"),
        ({"mix": 1.5}, "augment.mix.*1.5"),
        ({"mix": True}, "augment.mix.*True"),
        ({"synthetic": "half"}, "augment.synthetic.*'half'"),
        ({"shift": 3}, "augment.shift.*3"),
        ({"gain_db": 3}, "augment.gain_db.*3"),
        ({"gain_db": "12"}, "augment.gain_db.*'12'"),
        ({"gain_db": [5, -5]}, r"augment.gain_db.*found \[5.0, -5.0\]"),
        ({"gain_db": [float("-inf"), 0]}, "augment.gain_db"),
        ({"gain_db": [0, 1e6]}, "augment.gain_db.*between -200 and 200"),
        ({"gain_db": ["a", "b"]}, "augment.gain_db"),
    ],
)
def test_mistakes_are_named(given: dict, named: str) -> None:
    with pytest.raises(UserError, match=named):
        settings(given)
