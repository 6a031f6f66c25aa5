"""Makes the golden files: miniature encoders of the three sizes, embedded by the published package.

python -m tests.dasheng.make_golden PYTHON_WITH_PUBLISHED_DASHENG
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden")
PUBLISHED = Path(__file__).with_name("published.py")
# The proportions of base, 0.6B and 1.2B; blocks of 2 s, so that 5 s are three of them.
MINIATURES = {
    "base": {"embed_dim": 24, "depth": 2, "num_heads": 3},
    "0.6B": {"embed_dim": 40, "depth": 3, "num_heads": 4},
    "1.2B": {"embed_dim": 48, "depth": 2, "num_heads": 6},
}
SHAPE = {"target_length": 200, "patch_size": [64, 4], "patch_stride": [64, 4]}
SAMPLES = (480, 9_999, 16_000, 80_000)


def clips() -> dict[str, np.ndarray]:
    """Noise under a rising tone, one clip per length; the same wherever it is made."""
    random = np.random.default_rng(2024)
    found = {}
    for n in SAMPLES:
        time = np.arange(n) / 16000
        audio = 0.1 * random.normal(size=n) + 0.3 * np.sin(2 * np.pi * (200 + 300 * time) * time)
        found[str(n)] = audio.astype(np.float32)
    return found


def main() -> None:
    python = sys.argv[1]
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "clips.npz", **clips())
        for seed, (size, shape) in enumerate(MINIATURES.items()):
            (folder / "config.json").write_text(json.dumps({**shape, **SHAPE}))
            checkpoint, out = GOLDEN / f"{size}.pt", folder / "out.npz"
            for arguments in (
                ("make", folder / "config.json", seed, checkpoint),
                ("embed", checkpoint, folder / "clips.npz", out),
            ):
                command = [python, PUBLISHED, *arguments]
                subprocess.run([str(word) for word in command], check=True, cwd=folder)
            np.savez_compressed(GOLDEN / f"{size}.npz", **np.load(out))


if __name__ == "__main__":
    main()
