"""Compares AudioMAE with the original code, by hand:

    python -m tests.harness.encoders.parity_audiomae ORIGINAL_CHECKOUT PYTHON_OF_ITS_ENVIRONMENT

Random weights of the published size, one file for both; clips of several lengths and levels, one
at a time and in one ragged batch. Prints for front end and tokens the largest difference relative
to the largest number. Exits 1 above 1e-4. `original_audiomae.py` says what the environment needs.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch

from harness.encoders import audiomae
from harness.encoders.audiomae import DEVIATION, MEAN, AudioMAE
from tests.harness.encoders.audiomae_checkpoint import PARAMETERS, write_original

ORIGINAL = Path(__file__).with_name("original_audiomae.py")
RATE = 16000
SECONDS = {"one": 1.0, "short": 0.31, "patch": 0.175, "esc": 5.0, "ten": 10.0, "long": 25.7}


def clips(seconds: dict[str, float]) -> dict[str, np.ndarray]:
    """Noise under a rising tone, fading, around a constant; the same wherever it is made."""
    random = np.random.default_rng(2022)
    found = {}
    for name, duration in seconds.items():
        time = np.arange(round(RATE * duration)) / RATE
        tone = np.sin(2 * np.pi * (200 + 150 * time) * time)
        audio = (0.1 * random.normal(size=len(time)) + 0.3 * tone) * np.exp(-time / 3) + 0.02
        found[name] = to_16_bits(audio)
    return found


def to_16_bits(audio: np.ndarray) -> np.ndarray:
    """Float32 samples that a WAV file of 16 bits holds exactly, whatever reads it."""
    return (np.round(audio * 2**15) / 2**15).astype(np.float32)


def ask_the_original(
    checkout: str, python: str, checkpoint: Path, audio: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What `original_audiomae.py` finds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for clip, samples in audio.items():
            soundfile.write(folder / f"{clip}.wav", samples, RATE, subtype="PCM_16")
        found = folder / "found.npz"
        command = [python, ORIGINAL, Path(checkout).resolve(), checkpoint, folder, found]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        return dict(np.load(found))


def front_end(model: AudioMAE, clip: np.ndarray) -> np.ndarray:
    """(frames, 128), normalised."""
    audio = torch.from_numpy(clip)[None]
    log_mel = model.fbank(audio - audio.mean(), torch.tensor([len(clip)]))
    return ((log_mel[0].T - MEAN) / DEVIATION).numpy()


@torch.no_grad()
def tokens(model: AudioMAE, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """(T, D) of each clip, all of them in one ragged batch."""
    lengths = torch.tensor([len(clip) for clip in batch.values()])
    audio = torch.zeros(len(batch), int(lengths.max()))
    for row, clip in zip(audio, batch.values(), strict=True):
        row[: len(clip)] = torch.from_numpy(clip)
    found, counts = model(audio, lengths)
    return {name: found[i, : counts[i]].numpy() for i, name in enumerate(batch)}


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def main() -> None:
    checkout, python = sys.argv[1:]
    audio = clips(SECONDS)
    audio["quiet"] = to_16_bits(audio["one"] * 1e-3)
    audio["silent"] = np.zeros_like(audio["one"])
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_original(Path(folder))
        theirs = ask_the_original(checkout, python, checkpoint, audio)
        model = audiomae.load_model(str(checkpoint))
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count:,} parameters, {PARAMETERS:,} published")
    worst = 0.0 if count == PARAMETERS else float("inf")
    together = tokens(model, audio)
    for name, clip in audio.items():
        expected = theirs[f"{name}/tokens"].mean(axis=1)
        found = {
            "front end": difference(front_end(model, clip), theirs[f"{name}/fbank"]),
            "tokens": difference(tokens(model, {name: clip})[name], expected),
            "tokens in a batch": difference(together[name], expected),
        }
        figures = ", ".join(f"{what} {value:.1e}" for what, value in found.items())
        print(f"{name:7} {len(clip) / RATE:6.3f} s {len(expected):4} tokens: {figures}")
        worst = max(worst, *found.values())
    print(f"worst {worst:.1e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
