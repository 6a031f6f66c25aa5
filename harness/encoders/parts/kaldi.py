"""Kaldi's filterbank features (fbank) of a batch of clips, in float32 always.

The numbers are those of `torchaudio.compliance.kaldi.fbank(clip, htk_compat=True,
window_type="hanning", num_mel_bins=…)` at 16 kHz, without dither and without energy, which takes
one clip at a time. Frames lie whole within their clip (Kaldi's snip_edges): 25 ms every 10 ms,
frame f centred at 10·f + 12.5 ms. So no clip knows of another, nor of what pads it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.compliance.kaldi import get_mel_banks

SAMPLE_RATE = 16000
WINDOW, HOP, N_FFT = 400, 160, 512  # samples
PRE_EMPHASIS = 0.97
F_MIN, F_MAX = 20.0, 0.0  # Hz; 0: up to half the sample rate
NO_WARP = {"vtln_low": 100.0, "vtln_high": -500.0, "vtln_warp_factor": 1.0}
FLOOR = torch.finfo(torch.float32).eps  # of the energy in a mel bin

# Frames transformed at once: bounds the memory of long audio, and stays near the cache.
_FRAMES_PER_PASS = 4096


class Fbank(nn.Module):
    """Waveform → natural logarithm of the energy in each mel bin, each clip on its own."""

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        # On the CPU also where the model around it is on the meta device: no file holds these.
        with torch.device("cpu"):
            window = torch.hann_window(WINDOW, periodic=False)
            banks, _ = get_mel_banks(n_mels, N_FFT, float(SAMPLE_RATE), F_MIN, F_MAX, **NO_WARP)
        self.register_buffer("window", window, persistent=False)
        # No bank reaches the last frequency, half the sample rate.
        self.register_buffer("banks", F.pad(banks, (0, 1)).T.contiguous(), persistent=False)

    def frames(self, samples: Tensor) -> Tensor:
        """Number of frames of clips with so many samples, at least `WINDOW` each."""
        return 1 + (samples - WINDOW) // HOP

    def forward(self, audio: Tensor, samples: Tensor) -> Tensor:
        """Log-mel of a batch of clips.

        Args:
            audio: (B, N) samples; what lies beyond a clip's end must be finite.
            samples: (B,) int64, how many are a clip's own, at least `WINDOW`.

        Returns:
            (B, n_mels, T) float32, T the frames of N samples; zero beyond a clip's own.
        """
        with torch.autocast(audio.device.type, enabled=False):
            frames = audio.float().unfold(1, WINDOW, HOP)
            per_pass = max(1, _FRAMES_PER_PASS // len(frames))
            parts = [self._log_mel(part) for part in frames.split(per_pass, dim=1)]
            log_mel = torch.cat(parts, dim=1).transpose(1, 2)
        own = self.frames(samples).to(audio.device)[:, None, None]
        beyond = torch.arange(log_mel.shape[2], device=audio.device) >= own
        return log_mel.masked_fill(beyond, 0.0)

    def _log_mel(self, frames: Tensor) -> Tensor:
        """(B, T, WINDOW) → (B, T, n_mels)."""
        frames = frames - frames.mean(dim=2, keepdim=True)
        previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
        windowed = (frames - PRE_EMPHASIS * previous) * self.get_buffer("window")
        spectrum = torch.view_as_real(torch.fft.rfft(windowed, n=N_FFT))
        energy = spectrum.square().sum(dim=-1) @ self.get_buffer("banks")
        return energy.clamp(min=FLOOR).log()
