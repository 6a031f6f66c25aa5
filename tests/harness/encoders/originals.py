"""Clips to compare an encoder on, and what its original code makes of them, run where it can."""

import subprocess
from pathlib import Path

import numpy as np


def clip(samples: int, seed: int = 0) -> np.ndarray:
    """Noise under a rising tone, then exact silence, which a floor below the maximum lifts."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / 16000
    audio = 0.1 * random.normal(size=samples) + np.sin(2 * np.pi * (200 + 300 * time) * time)
    audio[samples * 2 // 3 : samples * 5 // 6] = 0
    return (0.5 * audio).astype(np.float32)


def run(
    script: Path,
    checkout: str,
    python: str,
    checkpoint: Path,
    clips: dict[str, np.ndarray],
    folder: Path,
) -> dict[str, np.ndarray]:
    """What the original makes of the clips; `folder` takes the files between the two."""
    np.savez(folder / "clips.npz", **clips)
    names = (script, checkout, checkpoint, folder / "clips.npz", folder / "out.npz")
    subprocess.run([python, *map(str, names)], check=True)
    return dict(np.load(folder / "out.npz"))
