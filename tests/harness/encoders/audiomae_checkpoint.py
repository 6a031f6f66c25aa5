"""AudioMAE's weights in their two published forms, with seeded random numbers in them."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

# Of the encoder. The original's README logs 85,659,407 for the classifier: less than these by the
# 393,984 fixed positions, which it does not count, and more by a head of 405,263.
PARAMETERS = 85_648_128

# width and depth of the encoder, width of the decoder
PUBLISHED = (768, 12, 512)
TINY = (128, 2, 32)
POSITIONS = 1 + 64 * 8
DECODER_BLOCKS, DECODER_HEADS = 16, 16


def write(folder: Path, *, tiny: bool = False) -> Path:
    """The copy for timm: the encoder's tensors and nothing else."""
    file = folder / "model.safetensors"
    save_file(encoder(tiny=tiny), file, metadata={"format": "pt"})
    return file


def write_original(folder: Path, *, tiny: bool = False) -> Path:
    """As the original's training code saves it, less the optimiser: with decoder and options."""
    file = folder / "pretrained.pth"
    state = {**encoder(tiny=tiny), **_decoder(TINY if tiny else PUBLISHED)}
    options = argparse.Namespace(model="mae_vit_base_patch16", mask_ratio=0.8, decoder_mode=1)
    torch.save({"model": state, "epoch": 32, "args": options}, file)
    return file


def encoder(*, tiny: bool = False) -> dict[str, Tensor]:
    """The encoder's tensors, by name."""
    width, depth, _ = TINY if tiny else PUBLISHED
    shapes = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, POSITIONS, width),
        "patch_embed.proj.weight": (width, 1, 16, 16),
        "patch_embed.proj.bias": (width,),
        **{name: shape for i in range(depth) for name, shape in _block(f"blocks.{i}", width)},
        **dict(_norm("norm", width)),
    }
    return _random(shapes, seed=0)


def _decoder(sizes: tuple[int, int, int]) -> dict[str, Tensor]:
    """The decoder of windowed attention over 4 × 4 patches that the published weights have."""
    width, _, narrow = sizes
    shapes: dict[str, tuple[int, ...]] = {
        "mask_token": (1, 1, narrow),
        "decoder_pos_embed": (1, POSITIONS, narrow),
        **dict(_linear("decoder_embed", width, narrow)),
    }
    for block in (f"decoder_blocks.{i}" for i in range(DECODER_BLOCKS)):
        shapes |= _block(block, narrow)
        shapes[f"{block}.attn.tau"] = (DECODER_HEADS,)
        shapes |= _linear(f"{block}.attn.meta_mlp.fc1", 2, 384)
        shapes |= _linear(f"{block}.attn.meta_mlp.fc2", 384, DECODER_HEADS)
    shapes |= _norm("decoder_norm", narrow)
    shapes |= _linear("decoder_pred", narrow, 256)
    return _random(shapes, seed=1)


Shapes = Iterator[tuple[str, tuple[int, ...]]]


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _norm(name: str, width: int) -> Shapes:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _block(name: str, width: int) -> Shapes:
    yield from _norm(f"{name}.norm1", width)
    yield from _linear(f"{name}.attn.qkv", width, 3 * width)
    yield from _linear(f"{name}.attn.proj", width, width)
    yield from _norm(f"{name}.norm2", width)
    yield from _linear(f"{name}.mlp.fc1", width, 4 * width)
    yield from _linear(f"{name}.mlp.fc2", 4 * width, width)


def _random(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Numbers that keep the scale of what passes through: matrices by their inputs, norms near 1.

    NumPy's, which are the same wherever the golden file is made and read.
    """
    generator = np.random.default_rng(seed)
    state = {}
    for name, shape in shapes.items():
        values = generator.standard_normal(shape, dtype=np.float32)
        if name.endswith("weight") and len(shape) > 1:
            values /= np.sqrt(np.prod(shape[1:]), dtype=np.float32)
        elif name.endswith("weight"):
            values = 1 + np.float32(0.1) * values
        elif name.endswith("tau"):
            values = np.abs(values)
        elif name.endswith("bias"):
            values *= np.float32(0.1)
        else:
            values *= np.float32(0.5)
        state[name] = torch.from_numpy(values)
    return state
