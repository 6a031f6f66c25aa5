"""A HEAR module without a fault, and the ways in which tests plant one in it."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

RATE, SIZE, FRAME = 16000, 8, 640  # frames of 40 ms
Plant = Callable[[ModuleType], None]
Change = Callable[[Any, Tensor, nn.Module], Any]


class Sound(nn.Module):
    """Log energy of 40 ms frames in 8 bands, through a layer, dropout and batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.sample_rate = RATE
        self.scene_embedding_size = self.timestamp_embedding_size = SIZE
        self.mix = nn.Linear(SIZE, SIZE)
        with torch.no_grad():
            self.mix.weight.copy_(torch.arange(SIZE * SIZE).reshape(SIZE, SIZE).cos())
            self.mix.bias.fill_(1.0)
        self.dropout, self.norm = nn.Dropout(0.1), nn.BatchNorm1d(SIZE)

    def forward(self, audio: Tensor) -> Tensor:
        frames = audio.unfold(1, FRAME, FRAME)
        power = torch.fft.rfft(frames).abs().square()[..., 1:].unflatten(-1, (SIZE, -1)).mean(-1)
        mixed = self.mix((power + 1e-6).log())
        return self.norm(self.dropout(mixed).transpose(1, 2)).transpose(1, 2)


def sound() -> ModuleType:
    """A HEAR module without a fault."""
    module: Any = ModuleType("sound")
    module.load_model = lambda model_file_path="": Sound().eval()
    module.get_scene_embeddings = scene
    module.get_timestamp_embeddings = timestamps
    return module


@torch.no_grad()
def scene(audio: Tensor, model: nn.Module) -> Tensor:
    return model(audio).mean(dim=1)


@torch.no_grad()
def timestamps(audio: Tensor, model: nn.Module) -> tuple[Tensor, Tensor]:
    embeddings = model(audio)
    times = 40.0 * torch.arange(embeddings.shape[1], dtype=torch.float32) + 20
    return embeddings, times.expand(len(audio), -1).clone()


# How faults are planted: a function replaced, run after a deed, or its output changed.


def replace(name: str, value: Any) -> Plant:
    return lambda module: setattr(module, name, value)


def remove(name: str) -> Plant:
    return lambda module: delattr(module, name)


def model_with(change: Callable[[Any], Any]) -> Plant:
    def load_model(model_file_path: str = "") -> nn.Module:
        model = Sound().eval()
        change(model)
        return model

    return replace("load_model", load_model)


def before(name: str, deed: Callable[..., Any]) -> Plant:
    """Do something with the arguments before the function runs."""

    def plant(module: ModuleType) -> None:
        original = getattr(module, name)

        def function(*arguments: Any) -> Any:
            deed(*arguments)
            return original(*arguments)

        setattr(module, name, function)

    return plant


def scenes(change: Change) -> Plant:
    return replace(
        "get_scene_embeddings", lambda audio, model: change(scene(audio, model), audio, model)
    )


def frames(change: Change) -> Plant:
    """Change the timestamp embeddings, leave the times."""

    def function(audio: Tensor, model: nn.Module) -> Any:
        embeddings, times = timestamps(audio, model)
        return change(embeddings, audio, model), times

    return replace("get_timestamp_embeddings", function)


def times(change: Callable[[Tensor], Tensor]) -> Plant:
    """Change the times, leave the embeddings."""

    def function(audio: Tensor, model: nn.Module) -> Any:
        embeddings, times = timestamps(audio, model)
        return embeddings, change(times)

    return replace("get_timestamp_embeddings", function)


def crash(when: Callable[[Tensor], bool]) -> Plant:
    def deed(audio: Tensor, model: nn.Module) -> None:
        if when(audio):
            raise IndexError("index out of range")

    return before("get_scene_embeddings", deed)


def cut(share: float, every: int = 1) -> Plant:
    """Keep a share of the frames with their times, every so many."""

    def function(audio: Tensor, model: nn.Module) -> Any:
        embeddings, times = timestamps(audio, model)
        keep = slice(0, max(1, int(share * times.shape[1])), every)
        return embeddings[:, keep], times[:, keep]

    return replace("get_timestamp_embeddings", function)
