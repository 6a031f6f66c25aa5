"""A suite's scores by domain: the averages, then task by task, then all tasks in one row."""

from collections.abc import Iterator, Mapping, Sequence

from harness.suites import Columns, Suite
from harness.tables import cells, comparison
from harness.tables.cells import Record
from harness.tables.domains import Average, average
from harness.tables.published import Published, Row

_AVERAGES = (
    "A domain's score is the plain mean of its tasks' scores, and stands only where each of them "
    "is measured, whole and defined."
)
_TASKS = (
    "After ±: the standard deviation over the folds (ddof 1), as HEAR tells it; in square "
    "brackets: the 95 % interval of the measured score."
)


def tables(suite: Suite, published: Published, records: Sequence[Record]) -> list[str]:
    """The tables of one protocol's records on tasks of the suite, with remarks, in markdown.

    `published` has the domains for columns; it may have no rows.
    """
    parts = [*_averages(suite, published, records)]
    if records:
        parts += [*_by_task(suite, records), *_in_one_row(suite, records)]
    return parts


def _averages(suite: Suite, published: Published, records: Sequence[Record]) -> Iterator[str]:
    domains = {name: suite.columns(suite.domains[name]) for name in published.columns}

    def measured(found: Mapping[str, Record], row: Row | None) -> list[str]:
        means = {name: average(found, columns) for name, columns in domains.items()}
        return [_mean(mean, comparison.baseline(row, name)) for name, mean in means.items()]

    heads = [f"{name} ({len(columns)} tasks)" for name, columns in domains.items()]
    rows = comparison.rows(published, records, measured)
    yield cells.grid(rows, comparison.heads(published, heads))
    yield from _lacking(domains, records)
    yield _AVERAGES + _origin(published)
    yield from suite.notes
    yield from published.notes


def _origin(published: Published) -> str:
    if not published.rows:
        return ""
    where = ", ".join(published.sources)
    return f" In round brackets: measured less published. Published in {where}."


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


def _by_task(suite: Suite, records: Sequence[Record]) -> Iterator[str]:
    """A table of each domain that anything was measured of."""
    grouped = {task for tasks in suite.domains.values() for task in tasks}
    rest = tuple(task for task in suite.tasks if task not in grouped)
    for name, tasks in {**suite.domains, "in no domain": rest}.items():
        if here := _on(records, tasks):
            yield f"{name.capitalize()}, task by task:"
            yield _task_by_task(suite.columns(tasks), here)
    yield _TASKS


def _task_by_task(columns: Columns, records: Sequence[Record]) -> str:
    rows = [
        [model, *(_detailed(found, tasks) for tasks in columns.values())]
        for model, found in cells.by_model(records).items()
    ]
    measured = {name: _on(records, tasks) for name, tasks in columns.items()}
    floors = ["*majority class*", *(cells.floor(found) for found in measured.values())]
    heads = ["model", *(cells.head(name, found) for name, found in measured.items())]
    return cells.grid([*rows, floors], heads)


def _in_one_row(suite: Suite, records: Sequence[Record]) -> Iterator[str]:
    """Every task, and the mean over all."""
    columns = suite.columns(suite.tasks)
    rows = []
    for model, found in cells.by_model(records).items():
        scores = [_plain(found, tasks) for tasks in columns.values()]
        rows.append([model, *scores, _mean(average(found, columns))])
    yield f"All {len(columns)} in one row:"
    yield cells.grid(rows, ["model", *columns, "mean"])


def _mean(mean: Average, published: str = "") -> str:
    """An average in percent and its difference from a published one; or how much is missing."""
    if mean.mean is None:
        some = f" {len(mean.lacking)} of {mean.columns}" if mean.begun else ""
        return f"missing{some}"
    mark = "‡" if mean.collapsed else ""
    return f"{100 * mean.mean:.2f}{mark}{cells.difference(mean.mean, published)}"


def _detailed(found: Mapping[str, Record], tasks: tuple[str, ...]) -> str:
    """A score with its spread and interval; of several tasks, their mean."""
    if len(tasks) > 1 or tasks[0] not in found:
        return _plain(found, tasks)
    record = found[tasks[0]]
    return f"{cells.score(record)}{cells.spread(record)}{cells.interval(record)}"


def _plain(found: Mapping[str, Record], tasks: tuple[str, ...]) -> str:
    """A score alone; of several tasks, their mean."""
    if len(tasks) > 1:
        return _mean(average(found, {task: (task,) for task in tasks}))
    return cells.score(found[tasks[0]]) if tasks[0] in found else "missing"


def _on(records: Sequence[Record], tasks: Sequence[str]) -> list[Record]:
    return [record for record in records if record["task"]["name"] in tasks]
