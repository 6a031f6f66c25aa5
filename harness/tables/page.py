"""Records → markdown tables. Every number shown comes from a record or a published table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness import suites
from harness.errors import UserError
from harness.tables import by_domain, cells, comparison
from harness.tables.cells import Record
from harness.tables.published import Published, Row

_NOTES = {
    "°": "synthetic data: says that the machinery works, nothing about real sounds",
    "†": "partial: fewer clips than the task officially has",
    "‡": "collapsed: the embeddings cannot tell clips apart",
}
_LEGEND = (
    "In round brackets: measured less published; in square brackets: the 95 % interval of the "
    "measured score."
)


def markdown(records: Iterable[Record], published: Iterable[Published] = ()) -> str:
    """One section per protocol: models down, tasks across, scores in percent.

    A section with a published table opens with its tasks, in the published order, each
    measured model below its published row. Where the protocol's suite has domains, it opens
    with their averages. A last table holds the other tasks.

    Raises:
        UserError: one column would mix versions of a task or a protocol.
    """
    records = list(records)
    known = {table.protocol: table for table in published}
    protocols = sorted({record["protocol"]["name"] for record in records} | known.keys())
    if not protocols:
        return "No records yet.\n"
    sections = [
        _section(name, cells.of(records, "protocol", name), known.get(name)) for name in protocols
    ]
    marks = [mark for mark in _NOTES if any(mark in section for section in sections)]
    notes = [f"{mark} {_NOTES[mark]}." for mark in marks]
    return "\n\n".join([*sections, *notes]) + "\n"


def _section(protocol: str, records: Sequence[Record], published: Published | None) -> str:
    _refuse_mixed(records, "protocol")
    for task in {record["task"]["name"] for record in records}:
        _refuse_mixed(cells.of(records, "task", task), "task")
    suite = suites.averaged(protocol)
    expected = suite.tasks if suite else published.columns if published else ()
    suited = [record for record in records if record["task"]["name"] in expected]
    others = [record for record in records if record["task"]["name"] not in expected]
    parts = _opening(protocol, records)
    opening = len(parts)
    if suite and (suited or published):
        parts += by_domain.tables(suite, published or _unpublished(protocol, suite), suited)
    elif published:
        parts += _comparison(published, suited)
    if others:
        parts += ["Other tasks:"] if len(parts) > opening else []
        parts.append(_measurements(others))
    return "\n\n".join(parts)


def _opening(protocol: str, records: Sequence[Record]) -> list[str]:
    """The title of a section with the protocol's parameters; those that are texts, below it."""
    if not records:
        return [f"### {protocol}"]
    params = records[0]["protocol"]["params"]
    texts = {key: value for key, value in params.items() if _are_texts(value)}
    title = f"### {protocol} (version {records[0]['protocol']['version']}: {brief(params)})"
    remarks = (f"{key.capitalize()}: {'; '.join(value)}." for key, value in texts.items())
    return [title, *remarks]


def brief(params: Mapping[str, Any]) -> str:
    """A protocol's parameters in a line, but for those that are texts."""
    return ", ".join(f"{key} {value}" for key, value in params.items() if not _are_texts(value))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _unpublished(protocol: str, suite: suites.Suite) -> Published:
    """A table of the suite's domains that nobody published scores of."""
    return Published(protocol, tuple(suite.domains), rows=(), sources=(), notes=())


def _measurements(records: Sequence[Record]) -> str:
    """The table of what was measured, and nothing else."""
    tasks = sorted({record["task"]["name"] for record in records})
    rows = [
        [model, *(cells.cell(found.get(task)) for task in tasks)]
        for model, found in cells.by_model(records).items()
    ]
    rows.append(["*majority class*", *_floors(tasks, records)])
    return cells.grid(rows, ["model", *_heads(tasks, records)])


def _comparison(published: Published, records: Sequence[Record]) -> list[str]:
    """The published table, each model that we have in the row below its published one."""

    def measured(found: Mapping[str, Record], row: Row | None) -> list[str]:
        return [
            _beside(found.get(task), comparison.baseline(row, task)) for task in published.columns
        ]

    rows = comparison.rows(published, records, measured)
    rows.append(comparison.majority(published, _floors(published.columns, records)))
    heads = comparison.heads(published, _heads(published.columns, records))
    remark = f"{_LEGEND} Published in {', '.join(published.sources)}."
    return [cells.grid(rows, heads), remark, *published.notes]


def _beside(record: Record | None, published: str) -> str:
    """A measured cell with its difference from the published one."""
    if record is None:
        return "missing"
    less = cells.difference(record["score"], published)
    return f"{cells.score(record)}{less}{cells.interval(record)}"


def _heads(tasks: Iterable[str], records: Sequence[Record]) -> list[str]:
    return [cells.head(task, cells.of(records, "task", task)) for task in tasks]


def _floors(tasks: Iterable[str], records: Sequence[Record]) -> list[str]:
    return [cells.floor(cells.of(records, "task", task)) for task in tasks]


def _refuse_mixed(records: Sequence[Record], part: str) -> None:
    versions = {record[part]["version"] for record in records}
    if len(versions) > 1:
        name = records[0][part]["name"]
        raise UserError(
            f"expected one version of the {part} {name} in a table, found {sorted(versions)}; "
            "run the older ones again"
        )
