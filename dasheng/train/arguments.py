"""What a person types to train: a configuration, settings that override it, and --resume."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dasheng.train.config import explain
from tasks.errors import UserError

_USAGE = """\
Usage: python -m dasheng.train CONFIG [--SETTING VALUE ...] [--resume [PATH]]

Train an encoder as a masked autoencoder. CONFIG is a YAML file of settings, or the name of one
that the package has: dasheng_base, dasheng_06B, dasheng_12B, dasheng_tiny.

  --resume        go on from the newest state of this configuration's runs
  --resume PATH   go on from a run's folder, or from one of its states
  -h, --help      show this

Every setting can be given as --SETTING VALUE or --SETTING=VALUE; lists with commas, settings
within one with a dot: --optimizer_args.lr 1e-4 --eval_tasks esc10,fsdd --resampled false
"""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The parts of a command line."""

    config: str
    overrides: dict[str, str] = field(default_factory=dict)
    resume: bool = False
    resume_path: Path | None = None


def parse(words: Sequence[str]) -> Arguments:
    """Sort the words of a command line; a setting given twice has the last value.

    Raises:
        UserError: a value is missing, or there is not one configuration.
    """
    left = [*words]
    configs: list[str] = []
    overrides: dict[str, str] = {}
    resume, resume_path = False, None
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            configs.append(word)
        elif name == "--resume":
            resume = True
            if not equals and left and _is_path_to_resume(left[0]):
                value = left.pop(0)
            resume_path = Path(value) if value else None
        else:
            if not equals:
                if not left or left[0].startswith("--"):
                    raise UserError(f"expected {name} VALUE, found no value after {name}")
                value = left.pop(0)
            overrides[name.removeprefix("--").replace("-", "_")] = value
    if len(configs) != 1:
        found = " and ".join(configs) or "none"
        raise UserError(f"expected one configuration, found {found}; see --help")
    return Arguments(config=configs[0], overrides=overrides, resume=resume, resume_path=resume_path)


def _is_path_to_resume(word: str) -> bool:
    """Whether the word after --resume belongs to it, or is the configuration."""
    return not word.startswith("--") and Path(word).suffix not in (".yaml", ".yml")


def help_text() -> str:
    """The usage, and every setting with its type, default and explanation."""
    lines = [_USAGE, "Settings:"]
    for name, kind, default, note in explain():
        lines.append(f"  --{name}  {kind}, {default}")
        lines.append(textwrap.indent(note, " " * 6))
    return "\n".join(lines)
