"""What encoders of tokens have in common: HEAR's two functions.

A model here gives, for a batch of clips, tokens in time and how many each clip has. Scene
embedding: the mean of a clip's tokens. Timestamp embeddings: the tokens, at their centres.

Gradients are off by `no_grad`, not by `inference_mode`, under which autocast forgets the weights
it has cast and casts all of them again for every batch.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn


class TokenEncoder(nn.Module, ABC):
    """A waveform in, tokens in time out; each clip as it would be alone, whatever its batch.

    Attributes:
        sample_rate: Hz.
        minimum_samples: shorter clips are zero-padded to it by the harness.
        remote_code: whether code that came with the weights was executed; the record says so.
        sources: files beside the weights that the model was made by: configuration, such code.
    """

    sample_rate: int = 16000
    remote_code: bool = False
    sources: Sequence[Path] = ()
    minimum_samples: int

    @property
    @abstractmethod
    def scene_embedding_size(self) -> int:
        """Numbers of a token, and so of the mean of them."""

    @property
    def timestamp_embedding_size(self) -> int:
        """Numbers of a token."""
        return self.scene_embedding_size

    @abstractmethod
    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encode a batch of clips.

        Args:
            audio: (B, N) floating-point samples in [-1, 1], on the model's device.
            lengths: (B,) integers, the valid samples of each clip; None if all N are.

        Returns:
            Tokens (B, T, D) float32, zero beyond a clip's own, and how many those are, (B,) int64,
            both on the model's device.

        Raises:
            TypeError, ValueError: see `dasheng.frontend.check_audio`.
        """

    @abstractmethod
    def centres(self, count: int) -> Tensor:
        """(count,) float32: when the first tokens of a clip are, ms, each at its centre."""


@torch.no_grad()
def get_scene_embeddings(
    audio: Tensor, model: TokenEncoder, lengths: Tensor | None = None
) -> Tensor:
    """(B, D) float32: the mean over each clip's own tokens. Arguments as of `forward`."""
    tokens, counts = model(audio, lengths)
    return tokens.sum(dim=1) / counts[:, None]


@torch.no_grad()
def get_timestamp_embeddings(
    audio: Tensor, model: TokenEncoder, lengths: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Tokens (B, T, D) float32, zero beyond a clip's own, and their centres (B, T) float32, ms."""
    tokens, _ = model(audio, lengths)
    centres = model.centres(tokens.shape[1]).to(tokens.device)
    return tokens, centres.expand(len(tokens), -1).clone()
