"""Dasheng as a HEAR module (https://hearbenchmark.com/hear-api.html).

Scene embedding: mean over time of the last layer's tokens. Timestamp embeddings: the tokens.
A token covers 4 frames of 10 ms; frame f is centred at 10·f ms, so token t is centred at
40·t + 15 ms.

Gradients are off by `no_grad`, not by `inference_mode`, under which autocast forgets the weights
it has cast and casts all of them again for every batch.
"""

from pathlib import Path

import torch
from torch import Tensor

from dasheng import checkpoint
from dasheng.encoder import Dasheng


def load_model(model_file_path: str = "") -> Dasheng:
    """Load an encoder, in evaluation mode, on the CPU.

    Args:
        model_file_path: "" (base), a name (tiny, in the package; base, 0.6B, 1.2B: downloaded
            once), or a checkpoint file in any form that `dasheng.checkpoint.load` reads.

    Raises:
        ValueError, OSError, UserError: the checkpoint cannot be had or is not one of ours.
    """
    name = model_file_path or "base"
    if name in checkpoint.NAMES:  # first: a folder called base must not pass for base's weights
        return checkpoint.load(checkpoint.resolve(name)).eval()
    if Path(name).exists():
        return checkpoint.load(name).eval()
    raise FileNotFoundError(
        f"expected {', '.join(checkpoint.NAMES)} or a checkpoint file, found {name!r}"
    )


@torch.no_grad()
def get_scene_embeddings(audio: Tensor, model: Dasheng, lengths: Tensor | None = None) -> Tensor:
    """One embedding per clip.

    Args:
        audio: (B, N) floating-point samples at 16 kHz in [-1, 1].
        model: what `load_model` gave.
        lengths: (B,) int64, the valid samples of each clip of a ragged batch.

    Returns:
        (B, D) float32 on the model's device.
    """
    tokens, counts = _tokens(audio, model, lengths)
    return tokens.sum(dim=1) / counts[:, None]


@torch.no_grad()
def get_timestamp_embeddings(
    audio: Tensor, model: Dasheng, lengths: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """One embedding per 40 ms.

    Args:
        audio: as for `get_scene_embeddings`.
        model: likewise.
        lengths: likewise.

    Returns:
        (B, T, D) float32, zero beyond a clip's own tokens, and their centres (B, T) float32, ms.
    """
    tokens, _ = _tokens(audio, model, lengths)
    frame_ms = 1000 * model.config.hop_size / model.sample_rate
    width = model.config.patch_size[1]
    first = torch.arange(tokens.shape[1], dtype=torch.float32, device=tokens.device) * width
    centres = frame_ms * (first + (width - 1) / 2)
    return tokens, centres.expand(len(tokens), -1).clone()


def _tokens(audio: Tensor, model: Dasheng, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
    """Tokens (B, T, D), zero beyond each clip's own, and how many those are, (B,)."""
    device = next(model.parameters()).device
    tokens = model(audio.to(device), lengths)
    samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
    return tokens, model.tokens(samples).to(device)
