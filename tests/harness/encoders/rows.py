"""Every row of the tables, and what writes a checkpoint of random numbers in its published form."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from harness.targets import ALIASES
from tests.dasheng.miniature import miniature, write_published
from tests.harness.encoders import (
    audiomae_checkpoint,
    ced_checkpoint,
    data2vec_checkpoint,
    msm_mae_checkpoint,
    wav2vec2_checkpoint,
    wavlm_checkpoint,
    whisper_checkpoint,
)

X_ARES = '''
import torch

class LevelEncoder(torch.nn.Module):
    """40 ms of sound through one map."""
    sampling_rate, output_dim, hop_size_in_ms = 16000, 32, 40

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(640, 32, generator=generator))

    def forward(self, audio):
        audio = torch.nn.functional.pad(audio, (0, -audio.shape[-1] % 640))
        return (audio.unflatten(-1, (-1, 640)) @ self.weight).tanh()
'''


class Row(NamedTuple):
    """Write random weights to a folder, tiny or as large as published; and who reads them.

    parameters: of the encoder, as published, or None where there is nothing published.
    """

    write: Callable[..., Path]
    opens: str  # what stands before the colon of a spec
    module: str  # for programs that know no doors
    parameters: int | None


def _row(alias: str, checkpoint: object) -> Row:
    module = ALIASES[alias]
    return Row(checkpoint.write, module, module, checkpoint.PARAMETERS)


def _x_ares(folder: Path, *, tiny: bool = False) -> Path:
    file = folder / "level_encoder.py"
    file.write_text(X_ARES)
    return file


def _dasheng(folder: Path, *, tiny: bool = False) -> Path:
    return write_published(miniature(), folder / "trained.pt")


ROWS: dict[str, Row] = {
    "random": Row(_dasheng, "random", ALIASES["random"], None),
    "audiomae": _row("audiomae", audiomae_checkpoint),
    "ced-base": _row("ced-base", ced_checkpoint),
    "msm-mae": _row("msm-mae", msm_mae_checkpoint),
    "whisper-base": _row("whisper-base", whisper_checkpoint),
    "wavlm-large": _row("wavlm-large", wavlm_checkpoint),
    "wav2vec2-large-100k-voxpopuli": _row("wav2vec2-large-100k-voxpopuli", wav2vec2_checkpoint),
    "data2vec-audio-large": _row("data2vec-audio-large", data2vec_checkpoint),
    "hf:": Row(wavlm_checkpoint.write, "hf", "harness.encoders.hf", wavlm_checkpoint.PARAMETERS),
    "xares:": Row(_x_ares, "xares", "harness.encoders.xares", None),
}
