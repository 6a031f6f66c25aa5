"""Redoes the full comparison with the published package, by hand:

    python tests/dasheng/parity.py PYTHON_WITH_PUBLISHED_DASHENG SPEECH_FOLDER [base 0.6B 1.2B]

For each size: random weights made and saved by the published package; 1 s, 10 s and 25 s of noise
and of speech (files of SPEECH_FOLDER joined), one clip at a time, float32, CPU. Prints parameter
counts and the largest difference relative to the largest output. Exits 1 above 1e-4.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from dasheng import dasheng_base
from dasheng.configuration import SIZES
from harness.audio import Location, decode

SHAPE = {"target_length": 1008, "patch_size": [64, 4], "patch_stride": [64, 4]}
PUBLISHED = Path(__file__).with_name("published.py")
SECONDS = (1, 10, 25)
RATE = 16000


def clips(speech_folder: Path) -> dict[str, np.ndarray]:
    files = sorted(speech_folder.iterdir())[:120]
    speech = np.concatenate([decode(Location(str(file)), RATE) for file in files])
    noise = np.random.default_rng(0).normal(0, 0.1, RATE * max(SECONDS)).astype(np.float32)
    return {
        f"{kind} {seconds} s": audio[: RATE * seconds]
        for kind, audio in (("noise", noise), ("speech", speech))
        for seconds in SECONDS
    }


def compare(size: str, python: str, audio: dict[str, np.ndarray], folder: Path) -> float:
    config, checkpoint = folder / "config.json", folder / "checkpoint.pt"
    config.write_text(json.dumps({**SIZES[size], **SHAPE}))
    np.savez(folder / "clips.npz", **audio)
    make = [python, str(PUBLISHED), "make", str(config), "0", str(checkpoint)]
    subprocess.run(make, check=True, cwd=folder)
    embed = ["embed", str(checkpoint), str(folder / "clips.npz"), str(folder / "out.npz")]
    subprocess.run([python, str(PUBLISHED), *embed], check=True, cwd=folder)
    published = np.load(folder / "out.npz")
    model = dasheng_base(checkpoint).eval()
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{size}: {count:,} parameters, published {int(published['parameters']):,}")
    worst = 0.0
    for name, clip in audio.items():
        with torch.inference_mode():
            ours = model(torch.from_numpy(clip)[None])[0].numpy()
        theirs = published[name]
        assert ours.shape == theirs.shape
        difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        print(f"  {name:12} {ours.shape!s:12} largest relative difference {difference:.1e}")
        worst = max(worst, difference)
    return worst if count == int(published["parameters"]) else float("inf")


def main() -> None:
    python, speech, *sizes = sys.argv[1:]
    audio = clips(Path(speech))
    worst = 0.0
    for size in sizes or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            worst = max(worst, compare(size, python, audio, Path(folder)))
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
