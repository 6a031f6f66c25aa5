"""Files of weights, whoever's: found or fetched, read without executing anything, loaded whole.

Whether a file's tensors are those of a model is decided by name and shape: one too few, one too
many or one of another shape is an error that names it.
"""

from __future__ import annotations

import os
import pickle
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dasheng.progress import Progress
from tasks.download import fetch
from tasks.errors import UserError
from tasks.spec import Archive


def home() -> Path:
    """The folder of downloaded weights: DASHENG_HOME, else one in the platform's cache."""
    if chosen := os.environ.get("DASHENG_HOME"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "dasheng"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dasheng"


def obtain(name: str, sources: Sequence[Archive], instead: str) -> Path:
    """The file with the weights called `name`, downloaded if no source's file is there.

    Sources are tried in order; `instead` says what a user without a network can do.

    Raises:
        UserError: no source can be reached: says what was tried.
    """
    folder = home()
    present = [source for source in sources if (folder / source.filename).is_file()]
    failures = []
    for source in present or sources:
        try:
            with Progress() as progress:
                return fetch(source, folder, progress=progress)
        except UserError as error:
            failures.append(str(error))
    raise UserError(f"no weights for {name}: {'; '.join(failures)}; {instead}")


def read_state(file: Path) -> dict[str, Tensor]:
    """A model's tensors by name: a `.safetensors` file, or a pickle, there perhaps under `model`.

    Raises:
        ValueError: the file is damaged, would have to execute code, or holds something else.
    """
    dump = read_safetensors(file)[0] if file.suffix == ".safetensors" else read_pickle(file)
    state = dump.get("model", dump) if isinstance(dump, dict) else dump
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(x, Tensor) for name, x in state.items()
    ):
        raise ValueError(f"{file}: expected tensors by name, found another form")
    return state


def read_pickle(file: Path) -> Any:
    """What `torch.save` wrote: tensors, plain values and the Namespace of a trainer's options.

    Raises:
        ValueError: the file is damaged, or would have to execute code.
    """
    # Of plain values too: to fill one runs nothing. Who allows it already goes on allowing it.
    more = {Namespace}.difference(torch.serialization.get_safe_globals())
    try:
        with torch.serialization.safe_globals([*more]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{file}: expected tensors and plain values, found a file that is damaged or would "
            f"have to execute code ({_reason(error)}); get it again, or save it with plain values "
            "only"
        ) from None
    except Exception as error:  # damage makes the reading fail anywhere, in any way
        raise ValueError(
            f"{file}: expected a PyTorch checkpoint, could not read it ({_reason(error)}); "
            "get it again if it is damaged"
        ) from None


def _reason(error: Exception) -> str:
    """What PyTorch found, one sentence: around it is advice, also to execute the file's code."""
    before_advice = str(error).partition("\n\nCheck the documentation")[0]
    sentence = before_advice.strip().rpartition("\n")[2].partition(". ")[0]
    return " ".join(sentence.split()) or type(error).__name__


def read_safetensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name, and the file's metadata. Raises ValueError where it is damaged."""
    try:
        with safe_open(file, framework="pt") as opened:
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            return state, opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{file}: expected safetensors, could not read it ({error})") from None


def fill(model: nn.Module, state: Mapping[str, Tensor], file: Path, expected: str) -> None:
    """Give a model (on the meta device, or not) the tensors of a file, as float32.

    Args:
        model: its parameters and buffers become the file's tensors.
        state: tensors by the model's own names, all of them and no others.
        file: for the message.
        expected: what the file should hold, for the message: "an encoder with …".

    Raises:
        ValueError: tensors are missing, unexpected or of another shape: names one of each.
    """
    own = model.state_dict()
    faults = {
        "missing": [name for name in own if name not in state],
        "unexpected": [name for name in state if name not in own],
        "other shape": [
            f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}"
            for name in own
            if name in state and state[name].shape != own[name].shape
        ],
    }
    found = [f"{len(names)} {kind} ({names[0]}, …)" for kind, names in faults.items() if names]
    if found:
        raise ValueError(
            f"{file}: expected {expected}, found another architecture: {'; '.join(found)}"
        )
    model.load_state_dict(
        {name: x.float() if x.is_floating_point() else x for name, x in state.items()}, assign=True
    )
