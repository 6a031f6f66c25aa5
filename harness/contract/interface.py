"""Checks of what a HEAR module must have, and of what it leaves behind in the process."""

from collections.abc import Callable

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from harness.contract.check import Check
from harness.contract.session import Session

SAMPLE_RATES = (16000, 22050, 44100, 48000)  # of the HEAR API, in Hz


def _import(session: Session) -> str:
    session.import_module()
    return ""


def _load(session: Session) -> str:
    session.load()
    return ""


def _is_module(session: Session) -> str:
    if isinstance(session.model, nn.Module):
        return ""
    return f"load_model must return a torch.nn.Module, found {type(session.model).__name__}"


def _sample_rate(session: Session) -> str:
    if not hasattr(session.model, "sample_rate"):
        return "the model has no attribute sample_rate"
    rate = session.model.sample_rate
    if isinstance(rate, int) and rate in SAMPLE_RATES:
        return ""
    return f"sample_rate must be one of {', '.join(map(str, SAMPLE_RATES))}, found {rate!r}"


def _has_function(name: str) -> Callable[[Session], str]:
    def find(session: Session) -> str:
        found = getattr(session.module, name, None)
        return "" if callable(found) else f"the module has no function {name}"

    return find


def _embedding_size(name: str) -> Callable[[Session], str]:
    def find(session: Session) -> str:
        if not hasattr(session.model, name):
            return f"the model has no attribute {name}"
        size = getattr(session.model, name)
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            return ""
        return f"{name} must be a positive int, found {size!r}"

    return find


def _evaluation_mode(session: Session) -> str:
    left_on = [
        f"{name or 'the model'} ({type(layer).__name__})"
        for name, layer in session.model.named_modules()
        if layer.training and _differs_in_training(layer)
    ]
    return f"still in training mode: {', '.join(left_on[:3])}" if left_on else ""


def _differs_in_training(layer: nn.Module) -> bool:
    if isinstance(layer, _DropoutNd):
        return layer.p > 0
    # Attention and recurrent layers keep their dropout as a number, timm's DropPath its own.
    return isinstance(layer, _BatchNorm) or any(
        isinstance(rate, float) and rate > 0
        for rate in (getattr(layer, "dropout", 0), getattr(layer, "drop_prob", 0))
    )


def _weights_kept(session: Session) -> str:
    changed = session.changed_weights()
    return f"embedding writes to {', '.join(changed[:3])}" if changed else ""


def _random_state_kept(session: Session) -> str:
    return "; ".join(dict.fromkeys(session.reseeded))


def _settings_kept(session: Session) -> str:
    return "; ".join(dict.fromkeys(session.changed))


_MODEL = ("model-is-nn-module",)

INTERFACE = (
    Check("import", _import, "make the module importable"),
    Check(
        "load-model-exists",
        _has_function("load_model"),
        "define load_model(model_file_path='')",
        needs=("import",),
    ),
    Check(
        "load-model-runs",
        _load,
        "make load_model work with this checkpoint",
        needs=("load-model-exists",),
    ),
    Check("model-is-nn-module", _is_module, "return the model itself", needs=("load-model-runs",)),
    Check("sample-rate", _sample_rate, "set model.sample_rate", needs=_MODEL),
    *(
        Check(
            f"{kind}-embedding-size",
            _embedding_size(f"{kind}_embedding_size"),
            f"set model.{kind}_embedding_size to the last dimension of the embeddings",
            needs=_MODEL,
        )
        for kind in ("scene", "timestamp")
    ),
    *(
        Check(
            f"{kind}-function-exists",
            _has_function(f"get_{kind}_embeddings"),
            f"define get_{kind}_embeddings(audio, model)",
            needs=("import",),
        )
        for kind in ("scene", "timestamp")
    ),
)

AFTERMATH = (
    Check(
        "evaluation-mode",
        _evaluation_mode,
        "dropout left on makes embeddings random: call model.eval() in load_model",
        needs=_MODEL,
    ),
    Check(
        "weights-kept",
        _weights_kept,
        "an embedding must not change the next one: call model.eval(), keep no running state",
        needs=_MODEL,
    ),
    Check(
        "random-state-kept",
        _random_state_kept,
        "a global seed reset makes the caller's random numbers repeat: "
        "use a torch.Generator of your own, or torch.random.fork_rng",
        needs=("load-model-runs",),
    ),
    Check(
        "torch-settings-kept",
        _settings_kept,
        "set what you need in a context that ends with the call (torch.no_grad() does)",
        needs=("load-model-runs",),
    ),
)
