"""Redoes the full comparison with the original code of CED, by hand:

    python -m tests.harness.encoders.parity_ced ORIGINAL_CHECKOUT [PYTHON_OF_ITS_ENVIRONMENT]

CED-Base with random weights, one file for both; clips of up to 25 s, float32, CPU. Prints the
largest differences relative to the largest output, and the parameters. Exits 1 above 1e-4.
See original_ced.py for what that environment needs.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from harness.encoders.ced import get_scene_embeddings, load_model
from tests.harness.encoders.ced_checkpoint import write
from tests.harness.encoders.make_ced_golden import original
from tests.harness.encoders.originals import clip

SAMPLES = (2400, 16_000, 160_000, 161_919, 400_000)  # 161 919: the 1012 frames of one chunk


def difference(ours: torch.Tensor, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours.numpy() - theirs).max() / np.abs(theirs).max())


@torch.no_grad()
def main(checkout: str, python: str = sys.executable) -> None:
    clips = {str(samples): clip(samples) for samples in SAMPLES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write(folder)
        theirs = original(checkout, python, file, clips, folder)
        model = load_model(str(file))
    print(f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters")
    worst = 0.0
    for name, samples in clips.items():
        audio = torch.from_numpy(samples)[None]
        tokens, _ = model(audio)
        found = {"mel": model.front_end(audio)[0], "tokens": tokens[0]}
        if f"{name}/pooled" in theirs:
            found["pooled"] = get_scene_embeddings(audio, model)[0]
        apart = {what: difference(ours, theirs[f"{name}/{what}"]) for what, ours in found.items()}
        print(f"{name:>7} samples", *(f"{what} {value:.1e}" for what, value in apart.items()))
        worst = max(worst, *apart.values())
    print(f"worst {worst:.1e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main(*sys.argv[1:])
