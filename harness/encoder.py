"""From what the user typed to a HEAR module that is loaded, checked and fingerprinted.

A HEAR module is any importable module with `load_model`, `get_scene_embeddings` and
`get_timestamp_embeddings` (https://hearbenchmark.com/hear-api.html). Encoders are reached by
name, so the harness measures ours and yours in the same way. The fingerprint says *which
weights* an embedding came from: names of files and classes do not.
"""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness import fingerprint
from harness.errors import UserError
from harness.targets import Target, resolve, unknown

EXTRA = ("transformers", "huggingface_hub")  # packages of the extra [baselines]
BASELINES = "pip install 'dasheng[baselines]'"
FUNCTIONS = ("load_model", "get_scene_embeddings", "get_timestamp_embeddings")
ATTRIBUTES = ("sample_rate", "scene_embedding_size", "timestamp_embedding_size")


@dataclass(frozen=True)
class Encoder:
    """A HEAR module's model, ready to embed, and the facts that identify it."""

    name: str
    spec: str
    module: ModuleType
    model: nn.Module
    device: torch.device
    sample_rate: int
    embedding_size: int
    timestamp_embedding_size: int
    parameters: int
    minimum_samples: int
    ragged: bool
    remote_code: bool
    weights_sha256: str
    code_sha256: str  # "" where the code is this project's own
    canary: tuple[str, ...]


def load(spec: str, device: str = "auto", *, trust_remote_code: bool = False) -> Encoder:
    """Load the encoder that `spec` names: see `harness.targets`.

    `trust_remote_code` lets code that comes with the weights be executed.

    Raises UserError for an unknown encoder, a module that lacks a part of the HEAR API, a
    checkpoint that cannot be read, a device that is not there, and a module that has nothing to
    do with remote code where it is trusted.
    """
    target = resolve(spec)
    place = device_named(device)
    module = import_module(target, spec)
    _require(module, FUNCTIONS, f"module {target.module}", "function")
    options = load_options(module, trust_remote_code=trust_remote_code)
    model = _load_model(module, target, spec, options)
    _require(model, ATTRIBUTES, f"the model of {target.module}", "attribute")
    weights_sha256 = fingerprint.of_weights(model.state_dict())
    code_sha256 = fingerprint.of_code(module, model)
    encoder = Encoder(
        name=target.results_name(fingerprint.joined(weights_sha256, code_sha256)),
        spec=spec,
        module=module,
        model=model.to(place).eval(),
        device=place,
        sample_rate=_positive(model, "sample_rate", target),
        embedding_size=_positive(model, "scene_embedding_size", target),
        timestamp_embedding_size=_positive(model, "timestamp_embedding_size", target),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        minimum_samples=int(getattr(model, "minimum_samples", 0)),
        ragged=accepts_lengths(module.get_scene_embeddings),
        remote_code=bool(getattr(model, "remote_code", False)),
        weights_sha256=weights_sha256,
        code_sha256=code_sha256,
        canary=(),
    )
    return Encoder(**{**vars(encoder), "canary": _canary(encoder)})


