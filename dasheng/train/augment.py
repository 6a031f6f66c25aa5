"""Making few recordings go further: later, louder, two at a time, and some that never were.

Works on a batch that is complete, and draws everything from the generator it is given: the same
crops and the same generator give the same batch, which is what resuming a run rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from dasheng.train import values
from dasheng.train.synthesis import synthesise
from tasks.errors import UserError

# How loud the second sound of a mixture is, beside the first: seldom louder, often just heard.
_MIX_DB = (-25.0, 5.0)
# Of a gain: far more than is of use, far less than float32 holds.
_MOST_DB = 200.0


@dataclass(frozen=True, kw_only=True)
class Augment:
    """What is done to a batch.

    `shift`: each clip begins anywhere within itself, and goes on with what it began with.
    `gain_db`: each clip by a gain drawn between these two, in dB; None for none.
    `mix`: part of the clips, 0 to 1, that another clip of the batch is added to.
    `synthetic`: part of the clips, 0 to 1, that synthetic sounds take the place of.
    """

    shift: bool = False
    gain_db: tuple[float, float] | None = None
    mix: float = 0.0
    synthetic: float = 0.0


def settings(given: Mapping[str, Any]) -> Augment | None:
    """The configuration's `augment`; None where there is nothing to do.

    Raises:
        UserError: an unknown key or an impossible value, by name.
    """
    chosen = values.build(Augment, given, "augment.")
    for name in ("mix", "synthetic"):
        part = getattr(chosen, name)
        if not 0 <= part <= 1:
            raise UserError(f"expected augment.{name} to lie between 0 and 1, found {part}")
    low, high = chosen.gain_db or (0.0, 0.0)
    if not -_MOST_DB <= low <= high <= _MOST_DB:
        raise UserError(
            f"expected augment.gain_db to be [lowest, highest] between -{_MOST_DB:g} and "
            f"{_MOST_DB:g}, found {[low, high]}"
        )
    return None if chosen == Augment() else chosen


def augment(audio: np.ndarray, rng: Generator, settings: Augment) -> np.ndarray:
    """Crops (B, N) float32 at 16 kHz → (B, N) float32; samples may leave [-1, 1], as none clips."""
    clips = audio.copy()
    if settings.shift:
        firsts = rng.integers(clips.shape[1], size=len(clips))
        clips = np.stack([np.roll(clip, first) for clip, first in zip(clips, firsts, strict=True)])
    for row in np.flatnonzero(rng.random(len(clips)) < settings.synthetic):
        clips[row] = synthesise(clips.shape[1], rng)
    if settings.mix:
        # With a gain of zero where nothing is added: what is drawn does not depend on the part.
        chosen = rng.random(len(clips)) < settings.mix
        gains = _amplitude(rng.uniform(*_MIX_DB, len(clips))) * chosen
        clips = clips + gains[:, None] * np.roll(clips, 1, axis=0)
    if settings.gain_db:
        clips *= _amplitude(rng.uniform(*settings.gain_db, len(clips)))[:, None]
    return clips


def _amplitude(decibels: np.ndarray) -> np.ndarray:
    return (10 ** (decibels / 20)).astype(np.float32)
