"""The Dasheng encoder: log-mel patches of 40 ms through a pre-norm vision transformer.

Architecture and sizes: Dinkel et al., "Scaling up masked audio encoder learning for general audio
classification", Interspeech 2024, https://arxiv.org/abs/2406.06992. Module names are timm's, and
the state-dict keys are the published checkpoints' own: do not rename them.

An embedding depends on its clip alone. Audio longer than `target_length` frames is cut into blocks
that know nothing of each other; clips of different lengths share a batch packed end to end.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dasheng.blocks import Block, EncoderConfig, Runs, join, split, through
from dasheng.frontend import LogMel, check_audio
from dasheng.positions import sinusoids

# Tokens sent through the transformer at once. More gain nothing on a CPU, where they leave the
# cache; a GPU wants its matrices tall. Bounds the memory of long audio on both.
_TOKENS_PER_PASS = {"cpu": 2048}
_TOKENS_PER_PASS_DEVICE = 16384


class PatchEmbed(nn.Module):
    """Non-overlapping patches of all mel bins × a few frames, each mapped to one token."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, config.embed_dim, config.patch_size, stride=config.patch_size)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """(B, n_mels, T) → (B, T // patch, D); frames that fill no patch are dropped."""
        # Patches do not overlap, so the convolution is a linear map of each one; in this order
        # of (frame, mel bin) a patch is contiguous in the spectrogram as the front end made it.
        width = self.proj.kernel_size[1]
        count = spectrogram.shape[2] // width
        patches = spectrogram[:, :, : count * width].transpose(1, 2)
        weight = self.proj.weight[:, 0].transpose(1, 2).flatten(1)
        return F.linear(patches.reshape(len(patches), count, -1), weight, self.proj.bias)


class Dasheng(nn.Module):
    """Audio encoder: a waveform at 16 kHz in, one token of `embed_dim` per 40 ms out."""

    sample_rate = 16000

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        with torch.device("cpu"):  # its filterbank is computed, which the meta device cannot do
            self.front_end = LogMel(
                sample_rate=self.sample_rate,
                n_fft=config.n_fft,
                win_length=config.win_size,
                hop_length=config.hop_size,
                n_mels=config.n_mels,
                f_min=config.f_min,
                f_max=config.f_max,
                top_db=config.top_db,
            )
        # The place in the sequence is part of the published key, `init_bn.1`.
        self.init_bn = nn.Sequential(nn.Identity(), nn.BatchNorm1d(config.n_mels, momentum=0.01))
        self.patch_embed = PatchEmbed(config)
        self.time_pos_embed = nn.Parameter(
            0.02 * torch.randn(1, config.embed_dim, 1, config.block_tokens)
        )
        if config.sinusoids:
            start = sinusoids(config.block_tokens, config.embed_dim)
            self.time_pos_embed.data = start.T[None, :, None].contiguous()
        self.freq_pos_embed = nn.Parameter(0.02 * torch.randn(1, config.embed_dim, 1, 1))
        self.pos_drop = nn.Dropout(config.drop_rate)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.embed_dim, eps=1e-6)
        self.apply(_init_weights)

    @property
    def scene_embedding_size(self) -> int:
        """Size of a HEAR scene embedding."""
        return self.config.embed_dim

    @property
    def timestamp_embedding_size(self) -> int:
        """Size of a HEAR timestamp embedding."""
        return self.config.embed_dim

    @property
    def minimum_samples(self) -> int:
        """Shorter clips are zero-padded to this: the samples of one token."""
        one_token = (self.config.patch_size[1] - 1) * self.config.hop_size
        return max(one_token, self.front_end.minimum_samples)

    def tokens(self, samples: Tensor) -> Tensor:
        """Number of tokens of clips with so many samples (integers, any shape)."""
        frames = self.front_end.frames(samples.clamp(min=self.minimum_samples))
        return frames // self.config.patch_size[1]

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode a batch of clips; each comes out as it would alone, whatever shares its batch.

        Args:
            audio: (B, N) floating-point samples at 16 kHz in [-1, 1].
            lengths: (B,) integers, the valid samples of each clip; None if all N are.

        Returns:
            (B, T, embed_dim), T the `tokens` of the longest clip; zero beyond a clip's own.

        Raises:
            TypeError, ValueError: see `dasheng.frontend.check_audio`.
        """
        audio, lengths = check_audio(audio, lengths, minimum=self.minimum_samples)
        samples = torch.full(audio.shape[:1], audio.shape[1]) if lengths is None else lengths
        # Without a name the patches go when the blocks are cut: those of a long clip are many.
        return self._encode_blocks(
            self.patch_embed(self.spectrogram(audio, lengths)), self.tokens(samples)
        )

    def spectrogram(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Checked audio (B, N) → (B, n_mels, T) log-mel through the batch norm, float32."""
        return self.normalise(self.front_end(audio, lengths))

    def normalise(self, log_mel: Tensor) -> Tensor:
        """Log-mel (B, n_mels, T) through the batch norm, float32."""
        # Frame by frame, as they lie in memory: in the published shape (B, n_mels, 1, T), PyTorch
        # 2.11 on a CPU can mistake one memory layout for another, and return wrong gradients.
        frames = log_mel.transpose(1, 2)
        with torch.autocast(log_mel.device.type, enabled=False):
            return self.init_bn(frames.flatten(0, 1)).view(frames.shape).transpose(1, 2)

    def positions(self, count: int) -> Tensor:
        """(count, D): what is added to the first `count` tokens of a block."""
        return (self.time_pos_embed[..., :count] + self.freq_pos_embed)[0, :, 0].T

    def transform(self, x: Tensor, runs: Runs, *, recompute: bool = False) -> Tensor:
        """(tokens, D) with their positions → (tokens, D) through all blocks and the last norm."""
        return self.norm(through(self.blocks, self.pos_drop(x), runs, recompute=recompute))

    def _encode_blocks(self, x: Tensor, counts: Tensor) -> Tensor:
        """(B, T, D) patches, of which row b has counts[b], → (B, T, D) tokens, zero beyond."""
        B, T, D = x.shape
        size = min(self.config.block_tokens, T)
        per_clip = -(-T // size)
        x = F.pad(x, (0, 0, 0, per_clip * size - T)).view(B * per_clip, size, D)
        filled = (counts[:, None] - size * torch.arange(per_clip)).clamp(0, size).flatten()
        positions = self.positions(size)
        out = x.new_zeros(x.shape, dtype=torch.float32)
        limit = _TOKENS_PER_PASS.get(x.device.type, _TOKENS_PER_PASS_DEVICE)
        for rows in _passes(filled.tolist(), limit):
            runs = [(len(some), length) for some, length in rows]
            packed = join([(x[s, :n] + positions[:n]).flatten(0, 1) for s, n in rows])
            for (s, n), part in zip(rows, split(self.transform(packed, runs), runs), strict=True):
                out[s, :n] = part.view(-1, n, D).float()
        return out.view(B, per_clip * size, D)[:, :T]


def _passes(filled: list[int], limit: int) -> Iterator[list[tuple[list[int], int]]]:
    """Group blocks by length into passes of at most `limit` tokens, longest first.

    Yields lists of (rows with a block of that length, length); empty blocks are in none.
    """
    rows: list[tuple[list[int], int]] = []
    room = limit
    for length in sorted(set(filled) - {0}, reverse=True):
        left = [row for row, n in enumerate(filled) if n == length]
        while left:
            if rows and room < length:
                yield rows
                rows, room = [], limit
            take = max(1, room // length)
            rows.append((left[:take], length))
            left, room = left[take:], room - take * length
    if rows:
        yield rows


def _init_weights(module: nn.Module) -> None:
    """Start as the published encoder does: Xavier for linear layers, no bias."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
