"""A suite's scores by domain: the averages, then task by task, then all tasks in one row."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from harness.suites import Columns, Suite
from harness.tables import cells, comparison
from harness.tables.comparison import Behind, Scores
from harness.tables.domains import Record, average
from harness.tables.published import Published
from harness.tables.table import Cell, Column, Table

_AVERAGES = (
    "A domain's score is the plain mean of its tasks' scores, and stands only where each of them "
    "is measured, whole and defined."
)


def parts(
    suite: Suite, published: Sequence[Published], records: Sequence[Record], *, intervals: bool
) -> Iterator[Table | str]:
    """The tables of one protocol's records on tasks of the suite, with remarks."""
    protocol = suite.protocols[0]
    domains = comparison.joined(protocol, (table for table in published if table.averages))
    tasks = comparison.joined(protocol, (table for table in published if not table.averages))
    if records or domains.rows:
        yield from _averages(suite, domains, records)
    yield from _by_task(suite, tasks, records, Behind(spread=True, intervals=intervals))
    yield from _in_one_row(suite, records)


def task(name: str, tasks: Sequence[str], records: Sequence[Record]) -> Scores:
    """The column of a task's scores; of several tasks, their mean."""
    here = _on(records, tasks)
    return Scores(cells.column(name, here), partial(_score, tuple(tasks)), cells.floor(here))


def _score(tasks: tuple[str, ...], found: Mapping[str, Record]) -> Cell:
    if len(tasks) > 1:
        return cells.mean(average(found, {task: (task,) for task in tasks}))
    return cells.score(found[tasks[0]]) if tasks[0] in found else cells.MISSING


def _averages(
    suite: Suite, published: Published, records: Sequence[Record]
) -> Iterator[Table | str]:
    domains = {name: suite.columns(tasks) for name, tasks in suite.domains.items()}
    columns = [
        _mean(Column(head=f"{name} ({len(tasks)} tasks)", name=name), tasks)
        for name, tasks in domains.items()
    ]
    yield from comparison.table("averages by domain", columns, records, published, Behind())
    yield from _lacking(domains, records)
    yield _AVERAGES
    yield from suite.notes
    yield from comparison.remarks(published)


def _mean(column: Column, columns: Columns) -> Scores:
    return Scores(column, lambda found: cells.mean(average(found, columns)))


def _lacking(domains: Mapping[str, Columns], records: Sequence[Record]) -> Iterator[str]:
    """What keeps the averages that were begun from being whole."""
    lacks = []
    for model, found in cells.by_model(records).items():
        for name, columns in domains.items():
            if (mean := average(found, columns)).begun and mean.lacking:
                reasons = [f"{column} ({reason})" for column, reason in mean.lacking.items()]
                lacks.append(f"{model}, {name}: {', '.join(reasons)}")
    if lacks:
        yield f"Not whole: {'; '.join(lacks)}."


def _by_task(
    suite: Suite, published: Published, records: Sequence[Record], behind: Behind
) -> Iterator[Table | str]:
    """A table of each domain that anything was measured or published of."""
    grouped = {task for tasks in suite.domains.values() for task in tasks}
    rest = tuple(task for task in suite.tasks if task not in grouped)
    for domain, tasks in {**suite.domains, "in no domain": rest}.items():
        here = _on(records, tasks)
        columns = [task(name, parts, here) for name, parts in suite.columns(tasks).items()]
        caption = f"{domain}, task by task"
        yield from comparison.table(caption, columns, here, published, behind)
    yield from comparison.remarks(published)


def _in_one_row(suite: Suite, records: Sequence[Record]) -> Iterator[Table | str]:
    """Every task, and the mean over all."""
    columns = suite.columns(suite.tasks)
    scores = [
        *(task(name, tasks, records) for name, tasks in columns.items()),
        _mean(Column(head="mean"), columns),
    ]
    nobody = comparison.joined(suite.protocols[0], [])
    yield from comparison.table(f"all {len(columns)} in one row", scores, records, nobody, Behind())


def _on(records: Sequence[Record], tasks: Sequence[str]) -> list[Record]:
    return [record for record in records if record["task"]["name"] in tasks]
