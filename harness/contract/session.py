"""Calls a HEAR module on each signal once, and remembers what came back and what it did.

The checks ask for calls by name and share them, so that validating a large encoder costs some
80 seconds of audio and not 80 per check.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from harness.contract.call import Call, Kind, record
from harness.contract.signals import signal
from harness.contract.state import watch
from harness.encoder import accepts_lengths, load_options
from harness.errors import UserError


class Fault(Exception):
    """What a check found wrong, in words."""


class Session:
    """One module under validation; `module` and `model` are None until imported and loaded.

    `find` imports and returns the module.
    """

    def __init__(
        self,
        find: Callable[[], ModuleType],
        checkpoint: str,
        device: torch.device,
        *,
        trust_remote_code: bool = False,
    ) -> None:
        self.checkpoint, self.device = checkpoint, device
        self.trust_remote_code = trust_remote_code
        self._find = find
        self.module: ModuleType | None = None
        self.model: Any = None
        self.reseeded: list[str] = []  # what the module did to the random states, in words
        self.changed: list[str] = []  # and to torch's settings
        self._calls: dict[tuple[Kind, str], Call] = {}
        self._weights: dict[str, tuple[int, int]] = {}

    def import_module(self) -> None:
        """Find the module; raises the UserError for one that is not there, Fault for a crash."""
        try:
            with self._watch("the import"):
                self.module = self._find()
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            raise _raised("the import", error) from error

    def load(self) -> None:
        """Load the model as hear-validator does: moved to the device, left in its mode.

        Raises Fault where `load_model` raises anything, UserError where it is to execute remote
        code and has none.
        """
        module: Any = self.module
        options = load_options(module, trust_remote_code=self.trust_remote_code)
        try:
            with self._watch("load_model"):
                checkpoint = [self.checkpoint] if self.checkpoint else []
                self.model = module.load_model(*checkpoint, **options)
        except (Exception, SystemExit) as error:
            raise _raised("load_model", error) from error
        if isinstance(self.model, nn.Module):
            self.model.to(self.device)
            self._weights = self._versions()

    def function(self, kind: Kind) -> Callable[..., Any]:
        """The module's embedding function of that kind."""
        return getattr(self.module, f"get_{kind}_embeddings")

    def ragged(self, kind: Kind) -> bool:
        """Whether the function of that kind takes `lengths`."""
        return accepts_lengths(self.function(kind))

    def call(self, kind: Kind, name: str) -> Call:
        """The call on the signal of that name (harness/contract/signals.py)."""
        if (kind, name) not in self._calls:
            self._calls[kind, name] = self._run(kind, name)
        return self._calls[kind, name]

    def calls(self, kind: Kind) -> list[Call]:
        """The calls of that kind so far."""
        return [call for (this, _), call in self._calls.items() if this == kind]

    def embeddings(self, kind: Kind, name: str) -> Tensor:
        """Float64 embeddings (rows, D) or (rows, T, D) of a call; Fault if it gave none."""
        call = self.call(kind, name)
        fault = call.error or call.tensor_fault() or call.shape_fault(self.size(kind))
        if fault or call.numbers is None:
            raise Fault(f"{name}: {fault}")
        if not bool(call.numbers.isfinite().all()):
            raise Fault(f"{name}: {call.function} returned NaN or infinite values")
        return call.numbers

    def size(self, kind: Kind) -> int:
        """The embedding size that the model declares."""
        return getattr(self.model, f"{kind}_embedding_size")

    def changed_weights(self) -> list[str]:
        """Names of the parameters and buffers that were written to since `load`."""
        now = self._versions()
        return [name for name, version in self._weights.items() if now.get(name) != version]

    def _run(self, kind: Kind, name: str) -> Call:
        audio, lengths = signal(name, self.model.sample_rate)
        seconds = audio.shape[1] / self.model.sample_rate
        audio = audio.to(self.device)
        given = audio.clone()
        options = {} if lengths is None else {"lengths": lengths.to(self.device)}
        try:
            with self._watch(f"get_{kind}_embeddings"):
                output = self.function(kind)(given, self.model, **options)
        except (Exception, SystemExit) as error:
            fault = _raised(f"get_{kind}_embeddings", error)
            return Call(kind=kind, rows=len(audio), seconds=seconds, error=str(fault))
        return record(kind, output, given, audio, seconds)

    def _watch(self, what: str) -> AbstractContextManager[None]:
        return watch(what, self.reseeded, self.changed)

    def _versions(self) -> dict[str, tuple[int, int]]:
        """Where each weight lies and how often it was written to: cheaper than its bytes."""
        return {
            name: (value.data_ptr(), 0 if value.is_inference() else value._version)
            for name, value in self.model.state_dict(keep_vars=True).items()
            if isinstance(value, Tensor)
        }


def _raised(what: str, error: BaseException) -> Fault:
    return Fault(" ".join(f"{what} raised {type(error).__name__}: {error}".split())[:1000])
