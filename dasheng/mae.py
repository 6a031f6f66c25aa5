"""The masked autoencoder that Dasheng is trained as: encode a quarter, predict the rest.

The encoder sees only the kept tokens; a narrow decoder, thrown away after training, gets a learned
token in place of each removed one and predicts its log-mel patch. Protocol: Dinkel et al.,
https://arxiv.org/abs/2406.06992, after He et al., https://arxiv.org/abs/2111.06377. The names of
the decoder's parameters are the published trainer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dasheng.blocks import Block, EncoderConfig, through
from dasheng.encoder import Dasheng
from dasheng.masking import Mask, random_mask
from dasheng.positions import sinusoids

# What is predicted: patches normalised each by its own mean and variance (He et al., section 4), or
# all by those of the batch, which keeps the loudness of one patch beside another: the published
# trainer's `norm_pix_loss`, True and "global". Or patches as the encoder sees them, each mel bin
# with the statistics of its batch norm: so that quiet bins count as much as loud ones.
Target = Literal["patch", "batch", "input"]


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """The decoder's size; the published one of base and 0.6B by default (1.2B: 768, 8, 24)."""

    embed_dim: int = 512
    depth: int = 8
    num_heads: int = 16


class Decoder(nn.Module):
    """Kept tokens → a prediction of every patch."""

    def __init__(self, config: DecoderConfig, *, input_dim: int, tokens: int, patch: int) -> None:
        super().__init__()
        width = config.embed_dim
        shape = EncoderConfig(embed_dim=width, depth=config.depth, num_heads=config.num_heads)
        self.input_proj = nn.Linear(input_dim, width)
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        # One more than there are tokens: the published shape, which left room for a class token.
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens + 1, width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.outputlayer = nn.Linear(width, patch)
        self.apply(_init_weights)

    def start_from_sinusoids(self) -> None:
        """Start its positions as the encoder does where that is configured."""
        self.pos_embed.data = sinusoids(*self.pos_embed.shape[1:])[None]

    def forward(self, kept: Tensor, ids_restore: Tensor, *, recompute: bool = False) -> Tensor:
        """Encoded tokens (B, K, D) and their places → predictions (B, T, patch)."""
        B, T = ids_restore.shape
        x = self.input_proj(kept)
        hidden = self.mask_token.to(x.dtype).expand(B, T - x.shape[1], -1)
        x = torch.cat([x, hidden], dim=1)
        x = x.gather(1, ids_restore[..., None].expand(-1, -1, x.shape[2]))
        x = (x + self.pos_embed[:, :T]).flatten(0, 1)
        x = self.norm(through(self.blocks, x, [(B, T)], recompute=recompute))
        return self.outputlayer(x).view(B, T, -1)


class MaskedAutoencoder(nn.Module):
    """Encoder and decoder; called with audio it gives the loss."""

    def __init__(
        self,
        encoder: Dasheng,
        decoder: DecoderConfig,
        *,
        mask_ratio: float = 0.75,
        group: int = 1,
        recompute: bool = False,
        target: Target = "patch",
    ) -> None:
        """Join an encoder to a new decoder.

        Args:
            encoder: is trained; its state dict is what a checkpoint holds.
            decoder: its size.
            mask_ratio: part of the tokens to hide.
            group: consecutive tokens hidden or kept together.
            recompute: activations within blocks are not kept for the backward pass.
            target: see `Target`.
        """
        super().__init__()
        config = encoder.config
        self.mask_ratio, self.group = mask_ratio, group
        self.recompute, self.target = recompute, target
        self.encoder = encoder
        self.decoder = Decoder(
            decoder,
            input_dim=config.embed_dim,
            tokens=config.block_tokens,
            patch=config.patch_size[0] * config.patch_size[1],
        )
        if config.sinusoids:
            self.decoder.start_from_sinusoids()

    def forward(self, audio: Tensor, mask: Mask | None = None) -> Tensor:
        """Mean squared error on the normalised patches of removed tokens: a float32 scalar.

        Args:
            audio: (B, N) float32 samples at 16 kHz in [-1, 1], no more than one block of the
                encoder; its front end takes `top_db` over each clip.
            mask: of (B, T) tokens; None draws one.
        """
        spectrogram = self.encoder.front_end(audio)
        targets = self.targets(spectrogram)
        if mask is None:
            mask = self.draw_mask(targets)
        return masked_loss(self.predict(spectrogram, mask), targets, mask.removed)

    def targets(self, spectrogram: Tensor) -> Tensor:
        """Log-mel (B, n_mels, frames) → what is to be predicted, (B, T, patch) float32."""
        width = self.encoder.config.patch_size[1]
        if self.target == "input":
            norm, training = self.encoder.init_bn, self.training
            mean, variance = (
                None if training else norm.get_buffer(f"1.running_{name}")
                for name in ("mean", "var")
            )
            spectrogram = F.batch_norm(spectrogram, mean, variance, training=training)
            return patchify(spectrogram, width)
        return normalised(patchify(spectrogram, width), self.target)

    def draw_mask(self, patches: Tensor) -> Mask:
        """A random mask for patches (B, T, …)."""
        clips, tokens = patches.shape[:2]
        return random_mask(clips, tokens, self.mask_ratio, group=self.group, device=patches.device)

    def predict(self, spectrogram: Tensor, mask: Mask) -> Tensor:
        """Log-mel (B, n_mels, frames) → predicted patches (B, T, patch) from the kept ones."""
        encoder = self.encoder
        x = encoder.patch_embed(encoder.normalise(spectrogram))
        x = x + encoder.positions(x.shape[1])
        B, K = mask.ids_keep.shape
        kept = x.gather(1, mask.ids_keep[..., None].expand(-1, -1, x.shape[2]))
        latent = encoder.transform(kept.flatten(0, 1), [(B, K)], recompute=self.recompute)
        return self.decoder(latent.view(B, K, -1), mask.ids_restore, recompute=self.recompute)


def patchify(spectrogram: Tensor, width: int) -> Tensor:
    """(B, n_mels, frames) → (B, frames // width, n_mels · width), mel bin by mel bin."""
    B, mels, frames = spectrogram.shape
    count = frames // width
    patches = spectrogram[..., : count * width].reshape(B, mels, count, width)
    return patches.transpose(1, 2).flatten(2)


def normalised(patches: Tensor, target: Target = "patch") -> Tensor:
    """Patches (B, T, patch) with mean 0 and variance 1: each one, or all of them; see `Target`."""
    axes = (-1,) if target == "patch" else (0, 1, 2)
    variance, mean = torch.var_mean(patches, dim=axes, keepdim=True)
    return (patches - mean) / (variance + 1e-6).sqrt()


def masked_loss(predicted: Tensor, targets: Tensor, removed: Tensor) -> Tensor:
    """Mean squared error of the removed patches, in float32 whatever comes in.

    Args:
        predicted: (B, T, patch).
        targets: the same, normalised.
        removed: (B, T) bool; what is kept does not count.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        error = (predicted.float() - targets.float()).square().mean(dim=-1)
        return (error * removed).sum() / removed.sum()


def _init_weights(module: nn.Module) -> None:
    """Start as the published decoder does."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
