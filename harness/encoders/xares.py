"""Any encoder file of X-ARES as a HEAR module: `--model xares:path.py`.

X-ARES (https://arxiv.org/abs/2505.16369, https://github.com/jimbozhang/xares) measures encoders
that come as a Python file: one class whose name ends in Encoder, a torch.nn.Module made without
arguments, with `sampling_rate` (Hz), `output_dim` and `hop_size_in_ms`, and a
`forward(audio (B, N)) → (B, T, D)`. Weights, licence, layer and front end are the file's affair.
It is executed, and runs unchanged.

Scene embedding: the mean over all tokens, as X-ARES pools them, those of any padding that the
encoder adds to the clip included (its Whisper example pads to 30 s). What differs from X-ARES:

- Each clip is encoded by itself. X-ARES gives 16 at once, zero-padded to the longest, and many
  encoders hear it: its wav2vec 2.0 and data2vec examples normalise over the whole batch.
- A clip is encoded whole, however long. Some tasks of X-ARES crop (Clotho to 30 s, FSD50k to
  10 s, VoxCeleb1 to 6 s); bounding the memory is the encoder's part there and here.
- Evaluation mode is set here. X-ARES leaves an encoder in the mode in which it was made.
- A sampling rate other than HEAR's four works in a run; the HEAR API, and so
  `harness validate`, asks for one of the four.

Timestamps: `hop_size_in_ms` is believed, as in X-ARES' tasks of frames. Token t is centred at
(t + 1/2) hops, and tokens centred beyond the clip's end are padding's and dropped. Where the
tokens do not reach the end by more than two hops (chunks that lose a token each, a hop that is
too small), they are spread evenly over the clip instead. A hop that is wrong, and tokens enough
to hide it, cannot be seen from here: that Whisper example says 10 ms, its tokens are of 20 ms,
and its times are half of what they should be until the file says 20.
"""

import importlib.util
import math
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from dasheng.frontend import check_audio
from harness.errors import UserError

_MOST_HOPS_SHORT = 2  # lost to the windows at the ends of a clip


