"""What a run tells: a progress line, `train.log` to read, `log.jsonl` to plot from, trackers.

One record of `log.jsonl` is one line of JSON with `kind` and `step`: "train" every `log_every`
steps, "valid" and "probe" where the encoder is evaluated. Only the main process tells anything.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from dasheng.train.config import TrainConfig
from tasks.errors import UserError

# A state is taken before its step is evaluated: evaluations of that step are done again.
_EVALUATIONS = {"valid", "probe"}


class Log(logging.Handler):
    """A context; also takes the warnings of all modules of this package while it is open."""

    def __init__(
        self, accelerator: Accelerator, run_folder: Path, config: TrainConfig, step: int = 0
    ) -> None:
        """`step`: done before; records beyond it, of a process that was killed, are cut off."""
        super().__init__(logging.INFO)
        self.main = accelerator.is_main_process
        self._accelerator = accelerator
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._total = config.total_steps
        self._bar: Progress | None = None
        if self.main:
            self._records = run_folder / "log.jsonl"
            cut(self._records, step)
            self._text = run_folder / config.logfile
        self._start_trackers(run_folder, config, step)
        if self.main and sys.stderr.isatty():
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task("", total=self._total, completed=step)

    def __enter__(self) -> Log:
        logging.getLogger("dasheng").addHandler(self)
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger("dasheng").removeHandler(self)
        if self._bar is not None:
            self._bar.stop()
        for tracker in self._accelerator.trackers:
            tracker.finish()

    def line(self, text: str) -> None:
        """A line for people, on standard error and in the text log."""
        if not self.main:
            return
        self._console.print(text, markup=False)
        self._write(text)

    def record(self, kind: str, step: int, values: Mapping[str, Any], text: str) -> None:
        """Numbers for the JSONL log and the trackers, and a line that says them."""
        if not self.main:
            return
        record = json.dumps({"kind": kind, "step": step, **values})
        with self._records.open("a", encoding="utf-8") as file:
            file.write(record + "\n")
        self._accelerator.log({f"{kind}/{name}": x for name, x in values.items()}, step=step)
        if self._bar is not None and kind == "train":
            self._bar.update(self._task, completed=step, description=text)
            self._write(text)
        else:
            self.line(f"step {step:,}/{self._total:,}  {text}")

    def emit(self, record: logging.LogRecord) -> None:
        """A warning of another module of this package."""
        self.line(f"{record.levelname.lower()}: {record.getMessage()}")

    def _write(self, text: str) -> None:
        with self._text.open("a", encoding="utf-8") as file:
            file.write(f"[{datetime.now():%Y-%m-%d %H:%M:%S}] {text}\n")

    def _start_trackers(self, run_folder: Path, config: TrainConfig, step: int) -> None:
        there = [str(name) for name in get_available_trackers()]
        for name in config.trackers:
            if name not in LOGGER_TYPE_TO_CLASS:
                known = ", ".join(LOGGER_TYPE_TO_CLASS)
                raise UserError(f"expected trackers to be of {known}, found {name}")
            if name not in there:
                self.line(f"tracker {name} is not installed; going on without it")
        self._accelerator.project_configuration.set_directories(str(run_folder))
        self._accelerator.log_with = [name for name in config.trackers if name in there]
        self._accelerator.init_trackers(
            "trackers", init_kwargs={"tensorboard": {"purge_step": step + 1}} if step else {}
        )


def cut(file: Path, step: int) -> None:
    """Take out of a JSONL log what came after the state of a step, and a line that broke off."""
    if not file.exists():
        return
    kept = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record["step"] < step or (record["step"] == step and record["kind"] not in _EVALUATIONS):
            kept.append(line + "\n")
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text("".join(kept), encoding="utf-8")
    temporary.replace(file)
