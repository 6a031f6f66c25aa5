"""Makes golden/mae.npz: a step of a tiny autoencoder by the published trainer's model.

    python -m tests.dasheng.make_golden_mae PYTHON_WITH_PUBLISHED_DASHENG CLONE_OF_ITS_REPOSITORY

Holds loss, mask, gradients and batch-norm statistics of each of `CASES`.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.dasheng.make_golden import GOLDEN
from tests.dasheng.parity_mae import TINY_CASES, extract, published

FILE = GOLDEN / "mae.npz"
# One by one with a patch's own normalisation, in pairs with the batch's.
CASES = (TINY_CASES[0], TINY_CASES[3])


def main() -> None:
    python, clone = sys.argv[1:]
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = extract(Path(clone), folder)
        for number, case in enumerate(CASES):
            published(case, python, source, folder)
            step = np.load(folder / "out.npz")
            found.update({f"{number} {key}": step[key] for key in step.files})
    np.savez_compressed(FILE, **found)


if __name__ == "__main__":
    main()