class XaresEncoder(nn.Module):
    """An encoder from an X-ARES file, with the attributes that the HEAR API asks of a model."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.sources: list[Path] = []  # files that were executed to make it
        self.sample_rate = int(_number(encoder, "sampling_rate", whole=True))
        self.scene_embedding_size = int(_number(encoder, "output_dim", whole=True))
        self.timestamp_embedding_size = self.scene_embedding_size
        self.hop = _number(encoder, "hop_size_in_ms")

    def forward(self, audio: Tensor) -> list[Tensor]:
        """All tokens (T, D) float32 of each clip of audio (B, N), encoded one by one.

        Raises TypeError or ValueError for audio that is not a batch of finite clips, UserError
        where the encoder returns anything but (1, T, D).
        """
        audio, _ = check_audio(audio)
        return [self._tokens(clip) for clip in audio.split(1)]

    def times(self, count: int, samples: int) -> Tensor:
        """When the tokens of a clip of `samples` are, ms: at most `count`, float32."""
        length = 1000 * samples / self.sample_rate
        short = length - count * self.hop
        step = self.hop if short <= _MOST_HOPS_SHORT * self.hop else length / count
        within = min(count, int(length / step + 0.5))
        if within == 0:  # of a clip shorter than half a hop
            return torch.tensor([length / 2])
        return ((torch.arange(within, dtype=torch.float64) + 0.5) * step).float()

    def _tokens(self, clip: Tensor) -> Tensor:
        size = self.scene_embedding_size
        tokens = self.encoder(clip.clone())  # it may write to what it is given
        shape = tuple(tokens.shape) if isinstance(tokens, Tensor) else ()
        if len(shape) != 3 or shape[::2] != (1, size) or shape[1] == 0:
            found = shape if isinstance(tokens, Tensor) else type(tokens).__name__
            raise UserError(
                f"{type(self.encoder).__name__} must return a tensor (1, T, {size}) for audio "
                f"{tuple(clip.shape)}, found {found}; mend output_dim or forward"
            )
        return tokens[0].float()


def load_model(model_file_path: str = "") -> XaresEncoder:
    """Execute an encoder file and make its encoder, in evaluation mode.

    Raises:
        OSError: there is no such file.
        ValueError: the file does not run, has not one name ending in Encoder, or what that makes
            is no encoder.
    """
    path = Path(model_file_path)
    if not path.is_file():
        raise FileNotFoundError(
            f"expected an X-ARES encoder file, path.py, found no file {model_file_path!r}"
        )
    module = _executed(path)
    names = [name for name in dir(module) if name.endswith("Encoder")]  # X-ARES' own rule
    if len(names) != 1:
        raise ValueError(
            f"expected in {path} one name ending in Encoder, the class, found "
            f"{', '.join(names) or 'none'}; rename it, or import others under other names"
        )
    with _in_one_line(path):
        encoder = getattr(module, names[0])()
    if not isinstance(encoder, nn.Module):
        raise ValueError(
            f"expected {names[0]}() in {path} to be a torch.nn.Module, "
            f"found {type(encoder).__name__}"
        )
    model = XaresEncoder(encoder).eval()
    model.sources = _sources(module)
    return model


@torch.no_grad()
def get_scene_embeddings(audio: Tensor, model: XaresEncoder) -> Tensor:
    """(B, D) float32: the mean over all tokens of each clip of audio (B, N)."""
    return torch.stack([tokens.mean(dim=0) for tokens in model(audio)])


@torch.no_grad()
def get_timestamp_embeddings(audio: Tensor, model: XaresEncoder) -> tuple[Tensor, Tensor]:
    """Tokens (B, T, D) float32 of audio (B, N) within the clips, and when they are, (B, T), ms.

    Raises UserError where clips of one length have different numbers of tokens.
    """
    clips = model(audio)
    counts = sorted({len(tokens) for tokens in clips})
    if len(counts) > 1:
        raise UserError(
            f"{type(model.encoder).__name__} must give clips of one length equally many tokens, "
            f"found {counts[0]} and {counts[-1]}"
        )
    times = model.times(counts[0], audio.shape[1])
    tokens = torch.stack([tokens[: len(times)] for tokens in clips])
    return tokens, times.to(tokens.device).expand(len(clips), -1).clone()


def _executed(path: Path) -> ModuleType:
    """The file as a module of a name of its own: it may be called as a package is."""
    name = re.sub(r"\W", "_", str(path.resolve()))
    # As a package, so that `from .layers import …` finds the files beside it.
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[str(path.parent)]
    )
    if spec is None or spec.loader is None:
        raise ValueError(f"expected an X-ARES encoder file, path.py, found {str(path)!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look there
    with _in_one_line(path):
        spec.loader.exec_module(module)
    return module


def _sources(module: ModuleType) -> list[Path]:
    """The file, and those beside it that it has imported."""
    parts = [each for name, each in sys.modules.items() if name.startswith(f"{module.__name__}.")]
    return [Path(str(each.__file__)) for each in (module, *parts) if each.__file__]


@contextmanager
def _in_one_line(path: Path) -> Iterator[None]:
    """Say what the file raised and in which of its lines, as a ValueError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{path} needs the package {error.name!r}, which is not installed; "
            "install it and try again"
        ) from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        what = " ".join(str(error).split())
        raise ValueError(f"{where}: {type(error).__name__}: {what}") from error


def _number(encoder: nn.Module, name: str, *, whole: bool = False) -> float:
    """An attribute that X-ARES requires, a positive number; raises ValueError for any other."""
    if not hasattr(encoder, name):
        raise ValueError(
            f"{type(encoder).__name__} has no attribute {name}, which X-ARES requires; add it"
        )
    value: Any = getattr(encoder, name)
    number = float(value) if isinstance(value, Real) else math.nan
    if not 0 < number < math.inf or (whole and number % 1):
        kind = "whole number" if whole else "number"
        raise ValueError(
            f"{name} of {type(encoder).__name__} must be a positive {kind}, found {value!r}"
        )
    return number
