"""One call of an embedding function: what went in, what came out, what happened on the way."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

Kind = Literal["scene", "timestamp"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """The call on `rows` clips of `seconds` each.

    `numbers` and `times` are float64 copies on the CPU, made at once: a module may write over
    its output later. They are None unless the output is made of tensors.
    """

    kind: Kind
    rows: int
    seconds: float
    error: str = ""
    output: Any = None
    numbers: Tensor | None = None
    times: Tensor | None = None
    input_changed: bool = False
    shares_input: bool = False

    @property
    def function(self) -> str:
        """Name of the function that was called."""
        return f"get_{self.kind}_embeddings"

    @property
    def embeddings(self) -> Any:
        """The embeddings as they were returned."""
        return self.output[0] if self.kind == "timestamp" else self.output

    def tensor_fault(self) -> str:
        """What keeps the output from being what the API says it is made of; "" if nothing does."""
        if self.numbers is not None:
            return ""
        expected = "a tensor" if self.kind == "scene" else "(embeddings, timestamps), two tensors"
        return (
            f"{self.function} must return {expected} with values, found {_described(self.output)}"
        )

    def shape_fault(self, size: int) -> str:
        """What is wrong with the shape of the embeddings; "" if nothing is."""
        found = tuple(self.embeddings.shape)
        if self.kind == "scene":
            right, expected = found == (self.rows, size), f"({self.rows}, {size})"
        else:
            right = len(found) == 3 and found[::2] == (self.rows, size) and found[1] > 0
            expected = f"({self.rows}, T > 0, {size})"
        return "" if right else f"{self.function} must return shape {expected}, found {found}"


def record(kind: Kind, output: Any, given: Tensor, audio: Tensor, seconds: float) -> Call:
    """The call that returned `output` when `given`, a copy of `audio` (B, N), was passed in."""
    tensors = _tensors(kind, output)
    copies = [tensor.detach().to("cpu", torch.float64, copy=True) for tensor in tensors]
    address = given.untyped_storage().data_ptr()
    return Call(
        kind=kind,
        rows=len(audio),
        seconds=seconds,
        output=output,
        numbers=copies[0] if tensors else None,
        times=copies[1] if len(copies) > 1 else None,
        input_changed=given.shape != audio.shape or not torch.equal(given, audio),
        shares_input=any(tensor.untyped_storage().data_ptr() == address for tensor in tensors),
    )


def _tensors(kind: Kind, output: Any) -> list[Tensor]:
    """The output's tensors, or nothing where it is not made as the API says."""
    parts = [output] if kind == "scene" else output
    if not isinstance(parts, (list, tuple)) or len(parts) != (1 if kind == "scene" else 2):
        return []
    return list(parts) if all(_has_values(part) for part in parts) else []


def _has_values(part: Any) -> bool:
    return (
        isinstance(part, Tensor)
        and part.layout == torch.strided
        and not part.is_meta
        and not part.is_complex()
    )


def _described(output: Any) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of {output.dtype} and {output.layout} on {output.device}"
    if isinstance(output, (list, tuple)):
        return f"{type(output).__name__}({', '.join(type(part).__name__ for part in output)})"
    return type(output).__name__
