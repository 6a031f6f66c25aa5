"""Any audio model of transformers, behind its own feature extractor.

The extractor sees each clip alone, on the CPU, so that nothing of a batch reaches the numbers; the
model sees clips of one length together, which need no padding. Audio longer than a window is cut
into windows of equal length that know nothing of each other, on one grid of tokens: the next
window begins with the token after the last of this one, and the last window ends with the clip.
What an extractor normalises over a clip it then normalises over each window.
"""

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from dasheng.frontend import check_audio
from harness.encoders.parts import hidden_layers
from harness.encoders.parts.token_grid import TokenGrid, measure
from harness.encoders.parts.tokens import TokenEncoder
from harness.errors import UserError

WINDOW_SECONDS = 30  # as of Whisper: bounds what attention takes of memory
# Audio that goes through the model at once, s: clips of one length, but no more than these.
SECONDS_PER_PASS = {"cpu": 30}
SECONDS_PER_PASS_DEVICE = 320
# Shorter clips are zero-padded to it: a spectrogram has some frames then, a convolution an output.
MINIMUM_SECONDS = 0.1


def probe(samples: int) -> Tensor:
    """(1, samples) float32: a tone to try a model with; not silence, which some cannot take."""
    return torch.arange(samples).sin()[None]


class AudioModel(TokenEncoder):
    """A model that takes what its feature extractor gives, and gives tokens in time."""

    whole_windows = False  # whether a clip costs what a window costs, however short it is
    model: Any  # nn.Module alone would make its configuration a tensor for mypy

    def __init__(self, model: nn.Module, extractor: Any, layers: str = "") -> None:
        """`layers`: see `hidden_layers.indices`.

        How many tokens a clip has is found by trying: some thirty clips of at most a second.

        Raises:
            UserError: there are no such layers, or they differ in shape.
            ValueError: the model gives no tokens in time; others are its own errors.
        """
        super().__init__()
        self.model, self.extractor = model, extractor
        self.sample_rate = extractor.sampling_rate
        self._inputs = inspect.signature(model.forward).parameters.keys()
        self._layers = self._chosen(layers) if layers else None
        self.grid, self.steps = self._grid()
        self.minimum_samples = max(round(MINIMUM_SECONDS * self.sample_rate), self.grid.samples(1))
        self._size = self._tokens(probe(self.minimum_samples)).shape[2]

    @property
    def scene_embedding_size(self) -> int:
        """Numbers of a token."""
        return self._size

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `TokenEncoder.forward`."""
        device = next(self.model.parameters()).device
        audio, lengths = check_audio(audio.to(device), lengths, minimum=self.minimum_samples)
        samples = torch.full((len(audio),), audio.shape[1]) if lengths is None else lengths
        counts = self.grid.count(samples)
        tokens = audio.new_zeros(len(audio), int(counts.max()), self._size)
        for length in samples.unique().tolist():
            rows = torch.nonzero(samples == length)[:, 0]
            for some in rows.split(self._clips_per_pass(length, device)):
                self._fill(tokens, some, audio[some, :length])
        return tokens, counts.to(device)

    def centres(self, count: int) -> Tensor:
        """(count,) float32, ms."""
        return self.grid.centres(count, self.sample_rate)

    @property
    def _width(self) -> int:
        """Samples of a window: all up to the next one, should its tokens be of fewer."""
        return max(self.grid.samples(self.steps), self.steps * self.grid.hop)

    def _clips_per_pass(self, samples: int, device: torch.device) -> int:
        seconds = SECONDS_PER_PASS.get(device.type, SECONDS_PER_PASS_DEVICE)
        heard = self._width if self.whole_windows else min(samples, self._width)
        return max(1, seconds * self.sample_rate // heard)

    def _fill(self, tokens: Tensor, rows: Tensor, audio: Tensor) -> None:
        """Put the tokens of clips (n, samples) of one length into the rows that are theirs."""
        total = self.grid.count(audio.shape[1])
        last = max(0, total - self.steps)
        for start in [*range(0, last, self.steps), last]:
            end = min(start + self.steps, total)
            first = start * self.grid.hop
            window = self._tokens(audio[:, first : first + self._width])
            tokens[rows, start:end] = window[:, : end - start].float()

    @torch.no_grad()
    def _tokens(self, audio: Tensor) -> Tensor:
        """Clips (n, samples) of one length, at most a window → (n, T, D), T at least their own."""
        features = self._features(audio)
        if self._layers is None:
            state = self._outputs(features, "last_hidden_state")
        else:
            states = self._outputs(features, "hidden_states", output_hidden_states=True)
            state = torch.stack([states[layer] for layer in self._layers]).mean(dim=0)
        return self._in_time(state, features)

    def _features(self, audio: Tensor) -> dict[str, Tensor]:
        """What the extractor makes of each clip by itself, and the model takes."""
        with torch.autocast("cpu", enabled=False):  # where the extractor computes
            each = [
                self.extractor(clip, sampling_rate=self.sample_rate, return_tensors="pt")
                for clip in audio.cpu().numpy()
            ]
        return {
            name: torch.cat([features[name] for features in each]).to(audio.device)
            for name in each[0]
            if name in self._inputs
        }

    def _outputs(self, features: dict[str, Tensor], name: str, **options: bool) -> Any:
        """One of the model's outputs. Raises ValueError where there is none of that name."""
        outputs = self.model(**features, **options)
        found = outputs.get(name) if hasattr(outputs, "get") else None
        if found is None:
            names = ", ".join(outputs) if hasattr(outputs, "keys") else type(outputs).__name__
            raise ValueError(f"expected {name} of it, found {names}")
        return found

    @torch.no_grad()
    def _chosen(self, layers: str) -> tuple[int, ...] | None:
        features = self._features(probe(self.sample_rate))
        states = self._outputs(features, "hidden_states", output_hidden_states=True)
        chosen = hidden_layers.indices(layers, len(states))
        shapes = {tuple(states[layer].shape) for layer in chosen or ()}
        if len(shapes) > 1:
            raise UserError(f"expected layers of one shape, found {sorted(shapes)}; choose one")
        return chosen

    def _grid(self) -> tuple[TokenGrid, int]:
        """When the tokens are, and how many of them a window has."""
        rate = self.sample_rate
        grid = measure(
            lambda samples: self._tokens(probe(samples)).shape[1],
            round(MINIMUM_SECONDS * rate),
            rate,
        )
        return grid, grid.count(WINDOW_SECONDS * rate)

    def _in_time(self, state: Tensor, features: dict[str, Tensor]) -> Tensor:
        """A hidden state → (n, T, D): those that the extractor calls padding are dropped."""
        if state.ndim != 3:
            raise ValueError(f"expected tokens (clips, time, size), found {tuple(state.shape)}")
        mask = features.get("attention_mask")
        if mask is None or mask.shape[1] != state.shape[1]:
            return state
        return state[:, : int(mask[0].sum())]
