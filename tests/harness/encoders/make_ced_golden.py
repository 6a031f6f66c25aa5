"""Makes golden/ced.npz: tiny random weights and a few clips, through the original code.

    python -m tests.harness.encoders.make_ced_golden ORIGINAL_CHECKOUT [PYTHON_OF_ITS_ENVIRONMENT]

See original_ced.py for what that environment needs.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.harness.encoders.ced_checkpoint import write

GOLDEN = Path(__file__).with_name("golden") / "ced.npz"
ORIGINAL = Path(__file__).with_name("original_ced.py")
# One patch; two; all that a tiny model encodes at once, 4 frames more than patches; three chunks.
SAMPLES = (2400, 5119, 31_359, 70_000)


def clip(samples: int, seed: int = 0) -> np.ndarray:
    """Noise under a rising tone, then exact silence, which the floor of 120 dB lifts."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / 16000
    audio = 0.1 * random.normal(size=samples) + np.sin(2 * np.pi * (200 + 300 * time) * time)
    audio[samples * 2 // 3 : samples * 5 // 6] = 0
    return (0.5 * audio).astype(np.float32)


def original(
    checkout: str, python: str, checkpoint: Path, clips: dict[str, np.ndarray], folder: Path
) -> dict[str, np.ndarray]:
    """What the original makes of the clips; `folder` takes the files between the two."""
    np.savez(folder / "clips.npz", **clips)
    names = (ORIGINAL, checkout, checkpoint, folder / "clips.npz", folder / "out.npz")
    subprocess.run([python, *map(str, names)], check=True)
    return dict(np.load(folder / "out.npz"))


def main(checkout: str, python: str = sys.executable) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = {str(samples): clip(samples) for samples in SAMPLES}
        found = original(checkout, python, write(folder, tiny=True), clips, folder)
    # The spectrograms of the short clips say as much as those of the long ones.
    kept = {key: x for key, x in found.items() if not key.endswith("/mel") or x.shape[1] < 50}
    np.savez_compressed(GOLDEN, **kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
