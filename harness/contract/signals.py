"""The audio that modules are tried on: clips of clearly different kind and level, and silence.

Levels differ on purpose: what is computed over the batch instead of the clip (a maximum, a
dynamic range, batch statistics) shows when a quiet clip stands beside a loud one.
"""

import math

import torch
from torch import Tensor

CLIPS = ("clip 1", "clip 2", "clip 3")  # the rows of "batch", each alone
LENGTHS = ("1 s", "10 s")  # each has a check of its own
OTHER_LENGTHS = ("1.07 s", "1.98 s", "2.74 s", "4 s")  # the lengths that HEAR's own tests picked
RAGGED = ("4 s", "1.07 s")  # the rows of "ragged"
_SECONDS = 2  # of the clips of "batch" and of "silence"


def signal(name: str, sample_rate: int) -> tuple[Tensor, Tensor | None]:
    """Audio (B, N) float32 by name and, for "ragged" only, the clips' lengths (B,) in samples."""
    if name in ("batch", "batch again"):
        return _batch(sample_rate), None
    if name in CLIPS:
        return _batch(sample_rate)[CLIPS.index(name)][None], None
    if name == "silence":
        return torch.zeros(1, _SECONDS * sample_rate), None
    if name == "ragged":
        return _ragged(sample_rate)
    return _noise(name, sample_rate)[None], None


def _batch(sample_rate: int) -> Tensor:
    """(3, N): a loud tone, noise, and a chirp 60 dB below full scale."""
    time = torch.arange(_SECONDS * sample_rate, dtype=torch.float64) / sample_rate
    tone = 0.9 * torch.sin(2 * math.pi * 440 * time)
    chirp = 1e-3 * torch.sin(2 * math.pi * (200 + 1400 * time) * time)
    return torch.stack([tone.float(), _noise(f"{_SECONDS} s", sample_rate), chirp.float()])


def _ragged(sample_rate: int) -> tuple[Tensor, Tensor]:
    """A short clip beside a long one; its padding is loud, to be heard if it counts."""
    clips = [_noise(name, sample_rate) for name in RAGGED]
    lengths = torch.tensor([len(clip) for clip in clips])
    audio = torch.ones(len(clips), int(lengths.max()))
    for row, clip in zip(audio, clips, strict=True):
        row[: len(clip)] = clip
    return audio, lengths


def _noise(length: str, sample_rate: int) -> Tensor:
    """White noise in [-0.3, 0.3) of a length such as "1.07 s", the same at every call."""
    samples = round(float(length.removesuffix(" s")) * sample_rate)
    return 0.6 * torch.rand(samples, generator=torch.Generator().manual_seed(1)) - 0.3
