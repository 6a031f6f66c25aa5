"""Makes golden/msm_mae.npz: tiny random weights and a few clips, through the original code.

    python -m tests.harness.encoders.make_msm_mae_golden ORIGINAL_CHECKOUT [ITS_PYTHON]

See original_msm_mae.py for what that environment needs.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from tests.harness.encoders import originals
from tests.harness.encoders.msm_mae_checkpoint import write
from tests.harness.encoders.originals import clip

GOLDEN = Path(__file__).with_name("golden") / "msm_mae.npz"
original = partial(originals.run, Path(__file__).with_name("original_msm_mae.py"))
# The shortest; 14 frames; a unit of 208 frames exactly; one frame more; three units.
SAMPLES = (201, 2100, 33_120, 33_280, 80_000)


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
