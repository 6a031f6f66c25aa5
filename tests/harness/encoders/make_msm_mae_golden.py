"""Makes golden/msm_mae.npz: tiny random weights and a few clips, through the original code.

    python -m tests.harness.encoders.make_msm_mae_golden ORIGINAL_CHECKOUT [ITS_PYTHON]

See original_msm_mae.py for what that environment needs.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.harness.encoders.msm_mae_checkpoint import write

GOLDEN = Path(__file__).with_name("golden") / "msm_mae.npz"
ORIGINAL = Path(__file__).with_name("original_msm_mae.py")
# The shortest; 14 frames; a unit of 208 frames exactly; one frame more; three units.
SAMPLES = (201, 2100, 33_120, 33_280, 80_000)


def clip(samples: int, seed: int = 0) -> np.ndarray:
    """Noise under a rising tone, then exact silence."""
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


def kept(name: str, numbers: np.ndarray) -> np.ndarray:
    """Enough to tell a fault: of tokens and spectrograms every eighth number, scenes whole."""
    return numbers if name.endswith("/scene") else numbers[..., ::8]


def main(checkout: str, python: str = sys.executable) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = {str(samples): clip(samples) for samples in SAMPLES}
        found = original(checkout, python, write(folder, tiny=True), clips, folder)
    np.savez_compressed(GOLDEN, **{name: kept(name, numbers) for name, numbers in found.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
