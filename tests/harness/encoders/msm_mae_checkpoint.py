"""Checkpoints of MSM-MAE in their published form, with random numbers for weights.

Names, shapes and types as the original code makes and saves them
(https://github.com/nttcslab/msm-mae): the decoder beside the encoder, and what training needs.
"""

from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

# None is published: of the encoder's tensors in the paper's checkpoint, as their shapes have it.
PARAMETERS = 85_368_576


class Sizes(NamedTuple):
    """Of the encoder and of the decoder; `frames` is what the positions are for."""

    width: int
    depth: int
    frames: int
    decoder_width: int
    decoder_depth: int
    cls_token: bool = True

    @property
    def folder(self) -> str:
        """The original code reads the sizes from the name of the folder."""
        return f"80x{self.frames}p16x16_random"


PAPER = Sizes(width=768, depth=12, frames=512, decoder_width=384, decoder_depth=4)
SHORT = PAPER._replace(frames=208)
TINY = Sizes(width=128, depth=2, frames=208, decoder_width=64, decoder_depth=1)
PATCH, MELS = 16, 80


def state(sizes: Sizes, seed: int = 0) -> dict[str, Tensor]:
    """Every tensor of a checkpoint; the same numbers whatever the version of PyTorch."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, mean: float = 0.0, std: float = 0.1) -> Tensor:
        numbers = random.standard_normal(shape, dtype=np.float32)
        return torch.from_numpy(numbers).mul_(std).add_(mean)

    def linear(name: str, out: int, *fan_in: int) -> dict[str, Tensor]:
        weight = normal(out, *fan_in, std=float(np.prod(fan_in)) ** -0.5)
        return {f"{name}.weight": weight, f"{name}.bias": normal(out)}

    def norm(name: str, size: int) -> dict[str, Tensor]:
        return {f"{name}.weight": normal(size, mean=1.0), f"{name}.bias": normal(size)}

    def block(name: str, size: int) -> dict[str, Tensor]:
        qkv = normal(3 * size, size, std=size**-0.5)
        return {
            **norm(f"{name}.norm1", size),
            f"{name}.attn.q_bias": normal(size),
            f"{name}.attn.v_bias": normal(size),
            f"{name}.attn.qkv.weight": qkv,
            **linear(f"{name}.attn.proj", size, size),
            **norm(f"{name}.norm2", size),
            **linear(f"{name}.mlp.fc1", 4 * size, size),
            **linear(f"{name}.mlp.fc2", size, 4 * size),
        }

    width, decoder = sizes.width, sizes.decoder_width
    patches = (MELS // PATCH) * (sizes.frames // PATCH) + sizes.cls_token
    found = {"cls_token": normal(1, 1, width)} if sizes.cls_token else {}
    found["pos_embed"] = normal(1, patches, width, std=0.5)
    found["mask_token"] = normal(1, 1, decoder)
    found["decoder_pos_embed"] = normal(1, patches, decoder)
    found |= linear("patch_embed.proj", width, 1, PATCH, PATCH)
    for index in range(sizes.depth):
        found |= block(f"blocks.{index}", width)
    found |= norm("norm", width) | linear("decoder_embed", decoder, width)
    for index in range(sizes.decoder_depth):
        found |= block(f"decoder_blocks.{index}", decoder)
    found |= norm("decoder_norm", decoder)
    return found | linear("decoder_pred", PATCH * PATCH, decoder)


def write(folder: Path, *, tiny: bool = False, sizes: Sizes | None = None) -> Path:
    """As the trainer saves it and a release's archive holds it."""
    sizes = sizes or (TINY if tiny else PAPER)
    file = folder / sizes.folder / "checkpoint-100.pth"
    file.parent.mkdir(exist_ok=True)
    options = {"lr": 3e-4, "betas": (0.9, 0.95), "params": [0, 1]}
    training = {
        "optimizer": {
            "state": {0: {"step": 7, "exp_avg": torch.zeros(3)}},
            "param_groups": [options],
        },
        "epoch": 100,
        "scaler": {"scale": 65536.0, "_growth_tracker": 3},
        "args": Namespace(
            model="mae_vit_base_patch16x16", input_size=[MELS, sizes.frames], lr=None
        ),
    }
    torch.save({"model": state(sizes), **training}, file)
    return file
