"""Encoders of the wav2vec 2.0 family: convolutions over the waveform, then a transformer.

wav2vec 2.0 (https://arxiv.org/abs/2006.11477), HuBERT, WavLM, data2vec, UniSpeech, …: transformers'
implementation, each clip as it would be alone. The token t is computed from `minimum_samples`
samples that start at `grid.hop`·t (400 and 320: 25 ms and 20 ms in all published models). What lies
beyond a clip's last token is masked: the transformer attends to none of it, and the convolution
that tells positions finds zeros there, as it does at the end of a lone clip. In the models below
where it would find more than zeros, tokens of one length only go through together, unmasked.

Attention costs the square of the length, so a long clip goes through the model in windows of 30 s
that know nothing of each other. They overlap by the samples that the last token of one and the
first of the next share: all tokens lie on one grid, and the last window has one at least. The
normalisation of the waveform is over the whole clip.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from dasheng.frontend import check_audio
from harness.encoders.parts import hub
from harness.encoders.parts.token_grid import TokenGrid
from harness.encoders.parts.tokens import TokenEncoder

WINDOW_SECONDS = 30
# Tokens sent through the model at once; they bound the memory of its first convolution's output,
# 64 frames of 512 numbers for each token. More gain nothing on a CPU, where they leave the cache.
TOKENS_PER_PASS = {"cpu": 1500}
TOKENS_PER_PASS_DEVICE = 6000
# Models in which masking is exact: their features are normalised frame by frame, not over time,
# and positions come from one convolution. data2vec has five with norms and biases between them,
# which carry what they find beyond the end of a clip back into it.
MASKED = ("wav2vec2", "wavlm")
# What a checkpoint may hold besides the encoder: heads of its training, and the embedding that
# stands for masked frames.
HEADS = r"(quantizer|project_q|project_hid|lm_head|final_proj)\..*|(.*\.)?masked_spec_embed"


class Speech(TokenEncoder):
    """A model of the family as transformers has it.

    Args:
        model: Wav2Vec2Model, WavLMModel, Data2VecAudioModel, HubertModel, ….
        normalise: whether each clip is brought to zero mean and unit variance.
        layers: indices into transformers' `hidden_states` (0: what enters the first block; the
            depth: what leaves the last), whose mean the tokens are; None: `last_hidden_state`,
            which in models that normalise before each block (`do_stable_layer_norm` of wav2vec 2.0,
            HuBERT and WavLM) is what leaves the last one, normalised once more.

    Raises:
        ValueError: a layer that the model has not, or an adapter that thins its tokens out.
    """

    def __init__(
        self, model: PreTrainedModel, *, normalise: bool, layers: tuple[int, ...] | None = None
    ) -> None:
        super().__init__()
        config = model.config
        depth = config.num_hidden_layers
        if layers is not None and not (layers and all(0 <= layer <= depth for layer in layers)):
            raise ValueError(f"expected layers from 0 to {depth}, found {layers}")
        if getattr(config, "add_adapter", False):
            raise ValueError(f"expected one token per frame, found a {config.model_type} adapter")
        self.model, self.normalise, self.layers = model, normalise, layers
        self.grid = TokenGrid(*receptive_field(config.conv_kernel, config.conv_stride))
        self.minimum_samples = self.grid.field
        self.window = WINDOW_SECONDS * self.sample_rate // self.grid.hop
        self.over_time = getattr(config, "feat_extract_norm", "layer") == "group"
        self.masked = config.model_type in MASKED and not self.over_time

    @property
    def scene_embedding_size(self) -> int:
        """Numbers of a token: the transformer's width."""
        return int(self.model.config.hidden_size)

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `TokenEncoder.forward`."""
        audio, lengths = check_audio(audio, lengths, minimum=self.minimum_samples)
        if lengths is None:
            lengths = torch.full((len(audio),), audio.shape[1])
        if self.normalise:
            audio = standardised(audio, lengths)
        counts = self.grid.count(lengths)
        if not self.over_time:  # what follows the last token's samples is without effect
            lengths = self.grid.samples(counts)
        size = (len(audio), int(counts.max()), self.scene_embedding_size)
        out = torch.zeros(size, device=audio.device)
        for pieces in self._passes(lengths.tolist(), audio.device.type):
            for found, (samples, row, start) in zip(
                self._encode(audio, pieces), pieces, strict=True
            ):
                count = self.grid.count(samples)
                out[row, start : start + count] = found[:count]
        return out, counts.to(audio.device)

    def centres(self, count: int) -> Tensor:
        """(count,) float32: the middle of the samples that each token is computed from, ms."""
        return self.grid.centres(count, self.sample_rate)

    def _passes(self, lengths: list[int], device: str) -> Iterator[list[tuple[int, int, int]]]:
        """What goes through the model together: (samples, row, first token) of windows, long first.

        Alike in length, so that little is padding; of one length where padding is not exact.
        """
        pieces = []
        for row, length in enumerate(lengths):
            starts = range(0, self.grid.count(length), self.window)
            whole = self.grid.samples(self.window)
            pieces += [(whole, row, start) for start in starts[:-1]]
            pieces.append((length - starts[-1] * self.grid.hop, row, starts[-1]))
        pieces.sort(key=lambda piece: -piece[0])
        limit = TOKENS_PER_PASS.get(device, TOKENS_PER_PASS_DEVICE)
        while pieces:
            longest = pieces[0][0]
            some = pieces[: max(1, limit // self.grid.count(longest))]
            if not self.masked:
                some = [piece for piece in some if piece[0] == longest]
            yield some
            del pieces[: len(some)]

    def _encode(self, audio: Tensor, pieces: list[tuple[int, int, int]]) -> Tensor:
        """Tokens (pieces, longest, D) float32 of pieces of the clips, padded to the longest."""
        spans = [samples for samples, _, _ in pieces]
        batch = audio.new_zeros(len(pieces), max(spans))
        for padded, (samples, row, start) in zip(batch, pieces, strict=True):
            begin = start * self.grid.hop
            padded[:samples] = audio[row, begin : begin + samples]
        mask = None
        if min(spans) < max(spans):
            ends = torch.tensor(spans, device=audio.device)[:, None]
            mask = (torch.arange(max(spans), device=audio.device) < ends).long()
        with warnings.catch_warnings():
            # WavLM hands PyTorch one mask of numbers and one of truth values.
            warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
            output = self.model(
                batch, attention_mask=mask, output_hidden_states=self.layers is not None
            )
        if self.layers is None:
            return output.last_hidden_state.float()
        return torch.stack([output.hidden_states[i].float() for i in self.layers]).mean(dim=0)


def load(kind: Any, name: str, revision: str | None = None) -> Speech:
    """A model and its normalisation as published: name, revision and errors as in `hub`.

    Args:
        kind: class of the model: WavLMModel, ….
        name: on the hub, or a folder in its form, with preprocessor_config.json.
        revision: on the hub.
    """
    # With nothing to mask no embedding of masked frames is made, which only training needs.
    model = hub.pretrained(
        kind, name, revision, spare=HEADS, mask_time_prob=0.0, mask_feature_prob=0.0
    )
    extractor = hub.feature_extractor(name, revision)
    encoder = Speech(model, normalise=bool(extractor.do_normalize)).eval()
    encoder.sources = hub.sources(model)
    return encoder


def receptive_field(kernels: list[int], strides: list[int]) -> tuple[int, int]:
    """Samples that an output of unpadded convolutions is computed from, and from one to the next.

    n samples give (n - field) // stride + 1 outputs.
    """
    field, stride = 1, 1
    for kernel, step in zip(kernels, strides, strict=True):
        field, stride = field + (kernel - 1) * stride, stride * step
    return field, stride


def standardised(audio: Tensor, lengths: Tensor) -> Tensor:
    """Each clip with zero mean and unit variance, as Wav2Vec2FeatureExtractor has it for one clip.

    (x - mean) / sqrt(variance + 1e-7) over a clip's own samples, in float32 also under autocast.

    Args:
        audio: (B, N) float32, zero beyond each clip's end.
        lengths: (B,) int64.

    Returns:
        (B, N) float32, zero beyond each clip's end.
    """
    with torch.autocast(audio.device.type, enabled=False):
        size = lengths.to(audio.device)[:, None]
        valid = torch.arange(audio.shape[1], device=audio.device) < size
        for _ in range(2):  # a large mean leaves a rounding error, which is a mean of its own
            mean = audio.sum(dim=1, keepdim=True) / size
            audio = (audio - mean).masked_fill(~valid, 0.0)
        variance = audio.square().sum(dim=1, keepdim=True) / size
        return audio / (variance + 1e-7).sqrt()
