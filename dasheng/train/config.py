"""`TrainConfig`: every setting of a training run, and how it is read from YAML and command line.

Names and defaults down to `average_final_model` are the published trainer's, so that its files are
read as they are; the rest is ours.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from dasheng.train import values, yaml_text
from tasks.errors import UserError

# The configurations that the package brings.
FOLDER = Path(__file__).parent / "config"


def about(note: str, **bounds: float) -> dict[str, Any]:
    """A field's explanation and the bounds of its value: `least`, `above`, `most`, `below`."""
    return {"note": note, "bounds": bounds}


def setting(default: Any = MISSING, *, note: str, **bounds: float) -> Any:
    """A field with its explanation and the bounds of its value."""
    return field(default=default, metadata=about(note, **bounds))


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The settings of one training run; `read` makes it.

    Raises:
        UserError: a value that cannot be: names the setting.
    """

    train_data: tuple[str, ...] = setting(note="shards to train on, with braces: a_{000..190}.tar")
    cv_data: tuple[str, ...] = setting((), note="shards to validate on; none: no validation")
    config_file: str = setting("", note="the file that was read; set by reading it")
    outputpath: str = setting("experiments", note="folder of all runs")
    logfile: str = setting("train.log", note="name of the log in the run's folder")
    seed: int = setting(42, note="of everything random", least=0)

    model: str = setting("dasheng_base", note="dasheng_base, _06B, _12B or _tiny")
    model_args: dict[str, Any] = field(
        default_factory=dict,
        metadata=about("settings of the encoder; group_masking (true: 2 tokens); decoder"),
    )
    mask_ratio: float = setting(0.75, note="part of the tokens to remove", above=0, below=1)
    start_from: str | None = setting(None, note="checkpoint whose encoder is the start")

    optimizer: str = setting("AdamW8bit", note="a name of torch.optim or bitsandbytes.optim")
    optimizer_args: dict[str, Any] = field(
        default_factory=lambda: {"lr": 3e-4, "weight_decay": 0.01},
        metadata=about("its arguments; lr is the highest learning rate"),
    )
    epochs: int = setting(100, note="epochs", least=1)
    epoch_length: int = setting(15000, note="optimiser steps of an epoch", least=1)
    use_scheduler: bool = setting(True, note="change the learning rate: warm-up, then cosine")
    decay_frac: float = setting(0.01, note="last learning rate as part of lr", least=0, most=1)
    warmup_epochs: int | None = setting(None, note="epochs of linear warm-up", least=0)
    warmup_iters: int | None = setting(None, note="the same in steps; wins", least=0)
    gradient_accumulation_steps: int = setting(1, note="batches to a step", least=1)
    max_grad_norm: float | None = setting(None, note="clip the gradient's norm to it", above=0)

    batch_size: int = setting(32, note="crops in a batch, per process", least=1)
    num_workers: int = setting(4, note="processes that read data; 0: none besides", least=0)
    resampled: bool = setting(True, note="draw shards with replacement, else pass after pass")
    crop_shuffle: int = setting(512, note="crops held back to be shuffled", least=1)
    chunk_length: float = setting(10.0, note="seconds of a crop", above=0)
    sample_rate: int = setting(16000, note="Hz; audio is resampled to it", least=16000, most=16000)
    augment: dict[str, Any] = field(
        default_factory=dict, metadata=about("settings of the augmentation")
    )
    max_bad: float = setting(0.1, note="part of the files that may be unreadable", least=0, most=1)

    valid_every: int = setting(1, note="epochs between validations", least=1)
    n_saved: int = setting(4, note="best checkpoints to keep", least=1)
    score_function: tuple[str, float] = setting(("Loss", -1.0), note="only [Loss, -1.0] is known")
    average_final_model: bool = setting(True, note="average the best checkpoints at the end")

    compile: bool | None = setting(None, note="torch.compile; null: on CUDA")
    activation_checkpointing: bool | None = setting(
        None, note="recompute activations to save memory; null: for 0.6B and 1.2B"
    )
    state_every: int = setting(1000, note="steps between states to resume from", least=1)
    log_every: int = setting(50, note="steps between lines of the log", least=1)
    trackers: tuple[str, ...] = setting(("tensorboard",), note="trackers of Accelerate")
    eval_tasks: tuple[str, ...] = setting((), note="tasks of the harness to try the encoder on")
    eval_every: int = setting(0, note="steps between these evaluations; 0: an epoch", least=0)
    eval_protocols: tuple[str, ...] = setting(("knn",), note="protocols of these evaluations")
    eval_data: str | None = setting(None, note="folder of their data: the harness's --data")

    def __post_init__(self) -> None:
        for known in fields(self):
            _check_bounds(known.name, getattr(self, known.name), known.metadata["bounds"])
        if not self.train_data:
            raise UserError("expected train_data to name shards, found none; add yours")
        if self.score_function != ("Loss", -1.0):
            raise UserError(
                f"expected score_function to be [Loss, -1.0], found {[*self.score_function]}; "
                "the best checkpoint is the one with the lowest validation loss"
            )
        _check_bounds("model_args.group_masking", self.group, {"least": 1})
        _check_bounds("optimizer_args.lr", self.lr, {"above": 0})

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole run."""
        return self.epochs * self.epoch_length

    @property
    def warmup_steps(self) -> int:
        """Optimiser steps of the warm-up; 0 for none."""
        if self.warmup_iters is not None:
            return self.warmup_iters
        return self.epoch_length * (self.warmup_epochs or 0)

    @property
    def lr(self) -> float:
        """The highest learning rate."""
        return values.value_of(self.optimizer_args.get("lr"), float, "optimizer_args.lr")

    @property
    def crop_samples(self) -> int:
        """Samples of a crop."""
        return int(self.chunk_length * self.sample_rate)

    @property
    def group(self) -> int:
        """Neighbouring tokens that are masked together: 2 where `group_masking` is true."""
        chosen = self.model_args.get("group_masking", False)
        chosen = values.value_of(chosen, bool | int, "model_args.group_masking")
        return {True: 2, False: 1}[chosen] if isinstance(chosen, bool) else chosen

    @property
    def runs(self) -> Path:
        """The folder of all runs of this configuration and model."""
        return Path(self.outputpath) / Path(self.config_file).stem / self.model

    def as_yaml(self) -> str:
        """All settings, as `read` reads them."""
        return yaml_text.dump(asdict(self))


