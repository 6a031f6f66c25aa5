"""The straight line: encoder → task → clips → embeddings → protocol → record → table."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from typing import Protocol as Interface

import tasks
from harness import record, results, splits
from harness.cache import Cache
from harness.embed import Embeddings, Settings, embed
from harness.encoder import Encoder, load
from harness.errors import UserError, storage_error
from harness.events import Events
from harness.files import require_writable
from harness.problem import Moments, Problem, Protocol
from harness.protocols import PROTOCOLS
from harness.tested import predictions
from tasks.download import fetch
from tasks.prepare import Index, prepare
from tasks.spec import Archive, Task
from tasks.transfer import Progress


class Download(Interface):
    """How a file is brought: `tasks.download.fetch`, or that with conditions."""

    def __call__(self, archive: Archive, folder: Path, *, progress: Progress) -> Path:
        """Return the verified path of `archive` in `folder`."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to measure and where things lie; without protocols, by those of each task."""

    model: str
    tasks: Sequence[str]
    protocols: Sequence[str] | None
    data: Path
    cache: Path
    results: Path
    device: str = "auto"
    seed: int = 0
    limit: int | None = None
    settings: Settings = field(default_factory=Settings)
    download: Download = fetch
    trust_remote_code: bool = False


class Display(Interface):
    """Whoever watches a run: the command line, or a test."""

    def download(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of the file `name` are here."""

    def expand(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of an archive are expanded to the tar `name`."""

    def prepare(self, task: str, done: int, total: int) -> None:
        """`done` of `total` clips of a task are measured."""

    def embed(self, task: str, done: float, total: float) -> None:
        """`done` of `total` seconds of a task's audio are embedded."""

    def fit(self, task: str, protocol: str, done: float, total: float) -> None:
        """A protocol has done `done` of `total` of its work."""

    def result(self, record: dict[str, Any]) -> None:
        """A record was written."""

    def failure(self, task: str, error: Exception) -> None:
        """A task failed; the run goes on."""


@dataclass(frozen=True)
class Summary:
    """What came of a run: its records, and the errors by task."""

    records: list[dict[str, Any]]
    failures: dict[str, Exception]


def run(plan: Plan, display: Display) -> Summary:
    """Measure one encoder on every task with every protocol.

    A task that fails is reported and the others go on. Records are written as they come.

    Raises:
        UserError: the plan names something that does not exist, or the encoder does not load.
        OSError: the folder for records is read-only.
    """
    chosen = check(plan)
    if not plan.data.is_dir():
        raise UserError(
            f"expected the data folder {plan.data} to exist, found none; create it or pass --data"
        )
    encoder = load(plan.model, plan.device, trust_remote_code=plan.trust_remote_code)
    if plan.settings.precision != "float32":  # another row of the table, never in place of this
        encoder = replace(encoder, name=f"{encoder.name}-{plan.settings.precision}")
    summary = Summary([], {})
    for task in chosen:
        with survived(task.name, summary.failures, display):
            for found in measure(encoder, task, plan, display):
                summary.records.append(found)
                display.result(found)
    return summary


@contextmanager
def survived(task: str, failures: dict[str, Exception], display: Display) -> Iterator[None]:
    """Note and report what goes wrong within: one task's fault must not cost the others."""
    try:
        yield
    except Exception as error:
        known = storage_error(error) if isinstance(error, OSError) else None
        failures[task] = known or error
        display.failure(task, known or error)


def check(plan: Plan) -> list[Task]:
    """Return the tasks of a plan that can be begun: before any question, download or model.

    Raises:
        UserError: a task or protocol does not exist, two tasks have one name, or a protocol
            cannot judge a task.
        OSError: the folder for records is read-only.
    """
    chosen = [tasks.load(name) for name in plan.tasks]
    names = [task.name for task in chosen]
    for name in names:
        if names.count(name) > 1:  # one's record would replace the other's
            raise UserError(
                f"expected tasks of different names, found {names.count(name)} called {name}; "
                "measure them one by one with another --results, or rename one in its metadata"
            )
    for name in plan.protocols or ():
        if name not in PROTOCOLS:
            raise UserError(f"expected a protocol of {', '.join(PROTOCOLS)}, found {name!r}")
    for task in chosen:
        for protocol in protocols(plan, task):
            if task.timestamps and not protocol.timestamps:
                able = ", ".join(name for name, each in PROTOCOLS.items() if each.timestamps)
                raise UserError(
                    f"{task.name} is judged by its events, which protocol {protocol.name} cannot "
                    f"do; expected --protocols of {able}"
                )
    require_writable(plan.results)
    return chosen


def protocols(plan: Plan, task: Task) -> list[Protocol]:
    """Return the protocols that a task is to be judged by."""
    return [PROTOCOLS[name] for name in plan.protocols or task.protocols]


def measure(encoder: Encoder, task: Task, plan: Plan, display: Display) -> Iterator[dict[str, Any]]:
    """Measure one encoder on one task; yields a record per protocol, already written."""
    task = task.at(encoder.sample_rate)
    _protect_whole_records(encoder, task, plan)
    start = time.perf_counter()
    clips = prepared(task, plan.data, plan.cache, display, plan.download)
    if plan.limit is not None:
        clips = clips.limited(plan.limit)
    prepare_seconds = time.perf_counter() - start

    embeddings = embed(
        clips, encoder, Cache(plan.cache), plan.settings, partial(display.embed, task.name)
    )
    problem = pose(clips, embeddings, plan, str(encoder.device))
    for protocol in protocols(plan, task):
        problem = replace(problem, progress=partial(display.fit, task.name, protocol.name))
        start = time.perf_counter()
        outcome = protocol.solve(problem)
        found = record.build(
            encoder,
            clips,
            embeddings,
            problem,
            protocol,
            outcome,
            record.Run(
                seed=plan.seed,
                precision=plan.settings.precision,
                limit=plan.limit,
                prepare_seconds=prepare_seconds,
                fit_seconds=time.perf_counter() - start,
            ),
        )
        tested = predictions(clips, embeddings, problem, outcome)
        yield results.read(results.write(found, tested, plan.results))


def prepared(task: Task, data: Path, cache: Path, display: Display, download: Download) -> Index:
    """The index of a task, whose data are brought to the folder `data` if they are not there."""
    return prepare(
        task,
        data,
        index=Cache(cache).index,
        fetch=partial(download, progress=display.download),
        progress=display.prepare,
        expanding=display.expand,
    )


def pose(clips: Index, embeddings: Embeddings, plan: Plan, device: str) -> Problem:
    """What a protocol is asked: the clips that could be embedded, their labels and folds."""
    kept = replace(clips, clips=clips.clips.iloc[embeddings.kept].reset_index(drop=True))
    return Problem(
        embeddings=embeddings.values,
        targets=kept.targets(),
        folds=splits.folds(kept),
        classes=len(clips.classes),
        metric=clips.task.metric,
        device=device,
        seed=plan.seed,
        moments=_moments(kept, embeddings) if clips.task.timestamps else None,
        evaluation=clips.task.evaluation,
    )


def _moments(kept: Index, embeddings: Embeddings) -> Moments:
    label = {name: number for number, name in enumerate(kept.classes)}
    events = [
        [(label[event.label], event.start, event.end) for event in clip]
        for clip in kept.clips["events"]
    ]
    return Moments(embeddings.offsets, embeddings.times, Events.of(events))


def _protect_whole_records(encoder: Encoder, task: Task, plan: Plan) -> None:
    """A --limit run must not replace a record of the whole task."""
    if plan.limit is None:
        return
    for protocol in protocols(plan, task):
        file = results.path(plan.results, encoder.name, task.name, protocol.name)
        if file.exists() and results.read(file)["n"]["limit"] is None:
            raise UserError(
                f"{file} holds a record of the whole task, which --limit {plan.limit} would "
                "replace; pass another --results"
            )
