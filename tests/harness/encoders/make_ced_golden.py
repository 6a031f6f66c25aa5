"""Makes golden/ced.npz: tiny random weights and a few clips, through the original code.

    python -m tests.harness.encoders.make_ced_golden ORIGINAL_CHECKOUT [PYTHON_OF_ITS_ENVIRONMENT]

See original_ced.py for what that environment needs.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from tests.harness.encoders import originals
from tests.harness.encoders.ced_checkpoint import write
from tests.harness.encoders.originals import clip

GOLDEN = Path(__file__).with_name("golden") / "ced.npz"
original = partial(originals.run, Path(__file__).with_name("original_ced.py"))
# One patch; two; all that a tiny model encodes at once, 4 frames more than patches; three chunks.
SAMPLES = (2400, 5119, 31_359, 70_000)


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
