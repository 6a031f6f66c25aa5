"""Records → sections, one per protocol. Every number comes from a record or a published table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness import results, suites
from harness.tables import by_domain, cells, comparison
from harness.tables.comparison import Behind
from harness.tables.domains import Record
from harness.tables.published import Published
from harness.tables.table import Section, Table, explained


def sections(
    records: Iterable[Record],
    published: Iterable[Published] = (),
    *,
    intervals: bool = False,
) -> list[Section]:
    """One section per protocol that has a table: models down, tasks across, scores in percent.

    A section with a published table opens with its tasks, in the published order, each
    measured model below its published row. Where the protocol's suite has domains, it opens
    with their averages. A last table holds the other tasks. `intervals`: print 95 % intervals
    behind scores.

    Raises:
        UserError: one column would mix versions of a task or a protocol.
    """
    records, published = list(records), list(published)
    found = {record["protocol"]["name"] for record in records}
    every = (
        _section(
            name,
            cells.of(records, "protocol", name),
            [table for table in published if table.protocol == name],
            intervals,
        )
        for name in sorted(found | {table.protocol for table in published})
    )
    return [section for section in every if section.tables]


def brief(params: Mapping[str, Any]) -> str:
    """A protocol's parameters in a line, but for those that are texts."""
    return ", ".join(f"{key} {value}" for key, value in params.items() if not _are_texts(value))


def _section(
    protocol: str,
    records: Sequence[Record],
    published: Sequence[Published],
    intervals: bool,
) -> Section:
    suite = suites.averaged(protocol)
    results.require_one_version(records)
    facts = records[0]["protocol"] if records else {"version": None, "params": {}}
    known = comparison.joined(protocol, published)
    expected = suite.tasks if suite else known.columns
    suited = [record for record in records if record["task"]["name"] in expected]
    others = [record for record in records if record["task"]["name"] not in expected]
    parts: list[Table | str] = [*_texts(facts["params"])]
    if suite:
        parts += by_domain.parts(suite, published, suited, intervals=intervals)
    else:
        parts += _compared(known, suited, intervals)
    parts += _measured("measured, other tasks" if expected else "measured", others, intervals)
    version = f" (version {facts['version']}: {brief(facts['params'])})" if records else ""
    return Section(
        protocol=protocol,
        title=f"{protocol}{version}",
        parts=(*parts, *explained(parts)),
        version=facts["version"],
        params=facts["params"],
    )


def _texts(params: Mapping[str, Any]) -> Iterator[str]:
    """The parameters of a protocol that are texts, in sentences."""
    for key, value in params.items():
        if _are_texts(value):
            yield f"{key.capitalize()}: {'; '.join(value)}."


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _compared(
    published: Published, records: Sequence[Record], intervals: bool
) -> Iterator[Table | str]:
    """The published table, each model that we have in the row below its published one."""
    columns = [by_domain.task(name, [name], records) for name in published.columns]
    behind = Behind(intervals=intervals)
    yield from comparison.table("published tasks", columns, records, published, behind)
    yield from comparison.remarks(published)


def _measured(caption: str, records: Sequence[Record], intervals: bool) -> Iterator[Table | str]:
    """The table of what was measured, and nothing else."""
    tasks = sorted({record["task"]["name"] for record in records})
    columns = [by_domain.task(name, [name], records) for name in tasks]
    nobody = comparison.joined("", [])
    yield from comparison.table(caption, columns, records, nobody, Behind(intervals=intervals))
