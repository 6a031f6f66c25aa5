"""What a run tells: a progress line, `train.log` to read, `log.jsonl` to plot from, trackers.

One record of `log.jsonl` is one line of JSON with `kind` and `step`: "train" every `log_every`
steps, "valid" and "probe" where the encoder is evaluated. Only the main process tells anything.
"""

from __future__ import annotations

import json
import logging
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

from dasheng.files import write_whole
from dasheng.train.config import TrainConfig
from tasks.errors import UserError

# A state is taken before its step is evaluated: evaluations of that step are done again.
_EVALUATIONS = {"valid", "probe"}


class Log(logging.Handler):
    """A context; also takes the warnings of all modules of this package while it is open."""

    def __init__(
        self, accelerator: Accelerator, run_folder: Path, config: TrainConfig, step: int = 0
    ) -> None:
        """`step`: done before. Nothing is written before `begin`.

        Raises:
            UserError: an unknown tracker.
        """
        super().__init__(logging.INFO)
        for name in config.trackers:
            if name not in LOGGER_TYPE_TO_CLASS:
                known = ", ".join(LOGGER_TYPE_TO_CLASS)
                raise UserError(f"expected trackers to be of {known}, found {name}")
        self.main = accelerator.is_main_process
        self._accelerator = accelerator
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._folder, self._config, self._step = run_folder, config, step
        self._held: list[str] | None = []  # lines of the text log, until it is there
        self._bar: Progress | None = None
        if self.main and sys.stderr.isatty():
            columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
            self._bar = Progress(*columns, console=self._console)
            self._task = self._bar.add_task("", total=config.total_steps, completed=step)

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

    def begin(self) -> None:
        """Start the files, once their folder is there, with the lines so far.

        Records beyond the steps done, of a process that was killed, are cut off.
        """
        self._start_trackers()
        if self.main:
            cut(self._folder / "log.jsonl", self._step)
            held, self._held = self._held or [], None
            self._append(self._config.logfile, "".join(held))

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
        self._append("log.jsonl", json.dumps({"kind": kind, "step": step, **values}) + "\n")
        self._accelerator.log({f"{kind}/{name}": x for name, x in values.items()}, step=step)
        line = f"step {step:,}/{self._config.total_steps:,}  {text}"
        if self._bar is not None and kind == "train":
            self._bar.update(self._task, completed=step, description=text)
            self._write(line)
        else:
            self.line(line)

    def emit(self, record: logging.LogRecord) -> None:
        """A warning of another module of this package."""
        self.line(f"{record.levelname.lower()}: {record.getMessage()}")

    def _write(self, text: str) -> None:
        line = f"[{datetime.now():%Y-%m-%d %H:%M:%S}] {text}\n"
        if self._held is None:
            self._append(self._config.logfile, line)
        else:
            self._held.append(line)

    def _append(self, name: str, text: str) -> None:
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def _start_trackers(self) -> None:
        there = [str(name) for name in get_available_trackers()]
        for name in self._config.trackers:
            if name not in there:
                self.line(f"tracker {name} is not installed; going on without it")
        self._accelerator.project_configuration.set_directories(str(self._folder))
        self._accelerator.log_with = [name for name in self._config.trackers if name in there]
        purged = {"tensorboard": {"purge_step": self._step + 1}} if self._step else {}
        self._accelerator.init_trackers("trackers", init_kwargs=purged)


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
    write_whole(file, "".join(kept).encode())
