"""The encoder's configuration and its transformer blocks, over packed sequences.

Sequences of different lengths lie end to end in one (tokens, D) matrix, equal lengths side by side.
Nothing is padded, so nothing has to be masked and no product is wasted: attention alone needs to
know where a sequence ends, all else works token by token. Module names are timm's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

# How a (tokens, D) matrix is packed: (number of sequences, their length), …
Runs = Sequence[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """What fixes the encoder's shape and front end; names as in the published checkpoints.

    Lengths are in samples at 16 kHz (`n_fft`, `win_size`, `hop_size`), in frames
    (`target_length`: the frames encoded as one block) or (mel bins, frames) (`patch_size`).
    `sinusoids` tells where training starts: from positions that are sines and cosines, not noise.

    Raises:
        ValueError: a patch that does not span all mel bins, heads that do not divide the width, or
            a value that none of these can have.
    """

    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    init_values: float | None = None
    drop_rate: float = 0.0
    attn_drop_rate: float = 0.0
    target_length: int = 1008
    patch_size: tuple[int, int] = (64, 4)
    n_mels: int = 64
    n_fft: int = 512
    win_size: int = 512
    hop_size: int = 160
    f_min: float = 0.0
    f_max: float = 8000.0
    top_db: float | None = 120.0
    sinusoids: bool = False

    def __post_init__(self) -> None:
        if self.embed_dim % self.num_heads:
            raise ValueError(
                f"num_heads={self.num_heads} does not divide embed_dim={self.embed_dim}"
            )
        if len(self.patch_size) != 2 or self.patch_size[0] != self.n_mels or self.patch_size[1] < 1:
            raise ValueError(
                f"patch_size={self.patch_size} is not supported: "
                f"a patch must span all n_mels={self.n_mels} mel bins, and 1 frame or more"
            )
        if int(self.embed_dim * self.mlp_ratio) < 1:
            raise ValueError(f"mlp_ratio={self.mlp_ratio} leaves no hidden unit")
        for name in ("drop_rate", "attn_drop_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} does not lie between 0 and 1")
        if self.target_length < self.patch_size[1]:
            raise ValueError(f"target_length={self.target_length} is shorter than one patch")

    @property
    def block_tokens(self) -> int:
        """Tokens of one full block."""
        return self.target_length // self.patch_size[1]


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.num_heads = config.num_heads
        self.attn_drop_rate = config.attn_drop_rate
        self.qkv = nn.Linear(dim, 3 * dim, bias=config.qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(config.drop_rate)

    def forward(self, x: Tensor, runs: Runs) -> Tensor:
        """(tokens, D) → (tokens, D); each sequence of `runs` sees itself only."""
        dropout = self.attn_drop_rate if self.training else 0.0
        seen = []
        for part, (count, length) in zip(split(self.qkv(x), runs), runs, strict=True):
            # Taken apart before they are transposed: their gradients are put together as they lie.
            q, k, v = part.view(count, length, 3, self.num_heads, -1).unbind(2)
            heads = attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), dropout)
            seen.append(heads.transpose(1, 2).reshape(count * length, -1))
        return self.proj_drop(self.proj(join(seen)))


def attend(q: Tensor, k: Tensor, v: Tensor, dropout: float) -> Tensor:
    """Scaled dot-product attention, (…, T, D/heads) each; float32 where a CPU trains in bf16.

    There PyTorch takes two to three times as long for the backward pass in bf16 as in float32.
    """
    if q.device.type != "cpu" or q.dtype != torch.bfloat16 or not q.requires_grad:
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), dropout_p=dropout)


class Mlp(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        hidden = int(config.embed_dim * config.mlp_ratio)
        self.fc1 = nn.Linear(config.embed_dim, hidden)
        self.fc2 = nn.Linear(hidden, config.embed_dim)
        self.drop = nn.Dropout(config.drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(…, D) → (…, D)."""
        return self.drop(self.fc2(self.drop(F.gelu(self.fc1(x)))))


class LayerScale(nn.Module):
    """A learned factor per channel (Touvron et al. 2021, https://arxiv.org/abs/2103.17239)."""

    def __init__(self, dim: int, init_value: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), init_value))

    def forward(self, x: Tensor) -> Tensor:
        """(…, D) → (…, D)."""
        return x * self.gamma


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(config)
        self.ls1 = LayerScale(dim, config.init_values) if config.init_values else nn.Identity()
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(config)
        self.ls2 = LayerScale(dim, config.init_values) if config.init_values else nn.Identity()

    def forward(self, x: Tensor, runs: Runs) -> Tensor:
        """(tokens, D) → (tokens, D); runs as for `Attention`."""
        x = x + self.ls1(self.attn(self.norm1(x), runs))
        return x + self.ls2(self.mlp(self.norm2(x)))


def through(
    blocks: Iterable[nn.Module], x: Tensor, runs: Runs, *, recompute: bool = False
) -> Tensor:
    """(tokens, D) → (tokens, D) through all blocks.

    With `recompute` nothing within a block is kept for the backward pass: it is computed again,
    which takes a third more time and a fraction of the memory.
    """
    for block in blocks:
        x = checkpoint(block, x, runs, use_reentrant=False) if recompute else block(x, runs)
    return x


def split(x: Tensor, runs: Runs) -> tuple[Tensor, ...]:
    """(tokens, D) → one (count · length, D) view per run."""
    return x.split([count * length for count, length in runs])


def join(parts: list[Tensor]) -> Tensor:
    """The parts end to end; a lone one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
