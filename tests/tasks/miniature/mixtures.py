"""Sound events at known times: spoken digits laid into quiet noise, for tasks judged by events.

The digits are real (the Free Spoken Digit Dataset in ../shared/data), what is when is drawn
from a seed: the same arguments give the same bytes, another rate the same events.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from tasks.spec import Event

DIGITS = ("1", "6", "9")
SPLITS = {"train": 6, "valid": 2, "test": 2}
_PEAK, _NOISE = 0.5, 0.001  # of full scale


class Mixture(NamedTuple):
    """A WAV, 16 bit mono, and what is heard in it, in order of time."""

    wav: bytes
    events: list[Event]


def mixtures(
    fsdd: Path,
    *,
    splits: Mapping[str, int] = SPLITS,
    seconds: float = 10.0,
    events: int = 8,
    rate: int = 16000,
    digits: Sequence[str] = DIGITS,
    seed: int = 0,
) -> dict[str, dict[str, Mixture]]:
    """Return split → file name → mixture, `splits[split]` files of `seconds` in each.

    `fsdd` is the data set's folder. A file has `events` digits, which do not overlap: each lies
    somewhere in its share of the file. No recording is heard in two splits. Labels are the
    digits; starts are whole milliseconds.
    """
    made: dict[str, dict[str, Mixture]] = {}
    for position, (split, files) in enumerate(splits.items()):
        recordings = _recordings(fsdd, digits, position, len(splits))
        made[split] = {
            f"{split}-{number:02d}.wav": _mixture(
                np.random.default_rng([seed, position, number]), recordings, seconds, events, rate
            )
            for number in range(files)
        }
    return made


def _recordings(
    fsdd: Path, digits: Sequence[str], position: int, splits: int
) -> list[tuple[str, Path]]:
    """Return label and file of every `splits`-th recording of the digits."""
    found = sorted((fsdd / "recordings").glob("*.flac"))
    return [
        (file.stem[0], file)
        for file in found
        if file.stem[0] in digits and int(file.stem.split("_")[2]) % splits == position
    ]


def _mixture(
    random: np.random.Generator,
    recordings: Sequence[tuple[str, Path]],
    seconds: float,
    events: int,
    rate: int,
) -> Mixture:
    share = 1000 * seconds / events  # ms
    heard, found = [], []
    for number in range(events):
        label, file = recordings[int(random.integers(len(recordings)))]
        digit, recorded_at = soundfile.read(file, dtype="float32")
        digit = digit[: int(0.9 * share * recorded_at / 1000)]
        length = 1000 * len(digit) / recorded_at
        start = float(np.ceil(number * share + random.uniform(0, 0.99 * share - length)))
        found.append(Event(label, start, start + length))
        heard.append((start, soxr.resample(digit, recorded_at, rate) * _PEAK / np.abs(digit).max()))
    samples = random.normal(0, _NOISE, round(seconds * rate))
    for start, digit in heard:
        at = round(start * rate / 1000)
        samples[at : at + len(digit)] += digit[: len(samples) - at]
    return Mixture(_encoded(samples, rate), found)


def _encoded(samples: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
