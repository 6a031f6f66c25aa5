"""MSM-MAE as a HEAR module: a masked autoencoder of log-mel spectrograms, without its decoder.

Paper: Niizumi et al., "Masked Spectrogram Modeling using Masked Autoencoders for Learning
General-purpose Audio Representation", https://arxiv.org/abs/2204.12260. This is our own
implementation. Checkpoint: `80x512p16x16_paper/checkpoint-100.pth`, the one that gave the paper's
numbers, from release v0.0.1 of https://github.com/nttcslab/msm-mae; by name also the other two,
80x512p16x16_0425 and 80x208p16x16_0422. That release's archives are taken to be called
`<name>.zip`; neither that nor a checksum is confirmed. Licence of the weights: NTT's software
licence agreement for evaluation; they are for evaluating the paper's methods and not to be
passed on.
Layer: the last, after the final normalisation. At each 160 ms the 5 frequency bands' tokens,
lowest first, are put side by side: 5 × 768 numbers. Pooling: the mean over time.
Sample rate: 16 kHz. Front end: 80 mel bins (Slaney's scale and norm, 50 to 8000 Hz) of 25 ms
every 10 ms, ln(power + 2⁻²³), less the mean and over the unbiased standard deviation of the
spectrogram; units of 512 (or 208) frames in patches of 16 bins × 16 frames.

As published, a clip's last unit is filled up with zeros, the normalised spectrogram's mean. They
take part in attention; steps of nothing else are then dropped and enter no mean.

What differs from the original code:
- It normalises over the whole batch, here each clip on its own: its result for a batch of one.
- A spectrogram without spread, as digital silence has, gives NaN or rounding noise there; here only
  its mean is subtracted.
- Its timestamps start at 0 and divide the clip evenly; here they are the centres of each step's 16
  frames, 160·t + 75 ms. Not all frames of the last step need be the clip's: its centre may lie
  beyond the end, by up to 75 ms.
- Clips of less than 201 samples are an error there; here zeros are added to make up so many.
The keys have no bias, as in the original; ours is stored, and zero.

The tables' authors do not say which of the three checkpoints they used, nor how clips were batched.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dasheng.frontend import LogMel, check_audio
from dasheng.weights import fill, home, obtain, read_state
from harness.encoders.parts.tokens import (
    TokenEncoder,
    get_scene_embeddings,
    get_timestamp_embeddings,
)
from harness.encoders.parts.unpack import unpack
from harness.encoders.parts.vit import VisionTransformer, block_count
from tasks.spec import Archive

__all__ = ["MSMMAE", "get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

_PAGE = "https://github.com/nttcslab/msm-mae/releases"
_LICENCE = "NTT software licence agreement for evaluation"
CHECKPOINT = "checkpoint-100.pth"  # in each archive
LARGEST = 4 << 30  # bytes: three times the weights, which Adam makes of them, and ample room
DEFAULT = "80x512p16x16_paper"
WEIGHTS = {
    name: Archive(
        filename=f"{name}.zip",
        urls=(f"{_PAGE}/download/v0.0.1/{name}.zip",),
        size=None,
        checksum=None,
        licence=_LICENCE,
        page=f"{_PAGE}/tag/v0.0.1",
    )
    for name in (DEFAULT, "80x512p16x16_0425", "80x208p16x16_0422")
}

N_MELS = 80
HEAD_DIM = 64  # in every published size; heads leave no trace in a file
EPSILON = torch.finfo(torch.float32).eps
NO_SPREAD = 1e-5  # of a logarithm: silence, and noise at less than some -120 dB
DECODER = ("decoder_", "mask_token")


class MSMMAE(VisionTransformer, TokenEncoder):
    """Names of parameters are those of the published checkpoints, but for the joint `qkv.bias`."""

    whole_chunks = True

    def __init__(
        self, *, embed_dim: int, depth: int, patch: tuple[int, int], steps: int, cls_token: bool
    ) -> None:
        super().__init__(
            embed_dim=embed_dim,
            depth=depth,
            num_heads=embed_dim // HEAD_DIM,
            patch=patch,
            steps=steps,
        )
        with torch.device("cpu"):  # its filterbank is computed, which the meta device cannot do
            self.front_end = LogMel(
                sample_rate=self.sample_rate,
                n_fft=400,
                win_length=400,
                n_mels=N_MELS,
                f_min=50.0,
                norm="slaney",
                mel_scale="slaney",
            )
        self.minimum_samples = self.front_end.minimum_samples
        self.bands = N_MELS // patch[0]
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim)) if cls_token else None
        self.pos_embed = nn.Parameter(torch.zeros(1, cls_token + self.bands * steps, embed_dim))

    @property
    def scene_embedding_size(self) -> int:
        """Bands × width of the transformer."""
        return self.bands * self.norm.weight.shape[0]

    def positions(self) -> Tensor:
        """(steps, f, D): stored band after band, each over time."""
        patches = self.pos_embed[0, -self.bands * self.steps :]
        return patches.unflatten(0, (self.bands, -1)).transpose(0, 1)

    def lead(self) -> Tensor | None:
        """(D,): CLS with its position, in the checkpoints that have it."""
        return None if self.cls_token is None else self.cls_token[0, 0] + self.pos_embed[0, 0]

    def spectrogram(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Checked audio (B, N) → (B, 80, frames) normalised log-mel, zero beyond a clip's own."""
        with torch.autocast(audio.device.type, enabled=False):
            # Less ln EPSILON, which the mean takes away: exact also where EPSILON swallows power.
            log_mel = (self.front_end.power(audio, lengths) / EPSILON).log1p()
            samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
            return normalised(log_mel, self.front_end.frames(samples)).transpose(1, 2)

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `TokenEncoder`: one token per 160 ms, the bands' side by side."""
        audio, lengths = check_audio(audio, lengths, minimum=self.minimum_samples)
        samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
        counts = -(-self.front_end.frames(samples) // self.patch[1])
        tokens = self.grid(self.spectrogram(audio, lengths), counts)
        return tokens.flatten(2), counts.to(tokens.device)

    def centres(self, count: int) -> Tensor:
        """(count,) ms: frame f is centred at 10·f ms, step t has frames 16·t … 16·t + 15."""
        frame_ms = 1000 * self.front_end.hop_length / self.sample_rate
        width = self.patch[1]
        return frame_ms * (width * torch.arange(count, dtype=torch.float32) + (width - 1) / 2)


def normalised(log_mel: Tensor, frames: Tensor) -> Tensor:
    """Less the mean, over the unbiased standard deviation, of each clip's own numbers.

    Args:
        log_mel: (B, T, mels); what lies beyond a clip's own frames does not matter.
        frames: (B,) int64, frames of each clip, at least 2.

    Returns:
        (B, T, mels), zero beyond a clip's own frames; not divided where nothing is spread.
    """
    frames = frames.to(log_mel.device)
    beyond = (torch.arange(log_mel.shape[1], device=frames.device) >= frames[:, None])[..., None]
    numbers = frames[:, None, None] * log_mel.shape[2]
    centred = log_mel
    for _ in range(2):  # once more for what is left by rounding, which padding would change
        mean = centred.masked_fill(beyond, 0).sum((1, 2), keepdim=True) / numbers
        centred = (centred - mean).masked_fill(beyond, 0)
    spread = (centred.square().sum((1, 2), keepdim=True) / (numbers - 1)).sqrt()
    return centred / spread.masked_fill(spread < NO_SPREAD, 1)


def load_model(model_file_path: str = "") -> MSMMAE:
    """Load an encoder, in evaluation mode, on the CPU.

    Args:
        model_file_path: "" (the paper's checkpoint), a name of `WEIGHTS` (downloaded once), or a
            checkpoint file in the published form, of any size.

    Raises:
        ValueError, OSError, UserError: the checkpoint cannot be had or is not one of MSM-MAE.
    """
    name = model_file_path or DEFAULT
    file = _published(name) if name in WEIGHTS else Path(name)
    if not file.is_file():
        raise FileNotFoundError(f"expected {', '.join(WEIGHTS)} or a file, found {name!r}")
    # What belongs to the decoder and to training is left out.
    state = {name: x for name, x in read_state(file).items() if not name.startswith(DECODER)}
    sizes = _sizes(state, file)
    _join_biases(state, sizes["depth"], file)
    with torch.device("meta"):  # every value comes from the file: none is drawn, none copied
        model = MSMMAE(**sizes)
    tables = {f"front_end.{name}": x for name, x in model.front_end.state_dict().items()}
    shape = ", ".join(f"{name} {size}" for name, size in sizes.items())
    fill(model, tables | state, file, f"MSM-MAE with {shape}")
    return model.eval()


def _published(name: str) -> Path:
    """The file of a release's archive, which is fetched and unpacked where it is not there."""
    file = home() / name / CHECKPOINT
    if not file.is_file():
        instead = "or unpack the archive and give the file: --model msm-mae:FILE"
        unpack(obtain(f"MSM-MAE {name}", [WEIGHTS[name]], instead), file, LARGEST)
    return file


def _sizes(state: dict[str, Tensor], file: Path) -> dict[str, Any]:
    """What tells one checkpoint from another, as the tensors' shapes show it."""
    names = ("patch_embed.proj.weight", "pos_embed")
    for name in names:
        if name not in state:
            raise ValueError(f"{file}: expected a checkpoint of MSM-MAE, found no {name}")
    cls_token = "cls_token" in state
    match [tuple(state[name].shape) for name in names]:
        case [(width, 1, height, frames), (1, positions, _)] if (
            state[names[0]].numel() > 0
            and width % HEAD_DIM == 0
            and N_MELS % height == 0
            and positions > cls_token
            and (positions - cls_token) % (N_MELS // height) == 0
        ):
            return {
                "embed_dim": width,
                "depth": block_count(state),
                "patch": (height, frames),
                "steps": (positions - cls_token) // (N_MELS // height),
                "cls_token": cls_token,
            }
        case shapes:
            raise ValueError(
                f"{file}: expected {names[0]} (D, 1, mels, frames) and {names[1]} (1, patches, D), "
                f"D a multiple of {HEAD_DIM}, patches of {N_MELS} mels in all; found "
                f"{shapes[0]} and {shapes[1]}"
            )


def _join_biases(state: dict[str, Tensor], depth: int, file: Path) -> None:
    """Queries' and values' biases become one with the keys', which is zero."""
    for attention in (f"blocks.{index}.attn" for index in range(depth)):
        if f"{attention}.qkv.bias" in state:
            raise ValueError(f"{file}: unexpected {attention}.qkv.bias: MSM-MAE's keys have none")
        for name in (f"{attention}.q_bias", f"{attention}.v_bias"):
            if name not in state:
                raise ValueError(f"{file}: expected a checkpoint of MSM-MAE, found no {name}")
        query, value = state.pop(f"{attention}.q_bias"), state.pop(f"{attention}.v_bias")
        state[f"{attention}.qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
