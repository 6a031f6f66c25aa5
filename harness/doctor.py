"""What a person needs to know when something does not work: versions, devices, folders."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch

import tasks
from harness.cache import Cache
from harness.errors import UserError
from tasks.prepare import missing
from tasks.spec import Task

_REQUIRED = (
    *("torch", "torchaudio", "numpy", "scipy", "scikit-learn", "faiss-cpu"),
    *("pandas", "pyarrow", "soundfile", "soxr"),
)
_EXTRAS = {
    "transformers": "baselines",
    "accelerate": "train",
    "hearvalidator": "validator",
    "pytest": "dev",
}


def examine(data: Path, cache: Path) -> Iterator[tuple[str, str]]:
    """Yield (subject, finding), most basic first."""
    yield "python", f"{platform.python_version()} on {platform.platform()}"
    for package in ("dasheng", *_REQUIRED):
        yield package, _version(package)
    yield "cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    yield "cuda", _cuda()
    yield "data", _folder(data)
    for name in tasks.names():
        yield f"  {name}", _data_set(tasks.load(name), data, cache)
    yield "cache", _folder(cache)
    entries = list(Cache(cache).entries())
    yield "  embeddings", f"{len(entries)} entries, {sum(e.size for e in entries) / 1e6:,.1f} MB"
    for module, extra in _EXTRAS.items():
        found = importlib.util.find_spec(module) is not None
        yield f"extra [{extra}]", "there" if found else f"missing; pip install 'dasheng[{extra}]'"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f"missing; pip install {package}"


def _cuda() -> str:
    if not torch.cuda.is_available():
        return "none; the CPU is used"
    devices = range(torch.cuda.device_count())
    return ", ".join(
        f"cuda:{i} {torch.cuda.get_device_name(i)} "
        f"{torch.cuda.get_device_properties(i).total_memory / 1e9:.0f} GB"
        for i in devices
    )


def _data_set(task: Task, data: Path, cache: Path) -> str:
    try:
        offer = missing(task, data, index=Cache(cache).index)
    except UserError as error:
        return str(error)
    if offer is not None:
        return f"missing; would be put into {offer.folder}"
    made = task.synthetic and not (data / task.dataset).is_dir()
    return "made when first used" if made else "there"


def _folder(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} does not exist yet"
    free = shutil.disk_usage(folder).free / 1e9
    writable = "" if os.access(folder, os.W_OK) else ", read-only"
    return f"{folder.resolve()}, {free:,.0f} GB free{writable}"
