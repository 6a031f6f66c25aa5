"""AudioMAE as a HEAR module: ViT-B/16 on 1024 × 128 filterbank features, self-supervised.

Paper: Huang et al., Masked Autoencoders that Listen, https://arxiv.org/abs/2207.06405.
Checkpoint: the encoder after pretraining on AudioSet-2M alone. By default the copy for timm in
https://huggingface.co/gaunernst/vit_base_patch16_1024_128.audiomae_as2m, branch main: no commit is
pinned and no checksum known beforehand; the one seen is recorded beside the file.
A path names that copy (`.bin`, `.safetensors`) or the original pretrained `.pth`, a dict with
`model`, linked at https://github.com/facebookresearch/AudioMAE; its decoder is left out.
Licence of the weights: CC BY-NC 4.0 by the original's LICENSE file; its README, and the copy's
page, say CC BY 4.0.
Sample rate: 16 kHz. Front end: the clip's mean subtracted, Kaldi's fbank (see `kaldi`) in 128 bins,
then AudioSet's mean and twice its standard deviation, as in pretraining.
Layer: the last, after the final norm, as the decoder saw it. Pooling: a token is the mean over the
8 frequency bands of 160 ms; the scene embedding is the mean over time. CLS takes part in the
attention but in no mean, as pretraining's decoder left it out too.

Where the table's authors may have done otherwise, whose evaluation code is not public:

- Length. Pretraining filled each clip with zeros to 10.24 s and cut off what came later; of that
  image the encoder saw a random fifth of the patches. Here only patches that lie whole within the
  clip go in, at their positions, so no padding reaches an embedding; the last frames, which fill
  no patch of 16, are left out. Longer clips are cut into chunks of 1024 frames that know nothing
  of each other. Clips shorter than one patch (175 ms) are zero-padded to it.
- Statistics. The original normalises by those of the data set at hand where it fine-tunes on ESC-50
  or Speech Commands; here they are AudioSet's always.
- Pooling. They may have taken CLS, or normalised after the mean, as the original's classifier does.
- Weights. They may have taken the encoder after fine-tuning on AudioSet.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from dasheng.frontend import check_audio
from dasheng.weights import fill, obtain, read_state
from harness.encoders.parts.kaldi import HOP, SAMPLE_RATE, WINDOW, Fbank
from harness.encoders.parts.tokens import (
    TokenEncoder,
    get_scene_embeddings,
    get_timestamp_embeddings,
)
from harness.encoders.parts.vit import VisionTransformer, block_count
from tasks.spec import Archive

__all__ = ["AudioMAE", "get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

PATCH = 16  # mel bins, and frames
N_MELS, STEPS = 128, 1024 // PATCH
MEAN, DEVIATION = -4.2677393, 2 * 4.5689974  # of AudioSet's log-mel; deviation as divided by
HEAD_WIDTH = 64  # of every ViT/16 in the original: the tensors do not show it

_PAGE = "https://huggingface.co/gaunernst/vit_base_patch16_1024_128.audiomae_as2m"
SOURCES = tuple(
    Archive(
        filename=f"audiomae_as2m{Path(name).suffix}",
        urls=(f"{_PAGE}/resolve/main/{name}",),
        size=None,
        checksum=None,
        licence="CC-BY-NC-4.0",
        page=_PAGE,
    )
    for name in ("pytorch_model.bin", "model.safetensors")  # the first is known to be there
)


class AudioMAE(VisionTransformer, TokenEncoder):
    """The encoder; parameters under timm's names."""

    sample_rate = SAMPLE_RATE
    minimum_samples = WINDOW + (PATCH - 1) * HOP  # one patch

    def __init__(self, *, embed_dim: int = 768, depth: int = 12) -> None:
        super().__init__(
            embed_dim=embed_dim,
            depth=depth,
            num_heads=embed_dim // HEAD_WIDTH,
            patch=(PATCH, PATCH),
            steps=STEPS,
        )
        bands = N_MELS // PATCH
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + STEPS * bands, embed_dim))
        self.fbank = Fbank(N_MELS)

    @property
    def scene_embedding_size(self) -> int:
        """Width of the transformer."""
        return self.cls_token.shape[-1]

    def positions(self) -> Tensor:
        """(steps, f, D): time by time, as the patches of an image of time × frequency are."""
        return self.pos_embed[0, 1:].unflatten(0, (STEPS, -1))

    def lead(self) -> Tensor:
        """(D,): CLS."""
        return self.cls_token[0, 0] + self.pos_embed[0, 0]

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tokens (B, T, D) and their numbers (B,), see `TokenEncoder.forward`."""
        device = self.cls_token.device
        audio, lengths = check_audio(audio.to(device), lengths, minimum=self.minimum_samples)
        samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
        # Zeros pad a clip. In float64, so that their number does not move the last digit: of a bin
        # with next to no energy Kaldi's logarithm makes that a lot.
        mean = (audio.sum(dim=1, dtype=torch.float64) / samples.to(device)).float()
        log_mel = self.fbank(audio - mean[:, None], samples)
        counts = self.fbank.frames(samples) // PATCH
        return self.grid((log_mel - MEAN) / DEVIATION, counts).mean(dim=2), counts.to(device)

    def centres(self, count: int) -> Tensor:
        """(count,) float32, ms: token t is the frames 16·t to 16·t + 15."""
        first = WINDOW / 2 + (PATCH - 1) / 2 * HOP
        middles = first + PATCH * HOP * torch.arange(count, dtype=torch.float32)
        return middles * (1000 / SAMPLE_RATE)


def load_model(model_file_path: str = "") -> AudioMAE:
    """The encoder, in evaluation mode, on the CPU.

    Args:
        model_file_path: "" (the published weights, downloaded once), or a file with them.

    Raises:
        FileNotFoundError: no such file.
        UserError: the published weights cannot be had.
        ValueError: the file is damaged, or holds another architecture: names a tensor.
    """
    if not model_file_path:
        instead = "or give a local file: --model audiomae:FILE"
        return _load(obtain("AudioMAE", SOURCES, instead)).eval()
    file = Path(model_file_path)
    if not file.is_file():
        raise FileNotFoundError(f"expected AudioMAE's weights at {file}, found no file")
    return _load(file).eval()


def _load(file: Path) -> AudioMAE:
    state = _read(file)
    depth = block_count(state)
    width = state["cls_token"].numel() if "cls_token" in state else 768
    if width < HEAD_WIDTH or width % HEAD_WIDTH:
        raise ValueError(f"{file}: expected a width in heads of {HEAD_WIDTH}, found width {width}")
    with torch.device("meta"):  # every value comes from the file: none is drawn, none copied
        model = AudioMAE(embed_dim=width, depth=depth)
    fill(model, state, file, f"an AudioMAE encoder of width {width} and depth {depth}")
    return model


def _read(file: Path) -> dict[str, Tensor]:
    """The encoder's tensors, by our names and in our orientation."""
    state = {
        name: tensor
        for name, tensor in read_state(file).items()
        if not name.startswith(("decoder_", "mask_token"))
    }
    kernel = state.get("patch_embed.proj.weight")
    if kernel is not None and kernel.ndim == 4:  # theirs sees time × frequency
        state["patch_embed.proj.weight"] = kernel.transpose(2, 3).contiguous()
    return state
