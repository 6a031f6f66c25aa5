"""Shards of real audio files, made as people make them."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

# suffix → format and subtype of libsndfile
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


def encoded(audio: np.ndarray, rate: int = 16000, suffix: str = "flac", subtype: str = "") -> bytes:
    """Audio (frames,) or (frames, channels) as a file."""
    file = io.BytesIO()
    form, usual = FORMATS[suffix]
    soundfile.write(file, audio, rate, format=form, subtype=subtype or usual)
    return file.getvalue()


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, samples).astype(np.float32)


def constant(value: int, samples: int) -> bytes:
    """A FLAC of a value that tells it from others: value / 1024 in every sample."""
    return encoded(np.full(samples, value / 1024, np.float32))


def shard(file: Path, members: Mapping[str, bytes], mode: str = "w") -> str:
    with tarfile.open(file, mode) as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return str(file)
