"""Waveform → log-mel, in float32 always and one clip at a time in effect.

The numbers are those of torchaudio's MelSpectrogram followed by AmplitudeToDB(top_db=120) on a
single clip. Two things differ from calling these on a batch, and both are the point of this file:
`top_db` is taken over each clip's own frames, not over the batch (a quiet clip would move beside
a loud one), and in a ragged batch each clip is reflected at its own end, so that its last frames
are what they would be alone.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

# Frames transformed at once: bounds the memory of long audio, and stays near the cache.
_FRAMES_PER_PASS = 4096


def check_audio(
    audio: Tensor, lengths: Tensor | None = None, *, minimum: int = 1
) -> tuple[Tensor, Tensor | None]:
    """Check a batch of clips and bring it to the form the encoder works on.

    Args:
        audio: (B, N) floating-point samples in [-1, 1]; row b is a clip of `lengths[b]` samples
            and whatever lies after them is ignored.
        lengths: (B,) integers, 1 ≤ length ≤ N; None if every clip has N samples.
        minimum: shorter clips count as zero-padded to so many samples.

    Returns:
        (audio, lengths): float32 samples, zero beyond each clip's end, no column more than the
        longest clip needs (the caller's tensor is never written to); int64 lengths on the CPU,
        or None if all clips are equally long.

    Raises:
        TypeError: not a floating-point tensor, or lengths not integers.
        ValueError: wrong rank, no clip or no sample, lengths out of range, NaN or infinity.
    """
    if not isinstance(audio, Tensor) or not audio.is_floating_point():
        found = audio.dtype if isinstance(audio, Tensor) else type(audio).__name__
        raise TypeError(
            f"audio must be a floating-point tensor, got {found}; scale integer samples to [-1, 1]"
        )
    if audio.ndim != 2:
        raise ValueError(
            f"audio must have shape (clips, samples), got {tuple(audio.shape)}; "
            "for a single mono clip pass audio[None]"
        )
    if audio.numel() == 0:
        raise ValueError(f"audio is empty: shape {tuple(audio.shape)}")
    audio = audio.float()
    if lengths is not None:
        audio, lengths = _cut(audio, lengths)
    # A minimum and a maximum pass NaN and infinity on: one pass over the data, one wait.
    low, high = torch.stack(torch.aminmax(audio)).tolist()
    if not math.isfinite(high - low):
        bad = (~torch.isfinite(audio).all(dim=1)).nonzero().flatten().tolist()
        raise ValueError(f"audio has NaN or infinite samples in clip {', '.join(map(str, bad))}")
    if lengths is not None:
        lengths = lengths.clamp(min=minimum)
        if bool((lengths == lengths[0]).all()):
            lengths = None
    if audio.shape[1] < minimum:
        audio = F.pad(audio, (0, minimum - audio.shape[1]))
    return audio, lengths


def _cut(audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Columns beyond the longest clip dropped, samples beyond each clip's end zeroed."""
    if not isinstance(lengths, Tensor) or lengths.is_floating_point() or lengths.is_complex():
        found = lengths.dtype if isinstance(lengths, Tensor) else type(lengths).__name__
        raise TypeError(f"lengths must be an integer tensor, got {found}")
    if lengths.shape != audio.shape[:1]:
        raise ValueError(
            f"lengths must have shape ({len(audio)},), one per clip, got {tuple(lengths.shape)}"
        )
    lengths = lengths.to("cpu", torch.int64)
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest < 1 or longest > audio.shape[1]:
        raise ValueError(
            f"lengths must lie in 1..{audio.shape[1]} samples, got {shortest}..{longest}"
        )
    audio = audio[:, :longest]
    if shortest < longest:
        # Not a product with the mask: what lies in the padding may be NaN.
        audio = audio.masked_fill(~_valid(lengths, longest, audio.device), 0.0)
    return audio, lengths


def _valid(lengths: Tensor, size: int, device: torch.device) -> Tensor:
    """(B, size) bool: position < length."""
    return torch.arange(size, device=device) < lengths.to(device)[:, None]


class LogMel(nn.Sequential):
    """Log-mel spectrogram in dB: torchaudio's numbers, each clip on its own.

    Child "0" is torchaudio's MelSpectrogram. It holds the window and the filterbank under the
    names that published checkpoints use (`0.spectrogram.window`, `0.mel_scale.fb`): only its
    buffers are used, its forward is not.
    """

    def __init__(
        self,
        *,
        sample_rate: int = 16000,
        n_fft: int = 512,
        win_length: int = 512,
        hop_length: int = 160,
        n_mels: int = 64,
        f_min: float = 0.0,
        f_max: float = 8000.0,
        top_db: float | None = 120.0,
        norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:
        super().__init__(
            MelSpectrogram(
                sample_rate=sample_rate,
                n_fft=n_fft,
                win_length=win_length,
                hop_length=hop_length,
                n_mels=n_mels,
                f_min=f_min,
                f_max=f_max,
                norm=norm,
                mel_scale=mel_scale,
            )
        )
        self.n_fft, self.hop_length, self.top_db = n_fft, hop_length, top_db
        self.minimum_samples = n_fft // 2 + 1  # what the reflection at both ends needs

    def frames(self, samples: Tensor) -> Tensor:
        """Number of frames of clips with so many samples; frame f is centred at hop_length·f."""
        return 1 + samples // self.hop_length

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Log-mel of a batch whose inputs `check_audio` has passed.

        Args:
            audio: (B, N) samples, N ≥ `minimum_samples`.
            lengths: (B,) int64 on the CPU, the valid samples of each clip (each at least
                `minimum_samples`); None if all N are.

        Returns:
            (B, n_mels, T) float32 dB with T = 1 + N // hop_length; zero in frames beyond a
            clip's own 1 + length // hop_length.
        """
        with torch.autocast(audio.device.type, enabled=False):
            mel = self.power(audio, lengths)
            decibel = 10.0 * torch.log10(mel.clamp(min=1e-10))
            if lengths is not None:
                valid = _valid(self.frames(lengths), mel.shape[1], mel.device)[..., None]
                decibel = decibel.masked_fill(~valid, -torch.inf)
            if self.top_db is not None:
                floor = decibel.amax(dim=(1, 2), keepdim=True) - self.top_db
                decibel = torch.maximum(decibel, floor)
            if lengths is not None:
                decibel = decibel.masked_fill(~valid, 0.0)
            return decibel.transpose(1, 2)

    def power(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, T, n_mels) float32 mel power; arguments as of `forward`.

        What is in frames beyond a clip's own means nothing.
        """
        with torch.autocast(audio.device.type, enabled=False):
            return self._mel(self._reflect(audio.float(), lengths))

    def _reflect(self, audio: Tensor, lengths: Tensor | None) -> Tensor:
        """(B, N + n_fft): half a window of each clip mirrored before its start, after its end."""
        half = self.n_fft // 2
        if lengths is None:
            return F.pad(audio, (half, half), mode="reflect")
        padded = torch.cat([F.pad(audio, (half, 0), mode="reflect"), audio[:, :half]], dim=1)
        steps = torch.arange(half, device=audio.device)
        ends = lengths.to(audio.device)[:, None]
        mirrored = audio.gather(1, ends - 2 - steps)
        return padded.scatter(1, half + ends + steps, mirrored)

    def _mel(self, padded: Tensor) -> Tensor:
        """Samples with their margins → (B, T, n_mels) mel power, a bounded number at a time."""
        window = self.get_buffer("0.spectrogram.window")
        filters = self.get_buffer("0.mel_scale.fb")
        missing = self.n_fft - window.numel()
        window = F.pad(window, (missing // 2, missing - missing // 2))
        frames = padded.unfold(1, self.n_fft, self.hop_length)
        return torch.cat(
            [
                torch.view_as_real(torch.fft.rfft(part * window)).square().sum(-1) @ filters
                for part in frames.split(max(1, _FRAMES_PER_PASS // len(padded)), dim=1)
            ],
            dim=1,
        )
