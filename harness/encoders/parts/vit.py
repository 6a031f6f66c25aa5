"""A vision transformer over patches of spectrograms, of one clip or of many of other lengths.

Dosovitskiy et al., https://arxiv.org/abs/2010.11929; blocks and names as in timm, which is what
the published checkpoints of AudioMAE, CED and MSM-MAE have. A long spectrogram is cut into chunks
that know nothing of each other; chunks of one length are side by side, those of several lengths
packed end to end, so that nothing is padded to its neighbour.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dasheng.blocks import Block, EncoderConfig

# Tokens sent through the transformer at once: more gain nothing on a CPU, where they leave the
# cache; a GPU wants its matrices tall. Bounds the memory of long audio on both.
TOKENS_PER_PASS = {"cpu": 2048}
TOKENS_PER_PASS_DEVICE = 16384


class PatchEmbed(nn.Module):
    """Non-overlapping patches of a few mel bins × frames, each mapped to one token."""

    def __init__(self, patch: tuple[int, int], embed_dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, embed_dim, patch, stride=patch)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """(B, mels, frames) → (B, T, f, D); frames that fill no patch are dropped."""
        # A linear map of each patch, not a convolution: that one, in bfloat16 on CPUs with AMX,
        # gives garbage or NaN where one patch is all there is in time (PyTorch 2.11).
        mels, width = self.proj.kernel_size
        patches = spectrogram.unfold(1, mels, mels).unfold(2, width, width).transpose(1, 2)
        return F.linear(patches.flatten(3), self.proj.weight.flatten(1), self.proj.bias)


class VisionTransformer(nn.Module, ABC):
    """Spectrograms → a grid of tokens, T steps in time × f bands.

    patch: (mel bins, frames). steps: time steps of a chunk; longer input is cut, by `grid`.
    """

    # Whether attention sees all frames of a clip's last chunk, those beyond its own included.
    whole_chunks = False

    def __init__(
        self, *, embed_dim: int, depth: int, num_heads: int, patch: tuple[int, int], steps: int
    ) -> None:
        super().__init__()
        # Of the configuration only what shapes a block is used: the front end is not Dasheng's.
        config = EncoderConfig(embed_dim=embed_dim, depth=depth, num_heads=num_heads)
        self.patch, self.steps = patch, steps
        self.patch_embed = PatchEmbed(patch, embed_dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(depth))
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)

    @abstractmethod
    def positions(self) -> Tensor:
        """(steps, f, D): what is added to the tokens of a chunk."""

    def lead(self) -> Tensor | None:
        """(D,): a token before those of every chunk (CLS, with its position), or none."""
        return None

    def grid(self, spectrogram: Tensor, counts: Tensor) -> Tensor:
        """Tokens of every clip, as alone.

        Args:
            spectrogram: (B, mels, frames); missing frames count as zeros. With `whole_chunks`
                those beyond a clip's own have to be zero.
            counts: (B,) int64, time steps of each clip, at least 1.

        Returns:
            (B, T, f, D) float32, T the longest count; zero beyond a clip's own.
        """
        B, T = len(counts), int(counts.max())
        chunks = -(-T // self.steps)
        mels, width = self.patch
        frames = spectrogram[..., : T * width]
        frames = F.pad(frames, (0, chunks * self.steps * width - frames.shape[-1]))
        per_chunk = frames.unflatten(2, (chunks, -1)).transpose(1, 2).flatten(0, 1)
        starts = self.steps * torch.arange(chunks, device=counts.device)
        own = (counts[:, None] - starts).clamp(0, self.steps).flatten()
        seen = own.sign() * self.steps if self.whole_chunks else own
        bands = spectrogram.shape[1] // mels
        out = frames.new_zeros(B * chunks, self.steps, bands, self.norm.weight.shape[0])
        limit = TOKENS_PER_PASS.get(frames.device.type, TOKENS_PER_PASS_DEVICE)
        for length in sorted(set(seen.tolist()) - {0}, reverse=True):
            rows = torch.nonzero(seen == length)[:, 0]
            for some in rows.split(max(1, limit // (length * bands))):
                out[some, :length] = self._encode(per_chunk[some, :, : length * width]).float()
        out = out.view(B, chunks * self.steps, bands, -1)[:, :T]
        if self.whole_chunks:
            beyond = torch.arange(T, device=counts.device) >= counts[:, None]
            out.masked_fill_(beyond.to(out.device)[..., None, None], 0.0)
        return out

    def _encode(self, spectrogram: Tensor) -> Tensor:
        """(n, mels, frames) of one length → (n, length, f, D)."""
        x = self.patch_embed(spectrogram)
        n, length, bands, _ = x.shape
        x = (x + self.positions()[:length]).flatten(1, 2)
        lead = self.lead()
        if lead is not None:
            x = torch.cat([lead.to(x.dtype).expand(n, 1, -1), x], dim=1)
        runs, x = [(n, x.shape[1])], x.flatten(0, 1)
        for block in self.blocks:
            x = block(x, runs)
        x = self.norm(x).unflatten(0, runs[0])
        return x[:, -length * bands :].unflatten(1, (length, bands))


def block_count(names: Iterable[str]) -> int:
    """How many blocks a checkpoint with tensors of these names has."""
    return len({name.split(".")[1] for name in names if name.startswith("blocks.")})
