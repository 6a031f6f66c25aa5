"""Models of transformers whose tokens are patches of a spectrogram of fixed length: AST, CLAP.

A token in time is the mean over frequency. Both know one window only, about 10 s. A shorter clip is
brought to it by the feature extractor, as published; of the tokens those are kept that lie whole
within the clip, so that no padding is in the mean, though all of them have seen it.
"""

import torch
from torch import Tensor

from harness.encoders.parts.audio_model import AudioModel, probe
from harness.encoders.parts.token_grid import TokenGrid
from harness.errors import UserError

_FRAME, _SHIFT = 400, 160  # samples: a frame of AST's Kaldi filterbank, and from one to the next


class SpectrogramTransformer(AudioModel):
    """AST (Gong et al., https://arxiv.org/abs/2104.01778): patches overlap, on a grid.

    1024 frames are 101 steps of 100 ms in time, each of 12 bands; the mean of these is the token.
    The two tokens before them, CLS and DIST, are of the whole window and left out.
    """

    whole_windows = True

    def _grid(self) -> tuple[TokenGrid, int]:
        config = self.model.config
        field = (config.patch_size - 1) * _SHIFT + _FRAME
        steps = 1 + (config.max_length - config.patch_size) // config.time_stride
        return TokenGrid(field, config.time_stride * _SHIFT), steps

    def _in_time(self, state: Tensor, features: dict[str, Tensor]) -> Tensor:
        config = self.model.config
        bands = 1 + (config.num_mel_bins - config.patch_size) // config.frequency_stride
        return state[:, 2:].unflatten(1, (bands, -1)).mean(dim=1)


class ClapAudio(AudioModel):
    """The audio tower of CLAP (Wu et al., https://arxiv.org/abs/2211.06687): a Swin transformer.

    10 s are 32 steps in time, each of 2 bands. The extractor repeats a short clip until the window
    is full, so that its own steps come first. Layers differ in shape, only the last is offered.
    """

    whole_windows = True

    def _chosen(self, layers: str) -> tuple[int, ...] | None:
        raise UserError(f"expected no layer of CLAP, whose layers differ in shape, found #{layers}")

    @torch.no_grad()
    def _grid(self) -> tuple[TokenGrid, int]:
        window = self.extractor.nb_max_samples
        features = self._features(probe(window))
        steps = self._outputs(features, "last_hidden_state").shape[3]
        return TokenGrid(window // steps, window // steps), steps

    def _in_time(self, state: Tensor, features: dict[str, Tensor]) -> Tensor:
        return state.mean(dim=2).transpose(1, 2)
