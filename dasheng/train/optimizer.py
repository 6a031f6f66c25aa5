"""The optimiser by its name: PyTorch's own, or one of bitsandbytes with its states in 8 bits."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Iterable
from typing import Any

import torch
from torch.optim import Optimizer

from dasheng.train import values
from dasheng.train.config import TrainConfig
from tasks.errors import UserError

_log = logging.getLogger(__name__)

# One kernel for the whole step, on CPU and CUDA. Others that take `fused` have it on one of them.
_FUSED = ("Adam", "AdamW", "SGD")


def build(parameters: Iterable[Any], config: TrainConfig, device: torch.device | str) -> Optimizer:
    """The optimiser that the configuration names, with its arguments.

    An 8-bit one takes bitsandbytes and CUDA; without them it is the one of PyTorch with the same
    name but for the 8 bits, and a line of the log says so.

    Args:
        parameters: tensors, or groups of them as PyTorch takes them.
        config: `optimizer` and `optimizer_args` are read.
        device: where the parameters lie.

    Raises:
        UserError: an unknown optimiser or argument, or a value that it refuses.
    """
    device = torch.device(device)
    kind = _kind(config.optimizer, device)
    arguments = {name: _plain(value) for name, value in config.optimizer_args.items()}
    arguments["lr"] = config.lr
    known = [name for name in inspect.signature(kind).parameters if name != "params"]
    for name in arguments:
        if name not in known:
            raise values.unknown(f"optimizer_args.{name}", [f"optimizer_args.{x}" for x in known])
    if kind in [getattr(torch.optim, name) for name in _FUSED] and device.type in ("cpu", "cuda"):
        arguments = {"fused": True} | arguments
    try:
        return kind(parameters, **arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise UserError(f"optimizer_args of {config.optimizer}: {told}") from None


def _kind(name: str, device: torch.device) -> type[Optimizer]:
    own = _torch_kinds()
    if name in own:
        return own[name]
    lack = "CUDA"
    if device.type == "cuda":
        try:
            theirs = importlib.import_module("bitsandbytes.optim")
        except (ImportError, OSError, RuntimeError) as error:  # absent, or without its libraries
            lack = f"bitsandbytes ({error})"
        else:
            found = getattr(theirs, name, None)
            if inspect.isclass(found) and issubclass(found, Optimizer):
                return found
            raise _unknown(name, [*own, *vars(theirs)])
    instead = name.removeprefix("Paged").removesuffix("8bit")
    if instead not in own:
        raise _unknown(name, own)
    _log.warning("optimizer: %s instead of %s, which needs %s", instead, name, lack)
    return own[instead]


def _unknown(name: str, known: Iterable[str]) -> UserError:
    return values.unknown(f"optimizer {name}", [f"optimizer {other}" for other in known])


def _torch_kinds() -> dict[str, type[Optimizer]]:
    """PyTorch's optimisers by name; LBFGS, which must evaluate the loss itself, is not for us."""
    return {
        name: kind
        for name, kind in vars(torch.optim).items()
        if inspect.isclass(kind)
        and issubclass(kind, Optimizer)
        and kind is not Optimizer
        and inspect.signature(kind.step).parameters["closure"].default is None
    }


def _plain(value: Any) -> Any:
    """A list of a configuration as the tuple that an optimiser expects."""
    return tuple(value) if isinstance(value, list) else value