def read(file: str | Path, overrides: Mapping[str, str] | None = None) -> TrainConfig:
    """The settings in a YAML file; a name without a folder may be one that the package brings.

    Args:
        file: holds fields of `TrainConfig` by name.
        overrides: what a person typed, by name, and by dotted name for a setting within one:
            {"batch_size": "64", "optimizer_args.lr": "1e-4"}.

    Raises:
        UserError: no such file, no YAML, or a setting that is unknown, missing, of the wrong type
            or impossible: names it.
    """
    found = _find(Path(file))
    try:
        settings = yaml_text.load(found.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{found}: expected YAML, could not read it ({error})") from None
    if not isinstance(settings, dict):
        raise UserError(f"{found}: expected settings by name, found {type(settings).__name__}")
    for name, text in (overrides or {}).items():
        _override(settings, name, text)
    settings["config_file"] = str(found)
    return values.build(TrainConfig, settings)


def explain() -> list[tuple[str, str, str, str]]:
    """(name, type, default, explanation) of every setting, for the help."""
    hints = get_type_hints(TrainConfig)
    return [
        (known.name, values.describe(hints[known.name]), _shown(known), known.metadata["note"])
        for known in fields(TrainConfig)
        if known.name != "config_file"
    ]


_BOUNDS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "least": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "most": ("at most", operator.le),
    "below": ("below", operator.lt),
}


def _check_bounds(name: str, value: float | None, bounds: Mapping[str, float]) -> None:
    if value is None or all(_BOUNDS[kind][1](value, bound) for kind, bound in bounds.items()):
        return
    wanted = " and ".join(f"{_BOUNDS[kind][0]} {bound}" for kind, bound in bounds.items())
    raise UserError(f"expected {name} to be {wanted}, found {value}")


def _shown(known: Field[Any]) -> str:
    default = _default(known)
    return "required" if default is MISSING else json.dumps(default)


def _default(known: Field[Any]) -> Any:
    return known.default if known.default_factory is MISSING else known.default_factory()


def _find(file: Path) -> Path:
    if file.is_file():
        return file
    brought = FOLDER / f"{file.stem}.yaml"
    if file.parent == Path() and brought.is_file():
        return brought
    names = ", ".join(sorted(known.stem for known in FOLDER.glob("*.yaml")))
    raise UserError(f"expected a configuration at {file}, found no file; the package has {names}")


def _override(settings: dict[str, Any], name: str, text: str) -> None:
    """Put a typed value into the settings; a dotted name goes into a setting that has parts."""
    hints = get_type_hints(TrainConfig)
    del hints["config_file"]
    first, *path = name.split(".")
    if first not in hints:
        raise values.unknown(first, hints)
    if get_origin(hints[first]) is not dict:
        if path:
            raise UserError(f"expected --{first} VALUE, found --{name}: {first} has no parts")
        settings[first] = values.typed(text, hints[first], first)
        return
    try:
        value = yaml_text.load(text)
    except ValueError as error:
        raise UserError(f"expected --{name} to be a YAML value, found {text!r} ({error})") from None
    known = {known.name: _default(known) for known in fields(TrainConfig)}
    settings[first] = _put(settings.get(first, known[first]), path, value, first)


def _put(parts: Any, path: list[str], value: Any, name: str) -> Any:
    """The parts of a setting, one of them changed; what was given stays as it is."""
    if not path:
        return value
    parts = values.value_of(parts, dict, name)
    inner = f"{name}.{path[0]}"
    return {**parts, path[0]: _put(parts.get(path[0]), path[1:], value, inner)}
