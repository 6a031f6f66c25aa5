"""Progress of a run: bars on a terminal, a plain line now and then elsewhere."""

import threading
import time
import traceback
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from harness.errors import UserError
from harness.tables import cells

PLAIN_INTERVAL = 10.0  # s between two plain lines of one job


def mistake(task: str, error: Exception) -> str:
    """The line that says what is wrong with a task; it names the task once."""
    return f"error: {task}: {str(error).removeprefix(f'{task}: ')}"


class _Rate(ProgressColumn):
    """Seconds of audio (or bytes, or clips) per second of work."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f} {task.fields['unit']}/s", style="cyan")


class Display:
    """Shows a run to a person: implements what `harness.runner.run` reports to.

    Everything goes to standard error; standard output is left to the tables. Progress may
    be told from several threads at once.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            _Rate(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._lock = threading.Lock()
        self._jobs: dict[str, Any] = {}
        self._finished: set[str] = set()
        self._last: dict[str, float] = {}
        self._begun: dict[str, tuple[float, float]] = {}

    def __enter__(self) -> "Display":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def download(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of the file `name` are here."""
        self._show(f"download {name}", done / 1e6, total and total / 1e6, "MB")

    def expand(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of an archive are expanded to the tar `name`."""
        self._show(f"expand {name}", done / 1e6, total and total / 1e6, "MB")

    def prepare(self, task: str, done: int, total: int) -> None:
        """`done` of `total` clips of a task are measured."""
        self._show(f"prepare {task}", done, total, "clips")

    def verify(self, task: str, done: int, total: int) -> None:
        """`done` of `total` clips of a task are read again and compared."""
        self._show(f"verify {task}", done, total, "clips")

    def embed(self, task: str, done: float, total: float) -> None:
        """`done` of `total` seconds of a task's audio are embedded."""
        self._show(f"embed {task}", done, total, "audio-s", cached=", all there already")

    def fit(self, task: str, protocol: str, done: float, total: float) -> None:
        """A protocol has done `done` of `total` of its work, in percent."""
        self._show(f"fit {task} {protocol}", done, total, "%")

    def result(self, record: dict[str, Any]) -> None:
        """A record was written."""
        names = (record[part]["name"] for part in ("model", "task", "protocol"))
        self._line(f"{' '.join(names)}: {record['task']['metric']} {cells.told(record)}")
        collapsed = record["scores"]["collapsed"]
        if collapsed:
            self._line(f"warning: {collapsed} embeddings: they cannot tell clips apart")

    def failure(self, task: str, error: Exception) -> None:
        """A task failed; the run goes on."""
        if isinstance(error, UserError):
            self._line(mistake(task, error))
        else:
            self._line("".join(traceback.format_exception(error)).rstrip())

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)

    def _show(
        self, job: str, done: float, total: float | None, unit: str, cached: str = ""
    ) -> None:
        """Show how far a job is; `cached` is added to one that was done when it began."""
        finished = total is not None and done >= total
        with self._lock:
            if finished and job in self._finished:
                return
            if self._console.is_terminal:
                self._bar(job, done, total, unit)
            elif finished and job not in self._begun:
                self._line(f"{job}: {done:,.0f} {unit}{cached}")
            else:
                self._plain(job, done, total, unit, finished)
            if finished:
                self._finished.add(job)
            else:  # a download that starts over, from another address
                self._finished.discard(job)

    def _bar(self, job: str, done: float, total: float | None, unit: str) -> None:
        if job not in self._jobs:
            self._jobs[job] = self._bars.add_task(job, total=total, unit=unit)
        self._bars.update(self._jobs[job], completed=done, total=total)
        if total is not None and done >= total:
            # A data set may come in a hundred files: only what is under way keeps a bar.
            self._bars.remove_task(self._jobs.pop(job))
            self._line(f"{job}: {done:,.0f} {unit}")

    def _plain(self, job: str, done: float, total: float | None, unit: str, finished: bool) -> None:
        now = time.monotonic()
        began, before = self._begun.setdefault(job, (now, done))
        if finished or now - self._last.get(job, began) >= PLAIN_INTERVAL:
            self._last[job] = now
            rate = (done - before) / max(now - began, 1e-9)
            of = f" of {total:,.0f}" if total else ""
            left = (
                f", {(total - done) / rate:,.0f} s left" if total and rate and not finished else ""
            )
            self._line(f"{job}: {done:,.0f}{of} {unit}, {rate:,.0f} {unit}/s{left}")
