"""What the command line does: read the configuration, find what to resume, train."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

import click

from dasheng.train.arguments import Arguments, help_text, parse
from dasheng.train.config import TrainConfig, read
from tasks.errors import UserError


def run(words: Sequence[str]) -> None:
    """Train as the words of a command line say.

    Raises:
        UserError: a mistake in them, in the configuration or in what it names.
    """
    if {"-h", "--help"} & {*words}:
        click.echo(help_text())
        return
    arguments = parse(words)
    config = read(arguments.config, arguments.overrides)
    # Loaded when the configuration holds: what is wrong with one is said at once.
    importlib.import_module("dasheng.train.loop").train(config, resume=_resumed(arguments, config))


def _resumed(arguments: Arguments, config: TrainConfig) -> Path | None:
    """The folder to go on from: of a run or of a state; None to start anew."""
    if not arguments.resume:
        return None
    if (path := arguments.resume_path) is not None:
        if not path.is_dir():
            raise UserError(f"expected a run's or a state's folder at {path}, found none")
        return path
    latest = importlib.import_module("dasheng.train.state").latest
    states = [found for run in config.runs.glob("*/") if (found := latest(run))]
    if not states:
        raise UserError(
            f"expected a state to resume in {config.runs}, found none; "
            "leave --resume out to start anew"
        )
    return max(states, key=lambda state: state.stat().st_mtime)