def import_module(target: Target, spec: str) -> ModuleType:
    """Import the module; raises UserError where it, or a package that it needs, is not there."""
    try:
        return importlib.import_module(target.module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if target.module == missing or target.module.startswith(f"{missing}."):
            unknown(spec)
        how = BASELINES if missing.split(".")[0] in EXTRA else "install it and try again"
        raise UserError(
            f"module {target.module} needs the package {missing!r}, which is not installed; {how}"
        ) from error


def device_named(name: str) -> torch.device:
    """The device for "auto" (CUDA where there is one, else CPU) or for a device's own name."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(
            f"expected a device of this machine (auto, cpu, cuda, cuda:N), found {name!r}: "
            f"{_one_line(error)}"
        ) from error


def accepts_lengths(function: Any) -> bool:
    """Whether an embedding function takes ragged batches: audio, model, lengths=(B,) samples."""
    return "lengths" in inspect.signature(function).parameters


def load_options(module: ModuleType, *, trust_remote_code: bool) -> dict[str, bool]:
    """What `load_model` is called with besides a checkpoint: nothing, unless the user asked.

    Raises UserError where the module's `load_model` does not take it.
    """
    if not trust_remote_code:
        return {}
    if "trust_remote_code" not in inspect.signature(module.load_model).parameters:
        raise UserError(
            "expected for --trust-remote-code a model whose load_model takes trust_remote_code, "
            f"as that of hf:org/name does, found {module.__name__}; leave the option out"
        )
    return {"trust_remote_code": True}


def embed_batch(
    encoder: Encoder,
    audio: np.ndarray | Tensor,
    lengths: np.ndarray | Tensor | None = None,
) -> np.ndarray:
    """Scene embeddings (B, D) float32 of audio (B, N) float32 at the encoder's sample rate.

    `lengths` (B,) counts the valid samples of each clip and is for ragged encoders only.
    Autocast is the caller's; finiteness is not looked at. Raises UserError where the module
    returns anything but a float32 tensor of (B, D).
    """
    batch = _on(encoder.device, audio, np.float32)
    options = {} if lengths is None else {"lengths": _on(encoder.device, lengths, np.int64)}
    # Not inference_mode: under it autocast casts all weights again for every batch.
    with torch.no_grad():
        output = encoder.module.get_scene_embeddings(batch, encoder.model, **options)
    if isinstance(output, Tensor) and torch.is_autocast_enabled(encoder.device.type):
        output = output.float()  # autocast's doing, not the module's
    fault = embedding_fault(output, (len(batch), encoder.embedding_size))
    if fault:
        raise UserError(
            f"get_scene_embeddings of {encoder.module.__name__} {fault}; "
            f"`python -m harness validate {encoder.spec}` says more"
        )
    return output.cpu().numpy()


def canary_clip(sample_rate: int) -> np.ndarray:
    """One second of a falling sweep, (samples,) float32, by which the canary knows an encoder.

    Clip and projections are closed formulae, no random numbers, so that they are the same
    everywhere.
    """
    time = np.arange(sample_rate) / sample_rate
    return (np.exp(-3 * time) * np.sin(2 * np.pi * (200 + 1500 * time) * time)).astype(np.float32)


def projections(numbers: np.ndarray) -> tuple[str, ...]:
    """Four projections of what an encoder gave: tells code that changed apart under equal weights.

    Three digits absorb the rounding of other machines.
    """
    flat = numbers.astype(np.float64).ravel()
    dimension = np.arange(1, len(flat) + 1)
    return tuple(f"{flat @ np.cos(k * dimension):.2e}" for k in range(1, 5))


def embedding_fault(output: Any, shape: tuple[int, ...]) -> str:
    """What is wrong with an embedding's kind, type or shape, in words; "" where nothing is."""
    if not isinstance(output, Tensor):
        return f"must return a tensor, found {type(output).__name__}"
    if output.dtype != torch.float32:
        return f"must return torch.float32, found {output.dtype}"
    if tuple(output.shape) != shape:
        return f"must return shape {shape}, found {tuple(output.shape)}"
    return ""


def _on(device: torch.device, values: np.ndarray | Tensor, dtype: Any) -> Tensor:
    if not isinstance(values, Tensor):
        # torch warns of arrays that it could write to by accident: read-only ones are copied.
        values = torch.from_numpy(np.require(values, dtype, ["C", "W"]))
    return values.to(device)


def _load_model(
    module: ModuleType, target: Target, spec: str, options: Mapping[str, bool]
) -> nn.Module:
    checkpoint = [target.checkpoint] if target.checkpoint else []
    try:
        model = module.load_model(*checkpoint, **options)
    except (ValueError, OSError, UserError) as error:
        raise UserError(f"cannot load model {spec}: {_one_line(error)}") from error
    if not isinstance(model, nn.Module):
        raise UserError(
            f"load_model of {target.module} must return a torch.nn.Module, "
            f"found {type(model).__name__}"
        )
    return model


def _require(owner: Any, names: tuple[str, ...], owner_name: str, kind: str) -> None:
    for name in names:
        if not hasattr(owner, name):
            raise UserError(
                f"{owner_name} has no {kind} {name}, which the HEAR API requires; "
                "add it or choose another model"
            )


def _positive(model: nn.Module, name: str, target: Target) -> int:
    value = getattr(model, name)
    if not isinstance(value, int) or value <= 0:
        raise UserError(
            f"{name} of the model of {target.module} must be a positive int, found {value!r}"
        )
    return value


def _canary(encoder: Encoder) -> tuple[str, ...]:
    with torch.autocast(encoder.device.type, enabled=False):
        return projections(embed_batch(encoder, canary_clip(encoder.sample_rate)[None]))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
