"""MelSpec as a HEAR module: the time mean of the log-mel bins that Dasheng itself starts from.

The row below every encoder in the tables: what the spectrum alone knows of a task. 64 mel bins
at 16 kHz, in dB with top_db 120 taken over each clip, one frame every 10 ms. It has no weights.
"""

import torch
from torch import Tensor, nn

from dasheng.frontend import LogMel, check_audio


class MelSpec(nn.Module):
    """Waveform → log-mel frames, with the attributes that the HEAR API asks of a model."""

    sample_rate = 16000
    scene_embedding_size = 64
    timestamp_embedding_size = 64
    minimum_samples = 480  # as for Dasheng, so that both see the same samples of a short clip

    def __init__(self) -> None:
        super().__init__()
        self.log_mel = LogMel(sample_rate=self.sample_rate, n_mels=self.scene_embedding_size)

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Frames (B, T, 64) in dB, zero beyond each clip's end, and their number (B, 1) per clip.

        Raises TypeError or ValueError for audio or lengths that are not a batch of finite clips.
        """
        device = next(self.buffers()).device
        audio, lengths = check_audio(audio.to(device), lengths, minimum=self.minimum_samples)
        frames = self.log_mel(audio, lengths).transpose(1, 2)
        samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
        return frames, self.log_mel.frames(samples)[:, None].to(device)


def load_model(model_file_path: str = "") -> MelSpec:
    """The model, on the CPU. Raises ValueError for a checkpoint: there are no weights to load."""
    if model_file_path:
        raise ValueError(f"melspec has no weights to load, found checkpoint {model_file_path!r}")
    return MelSpec().eval()


@torch.inference_mode()
def get_scene_embeddings(audio: Tensor, model: MelSpec, lengths: Tensor | None = None) -> Tensor:
    """(B, 64) float32: mean over the frames of each clip of audio (B, N) at 16 kHz.

    `lengths` (B,) int64 counts the valid samples of each clip of a ragged batch.
    """
    frames, count = model(audio, lengths)
    return frames.sum(dim=1) / count


@torch.inference_mode()
def get_timestamp_embeddings(
    audio: Tensor, model: MelSpec, lengths: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Frames (B, T, 64) float32 of audio (B, N) and their centres (B, T) float32 in milliseconds.

    In a ragged batch the frames beyond a clip's end are zero.
    """
    frames, _ = model(audio, lengths)
    hop = 1000 * model.log_mel.hop_length / model.sample_rate
    centres = hop * torch.arange(frames.shape[1], dtype=torch.float32, device=frames.device)
    return frames, centres.expand(len(frames), -1).clone()
