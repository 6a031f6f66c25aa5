"""Twelve kinds of sound made of arithmetic: the audio of the demo task.

A sound is a function of two random streams: `source` fixes what its takes have in
common (an engine, a speaker's vocal tract, an instrument), `take` what differs from
clip to clip. Streams are numpy's RandomState, whose numbers are the same in every
version, and all is computed in float64, so that the rounded samples are the same on
every machine.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.random import RandomState

SAMPLE_RATE = 16_000
_NYQUIST = SAMPLE_RATE / 2

Sound = Callable[[RandomState, RandomState, np.ndarray], np.ndarray]
"""(source, take, times in seconds (N,)) → waveform (N,), its level still arbitrary."""


def rain(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Bright noise, and drops that ring for a moment."""
    corner, drops = source.uniform(800, 3000), source.uniform(5, 60)
    hiss = _noise(take, t, lambda f: f / (f + corner))
    return hiss + 2 * _struck(take, t, drops, source.uniform(1500, 6000), decay=200)


def wind(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Dark noise in gusts, with a whistle in it."""
    corner, whistle = source.uniform(150, 900), source.uniform(300, 1500)
    dark = _noise(take, t, lambda f: 1 / (1 + (f / corner) ** 2))
    tone = _noise(take, t, lambda f: 0.6 * np.exp(-(((f - whistle) / 60) ** 2)))
    return (dark + tone) * _swell(take, t, 0.9, source.uniform(0.4, 2))


def clock(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Ticks at an even pace, every second one a little lower."""
    pitch, pace = source.uniform(1200, 5500), source.uniform(1.5, 5)
    beat = t * pace + take.uniform()
    since = (beat % 1) / pace
    tone = pitch * np.where(beat % 2 < 1, 1.0, 0.85)
    return np.exp(-since * source.uniform(60, 200)) * np.sin(2 * np.pi * tone * since)


def engine(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Many harmonics of a low, unsteady pitch; each turn puffs."""
    pitch = source.uniform(25, 90) * _glide(take, t, 0.15)
    tilt = source.uniform(0.7, 1.6)
    hum = _harmonics(pitch, lambda f, k: k**-tilt)
    puff = _noise(take, t, lambda f: 1 / (1 + f / 600)) * (1 + np.sin(_phase(pitch) / 2))
    return hum / np.abs(hum).max() + puff / np.abs(puff).max() * source.uniform(0.2, 0.8)


def siren(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """A horn whose pitch sweeps up and down."""
    low, rate = source.uniform(350, 700), source.uniform(0.4, 4)
    sweep = 0.5 - 0.5 * np.cos(2 * np.pi * (rate * t + take.uniform()))
    pitch = low * source.uniform(1.4, 2.6) ** sweep
    return _harmonics(pitch, lambda f, k: k**-1.2)


def _vowel(formants: tuple[float, float, float]) -> Sound:
    """A voice that holds one vowel: harmonics weighed by three resonances (Hz)."""

    def spoken(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
        tract, voice = source.uniform(0.85, 1.25), source.uniform(85, 280)
        jitter = 1 + 0.01 * _noise(take, t, lambda f: f < 12)
        pitch = voice * take.uniform(0.8, 1.25) * _glide(take, t, 0.25) * jitter
        centres = tract * np.array(formants) * take.uniform(0.93, 1.07, 3)

        def mouth(f: float, k: int) -> float:
            peaks = 1 / (1 + ((f - centres) / np.array([60, 90, 130])) ** 2)
            return float(peaks @ [1, 0.5, 0.25]) + 0.003

        return _harmonics(pitch, mouth) * _swell(take, t, 0.7, 3)

    return spoken


def pluck(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Strings plucked one after the other; high harmonics die first."""
    tilt, damping = source.uniform(0.6, 1.4), source.uniform(0.5, 2.5)
    pitch, since = _melody(source, take, t, 90, 500)
    decay = damping * since
    tone = _harmonics(pitch, lambda f, k: k**-tilt, decay=decay)
    return tone * np.exp(-2 * decay)


def organ(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Notes held at full strength, each with the stops that the source has drawn."""
    stops = source.uniform(0, 1, 8) * np.array([1, 1, 0.6, 0.8, 0.3, 0.5, 0.2, 0.4])
    pitch, since = _melody(source, take, t, 90, 500)
    tone = _harmonics(pitch, lambda f, k: stops[k - 1] if k <= 8 else 0.0)
    return tone * np.minimum(1, since / 0.05) * (1 + 0.1 * np.sin(2 * np.pi * 6 * t))


def bell(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Partials that are no harmonics, as those of a cast bell."""
    strike = source.uniform(250, 1100) * take.uniform(0.9, 1.1)
    ratios = np.array([0.5, 1, 1.19, 1.5, 2, 2.52, 3.01, 4.1]) * source.uniform(0.98, 1.02, 8)
    weights = source.uniform(0.2, 1, 8)
    delay = take.uniform(0, 0.25) * t[-1]
    since = np.maximum(t - delay, 0)
    decay = source.uniform(1, 4) * np.sqrt(ratios)
    ringing = np.exp(-decay[:, None] * since) * np.sin(
        2 * np.pi * strike * ratios[:, None] * since + take.uniform(0, 6, 8)[:, None]
    )
    return (weights @ ringing) * (t >= delay)


def drum(source: RandomState, take: RandomState, t: np.ndarray) -> np.ndarray:
    """Beats whose pitch drops, with the rattle of a snare."""
    pitch, pace = source.uniform(60, 260), source.uniform(1.5, 6)
    beat = t * pace + take.uniform()
    since = (beat % 1) / pace
    skin = np.sin(2 * np.pi * pitch * (since + 0.02 * (1 - np.exp(-since / 0.02))))
    rattle = _noise(take, t, lambda f: f / (f + 1500)) * source.uniform(0.1, 0.8)
    return np.exp(-since * source.uniform(8, 25)) * skin + np.exp(-since * 30) * rattle


SOUNDS: Mapping[str, tuple[str, Sound]] = {
    "rain": ("environmental", rain),
    "wind": ("environmental", wind),
    "clock": ("environmental", clock),
    "engine": ("environmental", engine),
    "siren": ("environmental", siren),
    "vowel_a": ("voice-like", _vowel((730, 1090, 2440))),
    "vowel_i": ("voice-like", _vowel((270, 2290, 3010))),
    "vowel_u": ("voice-like", _vowel((300, 870, 2240))),
    "pluck": ("musical", pluck),
    "organ": ("musical", organ),
    "bell": ("musical", bell),
    "drum": ("musical", drum),
}
"""Name → (kind, sound). The formants are Peterson and Barney's means for men (1952)."""


def recorded(sound: Sound, source: RandomState, take: RandomState) -> np.ndarray:
    """Return one take as it might be recorded: (N,) int16 at 16 kHz, 0.4 to 2.5 s.

    The level varies by 15 dB, and noise of a random colour is added, 8 to 35 dB below.
    """
    t = np.arange(int(take.uniform(0.4, 2.5) * 100) * SAMPLE_RATE // 100) / SAMPLE_RATE
    clean = sound(source, take, t)
    tilt = take.uniform(0, 1)
    noise = _noise(take, t, lambda f: (1 + f / 200) ** -tilt) * 10 ** (-take.uniform(8, 35) / 20)
    mixed = clean / np.sqrt(np.mean(clean**2)) + noise
    peak = 10 ** (-take.uniform(0, 15) / 20)
    return np.rint(mixed / np.abs(mixed).max() * peak * 32_767).astype(np.int16)


def _noise(
    take: RandomState, t: np.ndarray, gain: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return Gaussian noise of unit power, shaped by a gain over frequency (Hz)."""
    spectrum = np.fft.rfft(take.standard_normal(len(t)))
    shaped = np.fft.irfft(spectrum * gain(np.fft.rfftfreq(len(t), 1 / SAMPLE_RATE)), len(t))
    return shaped / np.sqrt(np.mean(shaped**2))


def _struck(
    take: RandomState, t: np.ndarray, rate: float, pitch: float, decay: float
) -> np.ndarray:
    """Return a resonance struck at random times, `rate` times a second."""
    hits = np.zeros(len(t))
    count = take.poisson(rate * len(t) / SAMPLE_RATE)
    hits[take.randint(0, len(t), count)] = take.uniform(0.2, 1, count)
    ring = np.exp(-decay * t) * np.sin(2 * np.pi * pitch * t)
    return np.fft.irfft(np.fft.rfft(hits) * np.fft.rfft(ring), len(t))


def _swell(take: RandomState, t: np.ndarray, depth: float, rate: float) -> np.ndarray:
    """Return a slow envelope between 1 - depth and 1."""
    return 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * (rate * t + take.uniform())))


def _glide(take: RandomState, t: np.ndarray, most: float) -> np.ndarray:
    """Return a factor that moves from one random value near 1 to another."""
    start, end = take.uniform(1 - most, 1 + most, 2)
    return start + (end - start) * t / t[-1]


def _melody(
    source: RandomState, take: RandomState, t: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pitch (Hz) of a row of semitone steps, and the time since each note began."""
    root, pace = low * (high / low) ** source.uniform(), source.uniform(1, 4)
    beat = t * pace + take.uniform()
    steps = take.randint(-5, 6, int(beat[-1]) + 1)
    return root * 2.0 ** (steps[beat.astype(int)] / 12), (beat % 1) / pace


def _phase(pitch: np.ndarray) -> np.ndarray:
    """Return the phase (radians) of a pitch (Hz).

    The last bit of a power or a sine depends on the machine, and here it would add up
    over thousands of samples: pitches are rounded first.
    """
    return 2 * np.pi * np.cumsum(np.round(pitch, 3)) / SAMPLE_RATE


def _harmonics(
    pitch: np.ndarray,
    gain: Callable[[float, int], float],
    decay: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Return the sum over k of gain(k · mean pitch, k) · exp(-k · decay) · sin(k · phase)."""
    fundamental = np.exp(1j * _phase(pitch) - decay)
    power = np.ones_like(fundamental)
    total = np.zeros(len(pitch))
    for k in range(1, min(60, int(_NYQUIST / pitch.max())) + 1):
        power *= fundamental
        total += gain(float(pitch.mean()) * k, k) * power.imag
    return total
