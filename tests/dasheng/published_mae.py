"""Runs the published trainer's model in its own environment: the oracle of masked autoencoding.

Call with that environment's Python (pip install torch torchaudio einops). Its source is in no
package: SOURCE is the folder `dasheng/train` of its repository. Imports nothing of this project.

    python published_mae.py SOURCE CASE.json WEIGHTS.npz CLIPS.npz OUT.npz

One forward and one backward pass in training mode, float32, CPU: loss, mask and gradients.
"""

import importlib
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch


def source(folder: str) -> ModuleType:
    """The published `models.py`."""
    sys.path.insert(0, folder)
    torch.Callable = Callable  # it takes this name from torch, which no longer has it
    return importlib.import_module("models")


def build(models: ModuleType, case: dict[str, Any]) -> torch.nn.Module:
    """Its autoencoder from settings named as ours are: {encoder, decoder, group, target}."""
    shape = case["encoder"]
    settings = {**shape, "patch_stride": shape["patch_size"]}
    encoder = models.AudioTransformerMAE_Encoder(**settings, group_masking=group(case))
    decoder = models.AudioTransformerMAE_Decoder(
        **case["decoder"],
        input_dim=shape["embed_dim"],
        outputdim=shape["patch_size"][0] * shape["patch_size"][1],
        num_patches=encoder.patch_embed.num_patches,
    )
    loss = models.MAELoss({"patch": True, "batch": "global"}[case["target"]])
    return models.AudioTransformerMAE(encoder, decoder, loss)


def group(case: dict[str, Any]) -> bool | int:
    return False if case["group"] == 1 else case["group"]


def main(folder: str, case_file: str, weights: str, clips: str, out: str) -> None:
    case = json.loads(Path(case_file).read_text())
    warnings.simplefilter("ignore")  # of names that newer versions of PyTorch have moved
    model = build(source(folder), case).train()
    state = np.load(weights)
    model.load_state_dict({name: torch.from_numpy(state[name]) for name in state.files})
    audio = torch.from_numpy(np.load(clips)["audio"])
    # In the layout that comes from its front end, PyTorch 2.11 gives this layer's parameters wrong
    # gradients on the CPU: finite differences agree with those of a contiguous input.
    model.encoder.init_bn[1].register_forward_pre_hook(lambda _, given: given[0].contiguous())
    masks = []
    model.encoder.register_forward_hook(lambda *at: masks.append(at[2][1]))
    torch.manual_seed(case["seed"])
    loss = model(audio, mask_ratio=case["mask_ratio"], return_loss=True)
    loss.backward()
    found = {f"grad {name}": p.grad.numpy() for name, p in model.named_parameters()}
    statistics = {
        name: buffer.numpy() for name, buffer in model.named_buffers() if "running" in name
    }
    np.savez(out, loss=loss.item(), removed=masks[0].numpy() == 1, **found, **statistics)


if __name__ == "__main__":
    main(*sys.argv[1:])
