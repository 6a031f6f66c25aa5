"""A toy detection task of real sounds: five classes of ESC-10 laid over quiet noise.

Every file lasts ten seconds and holds six events, one in each stretch of 1.6 s, of 0.5 to 1.5 s.
The clips of ESC-10's folds 1 to 3 train, 4 validate and 5 test, so that no recording is heard
twice. The same on every machine: all that is random follows from the file's name.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.audio import decode
from tasks.prepare import Index

RATE = 16000
SECONDS = 10
CLASSES = ("baby_cry", "chainsaw", "helicopter", "rain", "rooster")
SPLITS = {"train": ("fold1", "fold2", "fold3"), "valid": ("fold4",), "test": ("fold5",)}
FILES = {"train": 12, "valid": 8, "test": 16}
EVENTS = 6
BACKGROUND, FOREGROUND = 0.001, 0.1  # root mean squares
FADE = RATE // 200


class Mixture(NamedTuple):
    """A file: its name, split, audio (160000,) float32, and events (label, start ms, end ms)."""

    name: str
    split: str
    audio: np.ndarray
    events: list[tuple[str, float, float]]


def mixtures(esc10: Index) -> Iterator[Mixture]:
    """Yield all files, split by split, from the clips of ESC-10."""
    clips = esc10.clips.assign(place=esc10.places(), label=esc10.clips["labels"].str[0])
    for split, folds in SPLITS.items():
        ours = clips[clips["split"].isin(folds)]
        sounds = [ours.loc[ours["label"] == label, "place"] for label in CLASSES]
        for number in range(FILES[split]):
            name = f"{split}{number:02d}"
            yield Mixture(name, split, *_mix(name, sounds, _excerpt))


def _mix(
    name: str, sounds: list[pd.Series], cut: Callable[..., np.ndarray]
) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    audio = BACKGROUND * rng.standard_normal(RATE * SECONDS)
    events = []
    stretch = len(audio) // EVENTS
    for turn in range(EVENTS):
        label = int(rng.integers(len(CLASSES)))
        length = int(rng.uniform(0.5, 1.5) * RATE)
        sound = cut(decode(sounds[label].iloc[rng.integers(len(sounds[label]))], RATE), length)
        start = turn * stretch + int(rng.integers(stretch - len(sound)))
        audio[start : start + len(sound)] += sound
        span = (1000 * start / RATE, 1000 * (start + len(sound)) / RATE)
        events.append((CLASSES[label], *span))
    return audio.astype(np.float32), events


def _excerpt(clip: np.ndarray, length: int) -> np.ndarray:
    """The loudest stretch of a clip, at the foreground's level, with short fades."""
    length = min(length, len(clip))
    energy = np.concatenate([[0.0], np.cumsum(clip.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    sound = clip[start : start + length].astype(np.float64)
    sound *= FOREGROUND / max(float(np.sqrt(np.mean(sound**2))), 1e-9)
    ramp = np.linspace(0, 1, FADE)
    sound[:FADE] *= ramp
    sound[-FADE:] *= ramp[::-1]
    return sound
