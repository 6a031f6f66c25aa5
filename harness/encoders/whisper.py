"""Whisper's encoder as a HEAR module: of the base size, or of any other.

Paper: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision",
https://arxiv.org/abs/2212.04356. Row Whisper-Base-V1 of the tables.
Checkpoint: https://huggingface.co/openai/whisper-base at the revision below; only the encoder's
20 590 592 parameters of 72 593 920 (74M as published) are held. Licence of the weights:
Apache-2.0 as the model card says, MIT in OpenAI's own repository.
Layer: the last, after the final normalisation; `layers` for others.
Pooling: the mean over the tokens of real audio, of which there is one per 20 ms.
Sample rate: 16 kHz. Front end: see `whisper_log_mel`.

The encoder knows windows of 30 s only, so a clip is zero-padded to 30 s, as in training, and costs
what 30 s cost. Of the 1500 tokens those are kept whose centre, 20·t ms, lies in the clip: one per
320 samples, the last for what remains, ⌈samples / 320⌉. They have seen the padding, but it is not
in the mean. Longer audio is cut into windows of 30 s that know nothing of each other, the last
one padded, each with the maximum of its own spectrogram; a window has 1500 tokens, so that the
grid runs through.

Where the tables' authors may differ (their code is not public): X-ARES, by some of them
(https://github.com/jimbozhang/xares, example/whisper), cuts long audio every 10 s, pads each piece
to 30 s and keeps all 1500 tokens, so that two thirds of the mean and more are padding, and it
takes a token for 10 ms. They may have taken another layer, or all of the windows' tokens. OpenAI's
own transcription takes the spectrogram's maximum over a whole recording.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from dasheng.frontend import check_audio
from harness.encoders.parts import hub
from harness.encoders.parts.tokens import (
    TokenEncoder,
    get_scene_embeddings,
    get_timestamp_embeddings,
)
from harness.encoders.parts.whisper_log_mel import HOP, SAMPLE_RATE, WhisperLogMel

__all__ = ["Whisper", "get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

NAME = "openai/whisper-base"
REVISION = "e37978b90ca9030d5170a5c07aadb050351a65bb"
# The encoder's tensors as in the whole model, with a head or without, and alone.
ENCODER_NAMES = {r"^(model\.)?encoder\.": ""}
# What else is there: the decoder, and the heads of transcription and of classification.
SPARE = r"(model\.)?decoder\..*|proj_out\.weight|(projector|classifier)\..*|layer_weights"

# The second convolution takes every other frame: token t comes of frames 2t - 2 to 2t + 2, so its
# centre is that of frame 2t, sample 320·t.
TOKEN_SAMPLES = 2 * HOP
# Windows (of 1500 tokens) sent through the encoder at once: more gain nothing on a CPU. Bounds the
# memory of long audio.
WINDOWS_PER_PASS = {"cpu": 1}
WINDOWS_PER_PASS_DEVICE = 16


class Whisper(TokenEncoder):
    """A Whisper encoder of any size, over windows of as many samples as it has positions for."""

    sample_rate = SAMPLE_RATE
    minimum_samples = 1

    def __init__(self, encoder: PreTrainedModel, layers: tuple[int, ...] | None = None) -> None:
        """Take an encoder, in evaluation mode.

        layers: indices into transformers' `hidden_states`, whose mean is taken (0: what enters
            the first block; the last: after the final normalisation); None for the last.
        """
        super().__init__()
        self.encoder, self.layers = encoder, layers
        self.log_mel = WhisperLogMel(encoder.config.num_mel_bins)
        self.window = encoder.config.max_source_positions * TOKEN_SAMPLES

    @property
    def scene_embedding_size(self) -> int:
        """Numbers of a token."""
        return self.encoder.config.d_model

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `TokenEncoder.forward`."""
        audio, lengths = check_audio(audio, lengths)
        samples = torch.full(audio.shape[:1], audio.shape[1]) if lengths is None else lengths
        counts = -(-samples // TOKEN_SAMPLES)
        tokens = self._in_windows(audio, samples)[:, : counts.max()]
        counts = counts.to(audio.device)
        own = torch.arange(tokens.shape[1], device=audio.device) < counts[:, None]
        return tokens.masked_fill(~own[..., None], 0.0), counts

    def _in_windows(self, audio: Tensor, samples: Tensor) -> Tensor:
        """Tokens (B, at least ⌈N / 320⌉, D) of audio (B, N), also of the padding of a window."""
        B, N = audio.shape
        width = min(N, self.window)
        windows = -(-N // width)
        pieces = F.pad(audio, (0, windows * width - N)).view(B * windows, width)
        out = audio.new_zeros(B * windows, -(-width // TOKEN_SAMPLES), self.scene_embedding_size)
        starts = width * torch.arange(windows)
        occupied = (starts < samples[:, None]).flatten().nonzero()[:, 0].to(audio.device)
        limit = WINDOWS_PER_PASS.get(audio.device.type, WINDOWS_PER_PASS_DEVICE)
        for some in occupied.split(limit):
            out[some] = self._encode(pieces[some])[:, : out.shape[1]].float()
        return out.view(B, -1, out.shape[2])

    def _encode(self, audio: Tensor) -> Tensor:
        """(n, samples of a window or fewer) → (n, all positions of a window, D)."""
        spectrograms = self.log_mel(F.pad(audio, (0, self.window - audio.shape[1])))
        if self.layers is None:
            return self.encoder(spectrograms).last_hidden_state
        states = self.encoder(spectrograms, output_hidden_states=True).hidden_states
        return torch.stack([states[layer] for layer in self.layers]).mean(dim=0)

    def centres(self, count: int) -> Tensor:
        """(count,) float32, ms: 0, 20, 40, …"""
        return 1000 * TOKEN_SAMPLES / SAMPLE_RATE * torch.arange(count, dtype=torch.float32)


def load_model(model_file_path: str = "") -> Whisper:
    """The encoder: of the base size as published, fetched once, or of any size in a folder.

    A folder holds config.json and model.safetensors in the form of transformers.

    Raises ValueError: they cannot be had, lack a tensor of the encoder or have a strange one.
    """
    name, revision = (model_file_path, None) if model_file_path else (NAME, REVISION)
    encoder = hub.pretrained(WhisperEncoder, name, revision, spare=SPARE, key_mapping=ENCODER_NAMES)
    model = Whisper(encoder).eval()
    model.sources = hub.sources(encoder)
    return model
