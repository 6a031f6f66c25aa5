"""Runs the original code of MSM-MAE in its own environment: the oracle of the parity tests.

    python original_msm_mae.py CHECKOUT CHECKPOINT.pth CLIPS.npz OUT.npz

CHECKOUT is a working copy of https://github.com/nttcslab/msm-mae with the files of
https://github.com/facebookresearch/mae fetched and patched as its README says; the environment has
torch, timm 0.4.12, einops, nnAudio 0.3.3 and librosa. Imports nothing of this project. For each
clip, alone, on the CPU:

    NAME/spectrogram  (80, frames) what the front end gives, normalised
    NAME/tokens       (T, 5 · D) the timestamp embeddings
    NAME/scene        (5 · D,) the scene embedding
"""

import sys
from argparse import Namespace
from functools import partial

import numpy as np
import torch


def load(checkout: str, checkpoint: str) -> torch.nn.Module:
    sys.path.insert(0, checkout)
    np.float = float  # which newer numpy has no longer
    from msm_mae import models_mae, runtime  # noqa: PLC0415

    torch.serialization.add_safe_globals([Namespace])
    state = torch.load(checkpoint)["model"]
    # The original has sizes for the published checkpoints only.
    models_mae.mae_vit_base_patch16x16 = partial(
        models_mae.MaskedAutoencoderViT,
        patch_size=[16, 16],
        embed_dim=state["pos_embed"].shape[2],
        depth=sum(f"blocks.{index}.norm1.weight" in state for index in range(100)),
        num_heads=state["pos_embed"].shape[2] // 64,
        decoder_embed_dim=state["mask_token"].shape[2],
        decoder_depth=sum(f"decoder_blocks.{index}.norm1.weight" in state for index in range(100)),
        decoder_num_heads=1,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
    )
    return runtime.RuntimeMAE(weight_file=checkpoint).eval()


def main(checkout: str, checkpoint: str, clips_file: str, out: str) -> None:
    model = load(checkout, checkpoint)
    clips = np.load(clips_file)
    found = {}
    with torch.inference_mode():
        for name in clips.files:
            clip = torch.from_numpy(clips[name])[None]
            found[f"{name}/spectrogram"] = model.to_normalized_spec(clip)[0, 0].numpy()
            found[f"{name}/tokens"] = model.get_timestamp_embeddings(clip)[0][0].numpy()
            found[f"{name}/scene"] = model.get_scene_embeddings(clip)[0].numpy()
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
