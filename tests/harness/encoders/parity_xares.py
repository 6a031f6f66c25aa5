"""An encoder file through X-ARES itself and through the door, by hand, where `xares==0.1.3` is:

    python -m tests.harness.encoders.parity_xares FILE

FILE as X-ARES wants it, relative to the current folder; its own examples are in example/*/*.py.
X-ARES finds the class, encodes each clip alone, stores the tokens transposed and pools them. Prints
the largest difference of the embeddings relative to the largest number, and how far the file's
embeddings move when a loud clip is beside a quiet one. Exits 1 above 1e-6.
"""

import sys

import torch
from torch import Tensor
from xares.trainer import masked_mean
from xares.utils import attr_from_py_path

from harness.encoders.xares import get_scene_embeddings, load_model

SECONDS = (0.5, 1.98, 10.0, 10.5, 25.0)


def apart(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def main(file: str) -> None:
    encoder = attr_from_py_path(file, endswith="Encoder")().eval()
    model = load_model(file)
    model.encoder.load_state_dict(encoder.state_dict())  # drawn anew by files without a checkpoint
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for seconds in SECONDS:
        clip = 0.1 * torch.randn(1, round(seconds * encoder.sampling_rate), generator=generator)
        with torch.inference_mode():
            tokens = encoder(clip.clone()).transpose(1, 2).contiguous()
            theirs = masked_mean(tokens, torch.tensor([tokens.shape[2]]))
        difference = apart(get_scene_embeddings(clip, model), theirs)
        print(f"{seconds:>5} s {tokens.shape[2]:>5} tokens {difference:.1e}")
        worst = max(worst, difference)
    pair = torch.cat([clip, clip / 100])[:, : encoder.sampling_rate]
    with torch.inference_mode():
        moved = apart(encoder(pair.clone())[1:], encoder(pair[1:].clone()))
    print(f"worst {worst:.1e}; in a batch, moved by {moved:.1e}")
    sys.exit(worst > 1e-6)


if __name__ == "__main__":
    main(*sys.argv[1:])
