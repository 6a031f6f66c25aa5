"""Checkpoints of CED in their published forms, with random numbers for weights.

Names, shapes and types as the original code makes them (https://github.com/RicherMans/CED).
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchaudio.transforms import MelSpectrogram

# CED-Base as its repository's table has it: with the classifier, 0.4 M, which is no part of ours.
PARAMETERS = 86_000_000

BASE = {"width": 768, "depth": 12, "steps": 63}
TINY = {"width": 128, "depth": 2, "steps": 12}
CLASSES = 527


def state(*, width: int, depth: int, steps: int, seed: int = 0) -> dict[str, Tensor]:
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

    mel = MelSpectrogram(16000, n_fft=512, win_length=512, hop_length=160, n_mels=64, f_max=8000.0)
    found = {
        "time_pos_embed": normal(1, width, 1, steps, std=0.3),
        "freq_pos_embed": normal(1, width, 4, 1, std=0.3),
        "front_end.0.spectrogram.window": mel.spectrogram.window,
        "front_end.0.mel_scale.fb": mel.mel_scale.fb,
        **norm("init_bn.1", 64),
        "init_bn.1.running_mean": normal(64, mean=-30.0, std=10.0),
        "init_bn.1.running_var": normal(64, mean=200.0, std=20.0),
        "init_bn.1.num_batches_tracked": torch.tensor(1000),
        **linear("patch_embed.proj", width, 1, 16, 16),
    }
    for block in (f"blocks.{index}" for index in range(depth)):
        found |= norm(f"{block}.norm1", width)
        found |= linear(f"{block}.attn.qkv", 3 * width, width)
        found |= linear(f"{block}.attn.proj", width, width)
        found |= norm(f"{block}.norm2", width)
        found |= linear(f"{block}.mlp.fc1", 4 * width, width)
        found |= linear(f"{block}.mlp.fc2", width, 4 * width)
    found |= norm("norm", width)
    return found | norm("outputlayer.0", width) | linear("outputlayer.1", CLASSES, width)


def write(folder: Path, *, tiny: bool = False) -> Path:
    """As on Zenodo: the tensors by name, and nothing else."""
    file = folder / "audiotransformer_base_mAP_4999.pt"
    torch.save(state(**(TINY if tiny else BASE)), file)
    return file


def write_hub(folder: Path, *, tiny: bool = False) -> Path:
    """As on the Hugging Face hub: other names, no front end, a configuration beside it."""
    sizes = TINY if tiny else BASE
    tensors = {}
    for name, tensor in state(**sizes).items():
        prefix = "" if name.startswith("outputlayer.") else "encoder."
        if not name.startswith("front_end."):
            tensors[prefix + name.replace("init_bn.1.", "init_bn.")] = tensor
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = {
        "architectures": ["CedForAudioClassification"],
        "model_type": "ced",
        "name": "ced-base",
        "embed_dim": sizes["width"],
        "depth": sizes["depth"],
        "num_heads": sizes["width"] // 64,
        "target_length": 16 * sizes["steps"] + 4,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder
