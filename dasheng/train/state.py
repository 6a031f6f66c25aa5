"""Complete states of a run: all that it takes to go on as if it had never been stopped.

A state is a folder, written under a hidden name and renamed when it is complete, so that a process
killed at any time leaves the state before it. The manifest says at which step it was taken, with
which configuration, and where each process was in its data. Random numbers need no state: those of
a step follow from the seed and its number.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import gather_object
from safetensors import SafetensorError

from dasheng.train.config import TrainConfig
from tasks.errors import UserError

_MANIFEST = "state.json"
_KEPT = 2

# Settings with which a run may go on changed. The others would change what the steps so far meant,
# or which samples come next.
CHANGEABLE = frozenset(
    {
        *("config_file", "outputpath", "logfile", "epochs", "optimizer_args.lr", "max_grad_norm"),
        *("max_bad", "valid_every", "n_saved", "score_function", "average_final_model"),
        *("compile", "activation_checkpointing", "state_every", "log_every", "trackers"),
        *("eval_tasks", "eval_every", "eval_protocols", "eval_data"),
    }
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = (
    "no space left",
    "quota exceeded",
    "file too large",
    "failed writing",
    "unexpected pos",
)


def save(accelerator: Accelerator, run_folder: Path, progress: Mapping[str, Any]) -> Path:
    """Write the state of all processes at `progress["step"]`; keep the newest two.

    Args:
        accelerator: what prepared the model and the optimiser.
        run_folder: gets `states/step_<step>`.
        progress: JSON-able; goes into the manifest.

    Raises:
        UserError: the disk is full, on any process; the states before are as they were.
    """
    step = progress["step"]
    states = run_folder / "states"
    folder, unfinished = states / f"step_{step:08d}", states / f".step_{step:08d}.tmp"
    if accelerator.is_main_process:
        states.mkdir(exist_ok=True)
        for rest in states.glob(".step_*"):
            shutil.rmtree(rest)
        unfinished.mkdir()
    accelerator.wait_for_everyone()
    failure = ""
    try:
        with storage_errors(f"the state of step {step}"):
            # Not as safetensors, which cannot load a buffer that is a view: the front end's window.
            accelerator.save_state(str(unfinished), safe_serialization=False)
            if accelerator.is_main_process:
                (unfinished / _MANIFEST).write_text(json.dumps(progress, indent=1) + "\n")
    except UserError as error:
        failure = str(error)
    failures = [told for told in gather_object([failure]) if told]
    if accelerator.is_main_process:
        if failures:
            shutil.rmtree(unfinished, ignore_errors=True)
        else:
            _remove(folder)
            unfinished.rename(folder)
            _prune(states, step)
    accelerator.wait_for_everyone()
    if failures:
        raise UserError(failures[0])
    return folder


def latest(run_folder: Path) -> Path | None:
    """The newest complete state of a run, None where there is none."""
    found = sorted(manifest.parent for manifest in run_folder.glob(f"states/step_*/{_MANIFEST}"))
    return found[-1] if found else None


def find(resume: Path) -> Path:
    """The state to go on from: the one named, or the newest of the run folder named.

    Raises:
        UserError: there is no complete state.
    """
    if (resume / _MANIFEST).is_file():
        return resume
    state = latest(resume)
    if state is None:
        raise UserError(f"expected a run with a complete state to resume at {resume}, found none")
    return state


def progress_of(state: Path) -> dict[str, Any]:
    """What `save` was told."""
    return json.loads((state / _MANIFEST).read_bytes())


def load(accelerator: Accelerator, state: Path) -> None:
    """Put a state into the model and the optimiser that the accelerator prepared.

    Raises:
        UserError: a file of it is missing or damaged.
    """
    try:
        accelerator.load_state(str(state))
    except (OSError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
        told = " ".join(str(error).split())
        raise UserError(
            f"{state}: expected a complete state, could not load it ({told:.200}); "
            "resume from another state of the run"
        ) from error


def check(progress: Mapping[str, Any], config: TrainConfig, processes: int) -> None:
    """Refuse to go on with another configuration where that would not continue the run.

    Raises:
        UserError: names the setting.
    """
    before, now = _flat(progress["config"]), _flat(settings(config))
    for name in sorted(before.keys() | now.keys()):
        if name not in CHANGEABLE and before.get(name) != now.get(name):
            raise UserError(
                f"resume: expected {name} to be {before.get(name)} as in the run so far, "
                f"found {now.get(name)}; keep it, or begin a new run (start_from takes an encoder)"
            )
    if progress["processes"] != processes:
        raise UserError(
            f"resume: expected {progress['processes']} processes as in the run so far, "
            f"found {processes}; each has its own place in the data"
        )


def settings(config: TrainConfig) -> dict[str, Any]:
    """A configuration as JSON gives it back."""
    return json.loads(json.dumps(asdict(config)))


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Make a full disk a mistake that the user can mend; PyTorch tells of it in several ways.

    Raises:
        UserError: `what` could not be written.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        told = " ".join(str(error).split())
        known = isinstance(error, OSError) and error.errno in _FULL
        if not known and not any(words in told.lower() for words in _FULL_WORDS):
            raise
        raise UserError(
            f"expected room for {what}, the disk is full ({told:.120}); "
            "make room and go on with --resume: the states before are complete"
        ) from error


def _flat(parts: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} → {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for name, value in parts.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{within}{name}.")
        else:
            flat[within + name] = value
    return flat


def _prune(states: Path, step: int) -> None:
    """Keep the newest; states beyond `step` are of a future that was given up."""
    steps = {folder: int(folder.name.removeprefix("step_")) for folder in states.glob("step_*")}
    past = sorted((folder for folder in steps if steps[folder] <= step), key=steps.__getitem__)
    for folder in steps.keys() - set(past[-_KEPT:]):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Under a hidden name first, so that a state is never seen in parts."""
    if folder.exists():
        shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}.old")))
