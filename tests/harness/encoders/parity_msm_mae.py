"""Redoes the full comparison with the original code of MSM-MAE, by hand:

    python -m tests.harness.encoders.parity_msm_mae ORIGINAL_CHECKOUT [ITS_PYTHON]

Published architectures with random weights, one file for both; clips alone, of up to 25 s, float32,
CPU. Prints the largest differences relative to the largest output, and the parameters. Exits 1
above 1e-4. See original_msm_mae.py for what that environment needs.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from harness.encoders.msm_mae import get_scene_embeddings, load_model
from tests.harness.encoders.make_msm_mae_golden import original
from tests.harness.encoders.msm_mae_checkpoint import PAPER, SHORT, Sizes, write
from tests.harness.encoders.originals import clip

SAMPLES = (201, 8000, 33_120, 160_000, 400_000)  # 33 120: 208 frames
SIZES = {
    "paper": PAPER,
    "208 frames": SHORT,
    "no CLS": SHORT._replace(depth=2, cls_token=False),
}


def difference(ours: torch.Tensor, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours.numpy() - theirs).max() / np.abs(theirs).max())


@torch.no_grad()
def compared(checkout: str, python: str, sizes: Sizes) -> float:
    clips = {str(samples): clip(samples) for samples in SAMPLES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write(folder, sizes=sizes)
        theirs = original(checkout, python, file, clips, folder)
        model = load_model(str(file))
    print(f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters")
    worst = 0.0
    for name, samples in clips.items():
        audio = torch.from_numpy(samples)[None]
        found = {
            "spectrogram": model.spectrogram(audio)[0],
            "tokens": model(audio)[0][0],
            "scene": get_scene_embeddings(audio, model)[0],
        }
        apart = {what: difference(ours, theirs[f"{name}/{what}"]) for what, ours in found.items()}
        print(f"{name:>7} samples", *(f"{what} {value:.1e}" for what, value in apart.items()))
        worst = max(worst, *apart.values())
    return worst


def main(checkout: str, python: str = sys.executable) -> None:
    worst = 0.0
    for name, sizes in SIZES.items():
        print(name)
        worst = max(worst, compared(checkout, python, sizes))
    print(f"worst {worst:.1e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main(*sys.argv[1:])
