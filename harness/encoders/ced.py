"""CED as a HEAR module: CED-Base of the tables, and its smaller sisters from a file.

Paper: Dinkel et al., "CED: Consistent ensemble distillation for audio tagging",
https://arxiv.org/abs/2308.11957. A vision transformer that learnt AudioSet's labels from an
ensemble of larger ones; this is our own implementation, of which the 527 outputs are no part.
Checkpoint: `audiotransformer_base_mAP_4999.pt`, https://zenodo.org/records/8275347, or the same
weights as `model.safetensors` of https://huggingface.co/mispeech/ced-base, branch main: no
revision and no checksum are known for certain. Read from a file: either form, of CED-Tiny, -Mini,
-Small and -Base, which differ in width and have heads of 64 throughout. Licence of the weights:
Apache-2.0 as the model card says; the original code is GPL-3.0, and none of it is here.
Layer: the last, after the final normalisation. Pooling: the mean over all patches, which is what
the classifier is given. Timestamps: the mean over the 4 frequency bands at each 160 ms.
Sample rate: 16 kHz. Front end: Dasheng's, 64 mel bins in dB, one frame every 10 ms, each bin
through the batch normalisation as it was learnt; patches of 16 bins × 16 frames.

What differs from the original code (https://github.com/RicherMans/CED):
- Its floor of 120 dB below the maximum is taken over the whole batch, here over the clip.
- It cuts audio beyond 1012 frames (10.12 s) into chunks of 1012 of which 63 patches use 1008: 4
  frames of each are lost. It fills the last chunk with zeros that count in the mean, or, where
  that one is full, leaves it out. Here chunks are the 1008 frames of 63 patches, so that time does
  not drift, and only patches of real frames are tokens. Up to 10.12 s there is no difference.
- A clip of less than one patch, 150 ms, is padded to it with zeros; there it is an error.
Frames at the end that fill no patch (less than 160 ms) are dropped in both.

The tables' authors may have used their HEAR module (https://github.com/RicherMans/HEAR_CED). Its
scene embeddings are these, with the differences above. Its timestamp embeddings are other ones:
every 50 ms, the mean of a clip of its own of 480 ms around that time, zero-padded at the ends.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from dasheng.frontend import LogMel, check_audio
from dasheng.weights import fill, obtain, read_state
from harness.encoders.parts.tokens import (
    TokenEncoder,
    get_scene_embeddings,
    get_timestamp_embeddings,
)
from harness.encoders.parts.vit import VisionTransformer, block_count
from tasks.spec import Archive

__all__ = ["CED", "get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

# The first record is named in the original's README, the second in its code.
_ZENODO = ("https://zenodo.org/records/8275347", "https://zenodo.org/records/8275319")
_FILE = "audiotransformer_base_mAP_4999.pt"
_HUB = "https://huggingface.co/mispeech/ced-base"
SOURCES = (
    Archive(
        filename=_FILE,
        urls=tuple(f"{record}/files/{_FILE}?download=1" for record in _ZENODO),
        size=None,
        checksum=None,
        licence="Apache-2.0",
        page=_ZENODO[0],
    ),
    Archive(
        filename="ced-base.safetensors",
        urls=(f"{_HUB}/resolve/main/model.safetensors",),
        size=None,
        checksum=None,
        licence="Apache-2.0",
        page=_HUB,
    ),
)
INSTEAD = "or give a local file: --model ced-base:FILE"

N_MELS = 64
PATCH = 16  # mel bins, and frames
HEAD_DIM = 64  # in each of the four published sizes; heads leave no trace in a file


class CED(VisionTransformer, TokenEncoder):
    """Names of parameters and buffers are those of the published checkpoints."""

    minimum_samples = (PATCH - 1) * 160  # so many have 16 frames, the first of which is at 0

    def __init__(self, *, embed_dim: int, depth: int, steps: int) -> None:
        super().__init__(
            embed_dim=embed_dim,
            depth=depth,
            num_heads=embed_dim // HEAD_DIM,
            patch=(PATCH, PATCH),
            steps=steps,
        )
        with torch.device("cpu"):  # its filterbank is computed, which the meta device cannot do
            self.front_end = LogMel(sample_rate=self.sample_rate, n_mels=N_MELS)
        # The place in the sequence is part of the published name, `init_bn.1`.
        self.init_bn = nn.Sequential(nn.Identity(), nn.BatchNorm2d(N_MELS))
        self.time_pos_embed = nn.Parameter(torch.zeros(1, embed_dim, 1, steps))
        self.freq_pos_embed = nn.Parameter(torch.zeros(1, embed_dim, N_MELS // PATCH, 1))

    @property
    def scene_embedding_size(self) -> int:
        """Width of the transformer."""
        return self.norm.weight.shape[0]

    def positions(self) -> Tensor:
        """(steps, 4, D): of the time step, plus of the frequency band."""
        return (self.time_pos_embed + self.freq_pos_embed)[0].permute(2, 1, 0)

    def spectrogram(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Checked audio (B, N) → (B, 64, frames) log-mel through the batch norm, float32."""
        with torch.autocast(audio.device.type, enabled=False):
            mel = self.front_end(audio, lengths)
            return self.init_bn(mel[:, :, None])[:, :, 0]

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `TokenEncoder`: one token per 160 ms, the mean over the patches at that time."""
        audio, lengths = check_audio(audio, lengths, minimum=self.minimum_samples)
        samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
        counts = self.front_end.frames(samples) // PATCH
        patches = self.grid(self.spectrogram(audio, lengths), counts)
        return patches.mean(dim=2), counts.to(patches.device)

    def centres(self, count: int) -> Tensor:
        """(count,) ms: frame f is centred at 10·f ms, token t has frames 16·t … 16·t + 15."""
        frame_ms = 1000 * self.front_end.hop_length / self.sample_rate
        return frame_ms * (PATCH * torch.arange(count, dtype=torch.float32) + (PATCH - 1) / 2)


def load_model(model_file_path: str = "") -> CED:
    """Load an encoder, in evaluation mode, on the CPU.

    Args:
        model_file_path: "" (CED-Base, downloaded once), or a checkpoint of any size: a `.pt` or
            `.safetensors` in the published form, or a folder with `model.safetensors`.

    Raises:
        ValueError, OSError, UserError: the checkpoint cannot be had or is not one of CED.
    """
    file = Path(model_file_path) if model_file_path else obtain("CED-Base", SOURCES, INSTEAD)
    if file.is_dir():
        file /= "model.safetensors"
    if not file.is_file():
        raise FileNotFoundError(f"expected a checkpoint of CED at {file}, found no file")
    state = _read(file)
    sizes = _sizes(state, file)
    with torch.device("meta"):  # every value comes from the file: none is drawn, none copied
        model = CED(**sizes)
    # The front end is the same for all, and the hub's files leave its tables out.
    tables = {f"front_end.{name}": x for name, x in model.front_end.state_dict().items()}
    shape = ", ".join(f"{name} {size}" for name, size in sizes.items())
    fill(model, tables | state, file, f"CED with {shape}")
    return model.eval()


def _read(file: Path) -> dict[str, Tensor]:
    """Tensors by the original code's names, without the classifier's."""
    state = read_state(file)
    if any(name.startswith("encoder.") for name in state):  # the hub's names
        state = {
            name.removeprefix("encoder.").replace("init_bn.", "init_bn.1."): tensor
            for name, tensor in state.items()
        }
    return {name: x for name, x in state.items() if not name.startswith("outputlayer.")}


def _sizes(state: dict[str, Tensor], file: Path) -> dict[str, int]:
    """What tells one size from another, as the tensors' shapes show it."""
    positions = state.get("time_pos_embed")
    shape = None if positions is None else tuple(positions.shape)
    if shape is None or len(shape) != 4 or 0 in shape or shape[1] % HEAD_DIM:
        found = "none" if shape is None else f"one of shape {shape}"
        raise ValueError(
            f"{file}: expected a checkpoint of CED, whose time_pos_embed has shape (1, D, 1, T) "
            f"with D a multiple of {HEAD_DIM}, found {found}"
        )
    return {"embed_dim": shape[1], "depth": block_count(state), "steps": shape[3]}
