"""What an embedding came from: the weights, and the code and configuration that are not our own.

Names of files and classes do not tell. The code of `dasheng` and `harness` is told by the canary
and the version of the pipeline; that of others changes between two runs without a word, as does
the configuration that lies beside some weights: they are hashed, so that neither the cache nor a
name takes new for old.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

OWN = ("dasheng", "harness")  # packages


def of_weights(state: Mapping[str, Any]) -> str:
    """SHA-256 over the entries in order of their names: name, dtype, shape and bytes of each.

    Streams tensor by tensor, so it costs no memory on the CPU. What is not a tensor
    (`get_extra_state`) counts by its name only; the canary sees what it does.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(f"{name}\n".encode())
        value = state[name]
        if isinstance(value, Tensor):
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(f"{value.dtype} {tuple(value.shape)}\n".encode())
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def of_code(module: ModuleType, model: Any) -> str:
    """SHA-256 of the files, not ours, that a HEAR module and its model are made by; "" for none.

    Of a module in a package these are all Python files of its folder and those below; and
    whatever the model names in `sources`: a file that was executed, a configuration.
    """
    own = [] if module.__name__.split(".")[0] in OWN else _files(module)
    digest = hashlib.sha256()
    # By the names they have here: the hub's cache has links to others.
    files = sorted({path.absolute() for path in (*own, *getattr(model, "sources", ()))})
    for path in files:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest() if files else ""


def joined(weights_sha256: str, code_sha256: str) -> str:
    """One digest of both: the weights' own where the code is ours."""
    if not code_sha256:
        return weights_sha256
    return hashlib.sha256(f"{weights_sha256} {code_sha256}".encode()).hexdigest()


def _files(module: ModuleType) -> list[Path]:
    if not getattr(module, "__file__", None):
        return []
    file = Path(str(module.__file__))
    if file.suffix != ".py":
        return [file]
    return [*file.parent.rglob("*.py")] if module.__package__ else [file]
