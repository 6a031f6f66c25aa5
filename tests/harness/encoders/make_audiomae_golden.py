"""Makes AudioMAE's golden file: a tiny encoder of random weights, run by the original code.

    python -m tests.harness.encoders.make_audiomae_golden ORIGINAL_CHECKOUT PYTHON

Arguments as for `parity_audiomae`. Kept are the tokens, in the mean over the bands, and the front
end's numbers for the shortest clip.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.harness.encoders.audiomae_checkpoint import write_original
from tests.harness.encoders.parity_audiomae import ask_the_original, clips

GOLDEN = Path(__file__).with_name("golden") / "audiomae.npz"
SECONDS = {"one": 1.0, "short": 0.3, "chunks": 11.0}


def main() -> None:
    checkout, python = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_original(Path(folder), tiny=True)
        found = ask_the_original(checkout, python, checkpoint, clips(SECONDS))
    kept = {f"{name}/tokens": found[f"{name}/tokens"].mean(axis=1) for name in SECONDS}
    kept["short/fbank"] = found["short/fbank"]
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, **kept)


if __name__ == "__main__":
    main()
