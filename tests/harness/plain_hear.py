"""A small HEAR module that takes equal-length batches only, as most people's do.

`calls` lists the shape of every batch that it was given.
"""

import torch
from torch import Tensor, nn

calls: list[tuple[int, ...]] = []


class Plain(nn.Module):
    """Mean, spread and zero crossings of a clip, mixed by a fixed matrix."""

    sample_rate = 16000
    scene_embedding_size = 4
    timestamp_embedding_size = 4

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(3, 4)
        with torch.no_grad():
            self.mix.weight.copy_(torch.arange(12.0).reshape(4, 3).cos())
            self.mix.bias.zero_()


def load_model(model_file_path: str = "") -> nn.Module:
    return Plain()


def get_scene_embeddings(audio: Tensor, model: nn.Module) -> Tensor:
    calls.append(tuple(audio.shape))
    crossings = (audio[:, 1:] * audio[:, :-1] < 0).float().mean(dim=1)
    return model.mix(torch.stack([audio.mean(dim=1), audio.std(dim=1), crossings], dim=1))


def get_timestamp_embeddings(audio: Tensor, model: nn.Module) -> tuple[Tensor, Tensor]:
    frames = audio.unfold(1, 640, 640)
    embeddings = torch.stack(
        [get_scene_embeddings(frames[:, i], model) for i in range(frames.shape[1])], dim=1
    )
    times = torch.arange(frames.shape[1], dtype=torch.float32) * 40 + 20
    return embeddings, times.expand(len(audio), -1)
