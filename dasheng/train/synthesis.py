"""Sounds that never were: tones that glide, warble and ring, noises of all colours, in scenes.

A spectrogram model learns much of its trade from patterns alone: onsets, decays, harmonics,
resonances. Where recordings are few, synthetic ones of endless variety keep it from learning the
few by heart (Ishikawa et al., "Pre-training with synthetic patterns for audio",
https://arxiv.org/abs/2410.00511; sounds from acoustic primitives, as here: "From physics to
representation", https://arxiv.org/abs/2606.14791). Nothing here imitates any particular sound.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

RATE = 16000
_NYQUIST = RATE / 2
_MOST_EVENTS = 5
_SHORTEST, _LONGEST = 0.03, 2.0  # of an event, s
_LOWEST, _HIGHEST = 60.0, 3000.0  # fundamental of a tone, Hz
_MOST_PARTIALS = 20


def synthesise(samples: int, rng: Generator) -> np.ndarray:
    """A scene of one to five events: (samples,) float32 at 16 kHz, each event's peak at most 1."""
    scene = np.zeros(samples, np.float32)
    for _ in range(rng.integers(1, _MOST_EVENTS + 1)):
        length = min(samples, int(RATE * _log_uniform(rng, _SHORTEST, _LONGEST)))
        event = _tone(length, rng) if rng.random() < 0.4 else rng.standard_normal(length)
        if rng.random() < 0.7:
            event = _resonances(event, rng)
        event = event * _envelope(length, rng)
        start = rng.integers(0, samples - length + 1)
        level = 10 ** (rng.uniform(-30, 0) / 20)
        scene[start : start + length] += level * event / (np.abs(event).max() + 1e-9)
    return scene


def _log_uniform(rng: Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _tone(samples: int, rng: Generator) -> np.ndarray:
    """A harmonic tone; it may glide and warble."""
    time = np.arange(samples) / RATE
    first = _log_uniform(rng, _LOWEST, _HIGHEST)
    last = min(first * np.exp(rng.normal(0, 0.4)), 2 * _HIGHEST)
    phase = 2 * np.pi * (first * time + (last - first) * time**2 / (2 * samples / RATE))
    if rng.random() < 0.4:
        phase += rng.uniform(0, 5) * np.sin(2 * np.pi * rng.uniform(2, 30) * time)
    most = min(_MOST_PARTIALS, int(_NYQUIST / max(first, last)))
    partials = np.arange(1, rng.integers(1, most + 1) + 1)
    levels = partials ** -rng.uniform(0, 2) * np.exp(rng.normal(0, 0.5, len(partials)))
    offsets = rng.uniform(0, 2 * np.pi, len(partials))
    return sum(
        level * np.sin(partial * phase + offset)
        for partial, level, offset in zip(partials, levels, offsets, strict=True)
    )


def _resonances(sound: np.ndarray, rng: Generator) -> np.ndarray:
    """Through one to three resonances, up to 30 dB each."""
    spectrum = np.fft.rfft(sound)
    frequency = np.linspace(0, _NYQUIST, len(spectrum))
    decibels = np.zeros(len(spectrum))
    for _ in range(rng.integers(1, 4)):
        centre, width = rng.uniform(0, _NYQUIST), rng.uniform(50, 1500)
        decibels += rng.uniform(0, 30) * np.exp(-0.5 * ((frequency - centre) / width) ** 2)
    return np.fft.irfft(spectrum * 10 ** (decibels / 20), len(sound))


def _envelope(samples: int, rng: Generator) -> np.ndarray:
    """Onset, decay and end; it may tremble."""
    time = np.arange(samples) / RATE
    envelope = np.exp(-rng.choice([0, 3, 10, 30]) * time)
    edge = min(int(RATE * rng.uniform(0.001, 0.1)), samples // 2)
    ramp = np.linspace(0, 1, edge)
    envelope[:edge] *= ramp
    envelope[samples - edge :] *= ramp[::-1]
    if rng.random() < 0.3:
        envelope *= 0.5 * (1 + np.sin(2 * np.pi * rng.uniform(1, 40) * time))
    return envelope
