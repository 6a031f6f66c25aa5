"""Runs the published `dasheng` package in its own environment: the oracle of the parity tests.

Call with that environment's Python (pip install dasheng==0.0.9 torch torchaudio). Imports nothing
of this project, whose package has the same name.

    python published.py make CONFIG.json SEED CHECKPOINT.pt      random weights, published format
    python published.py embed CHECKPOINT.pt CLIPS.npz OUT.npz    one clip at a time, float32, CPU
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from dasheng.pretrained.pretrained import Dasheng


def make(config_file: str, seed: str, checkpoint: str) -> None:
    config = json.loads(Path(config_file).read_text())
    torch.manual_seed(int(seed))
    model = Dasheng(**config)
    with (
        torch.no_grad()
    ):  # the statistics of a trained model, roughly: dB values are far from N(0, 1)
        norm = model.init_bn[1]
        norm.running_mean.copy_(-30 + 10 * torch.randn(norm.running_mean.shape))
        norm.running_var.copy_(150 + 50 * torch.rand(norm.running_var.shape))
        for parameter in model.parameters():
            if parameter.ndim == 1:  # biases and norm gains, which start at 0 and 1
                parameter.add_(0.05 * torch.randn(parameter.shape))
    torch.save({"model": model.state_dict(), "config": config}, checkpoint)


def embed(checkpoint: str, clips_file: str, out: str) -> None:
    model = Dasheng.from_pretrained(checkpoint).eval()
    clips = np.load(clips_file)
    with torch.inference_mode():
        found = {
            name: model(torch.from_numpy(clips[name])[None])[0].numpy() for name in clips.files
        }
    count = sum(parameter.numel() for parameter in model.parameters())
    np.savez(out, parameters=np.array(count), **found)


if __name__ == "__main__":
    {"make": make, "embed": embed}[sys.argv[1]](*sys.argv[2:])
