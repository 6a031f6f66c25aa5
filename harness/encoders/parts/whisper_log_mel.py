"""Waveform → what Whisper's encoder is fed, for a batch of windows at once.

The numbers of transformers' WhisperFeatureExtractor, computed on the windows' device: log10 of
the power in Slaney's mel bands, 25 ms Hann frames centred every 10 ms, reflected at both ends of
the window, the last frame dropped; then raised to 8 below the window's maximum, and (x + 4) / 4.
"""

import torch
from torch import Tensor, nn
from transformers.audio_utils import mel_filter_bank

SAMPLE_RATE = 16000
HOP = 160
N_FFT = 400


class WhisperLogMel(nn.Module):
    """Log-mel spectrograms, each with the maximum of its own window. Without weights."""

    window: Tensor
    filters: Tensor

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        filters = mel_filter_bank(
            num_frequency_bins=N_FFT // 2 + 1,
            num_mel_filters=n_mels,
            min_frequency=0.0,
            max_frequency=SAMPLE_RATE / 2,
            sampling_rate=SAMPLE_RATE,
            norm="slaney",
            mel_scale="slaney",
        )
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filters).float(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, N) samples at 16 kHz, N > 200 → (B, n_mels, N // 160), float32 also in autocast."""
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(
                audio.float(), N_FFT, HOP, window=self.window, return_complex=True
            )
            power = torch.view_as_real(spectrum[..., :-1]).square().sum(dim=-1)
            x = (self.filters.T @ power).clamp(min=1e-10).log10()
            return (torch.maximum(x, x.amax(dim=(1, 2), keepdim=True) - 8) + 4) / 4
