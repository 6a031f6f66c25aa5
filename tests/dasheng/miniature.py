"""A small random encoder with the statistics of a trained one, and its file in published form."""

from dataclasses import asdict
from pathlib import Path

import torch

from dasheng.blocks import EncoderConfig
from dasheng.encoder import Dasheng

CONFIG = EncoderConfig(embed_dim=32, depth=2, num_heads=4, target_length=200)


def miniature(config: EncoderConfig = CONFIG, seed: int = 0) -> Dasheng:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Dasheng(config)
        norm = model.init_bn[1]
        with torch.no_grad():
            norm.get_buffer("running_mean").fill_(-30.0)
            norm.get_buffer("running_var").fill_(200.0)
    return model.eval()


def write_published(model: Dasheng, file: Path) -> Path:
    config = {**asdict(model.config), "patch_stride": model.config.patch_size, "center": True}
    torch.save({"model": model.state_dict(), "config": config}, file)
    return file
