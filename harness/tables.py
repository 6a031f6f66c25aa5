"""Records → markdown tables. Every number shown comes from a record."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from harness import results
from harness.errors import UserError

_NOTES = {
    "°": "synthetic data: says that the machinery works, nothing about real sounds",
    "†": "partial: fewer clips than the task officially has",
    "‡": "collapsed: the embeddings cannot tell clips apart",
}

Record = Mapping[str, Any]


def markdown(records: Iterable[Record]) -> str:
    """One table per protocol: models down, tasks across, scores in percent.

    Raises:
        UserError: one column would mix versions of a task or a protocol.
    """
    records = list(records)
    if not records:
        return "No records yet.\n"
    protocols = sorted({record["protocol"]["name"] for record in records})
    sections = [_section(name, _of(records, name)) for name in protocols]
    marks = [mark for mark in _NOTES if any(mark in section for section in sections)]
    notes = [f"{mark} {_NOTES[mark]}." for mark in marks]
    return "\n\n".join([*sections, *notes]) + "\n"


def _of(records: Sequence[Record], protocol: str) -> list[Record]:
    return [record for record in records if record["protocol"]["name"] == protocol]


def _section(protocol: str, records: Sequence[Record]) -> str:
    _refuse_mixed(records, "protocol")
    tasks = sorted({record["task"]["name"] for record in records})
    for task in tasks:
        _refuse_mixed([record for record in records if record["task"]["name"] == task], "task")
    cells = {(record["model"]["name"], record["task"]["name"]): record for record in records}
    models = sorted({model for model, _ in cells}, key=lambda name: (_size(name, records), name))
    rows = [[model, *(cell(cells.get((model, task))) for task in tasks)] for model in models]
    floors = ["*majority class*", *(_floor(task, records) for task in tasks)]
    heads = ["model", *(_head(task, records) for task in tasks)]
    table = tabulate([*rows, floors], heads, tablefmt="github", disable_numparse=True)
    return f"### {_title(protocol, records[0])}\n\n{table}"


def _title(protocol: str, record: Record) -> str:
    params = ", ".join(f"{key} {value}" for key, value in record["protocol"]["params"].items())
    return f"{protocol} (version {record['protocol']['version']}: {params})"


def _head(task: str, records: Sequence[Record]) -> str:
    record = next(record for record in records if record["task"]["name"] == task)
    synthetic = "°" if record["task"]["synthetic"] else ""
    return f"{task}{synthetic} ({record['task']['metric']}, v{record['task']['version']})"


def cell(record: Record | None) -> str:
    """A score in percent, its marks and its 95 % interval."""
    if record is None:
        return "–"
    if record["score"] is None:
        return "undefined"
    partial = "†" if results.is_partial(record) else ""
    collapsed = "‡" if record["scores"]["collapsed"] else ""
    low, high = record["scores"]["ci95"]
    interval = "" if low is None else f" [{_percent(low)}, {_percent(high)}]"
    return f"{_percent(record['score'])}{partial}{collapsed}{interval}"


def _floor(task: str, records: Sequence[Record]) -> str:
    record = next(record for record in records if record["task"]["name"] == task)
    return _percent(record["scores"]["floor"])


def _percent(rate: float) -> str:
    return f"{100 * rate:.2f}"


def _size(model: str, records: Sequence[Record]) -> int:
    return next(r["model"]["parameters"] for r in records if r["model"]["name"] == model)


def _refuse_mixed(records: Sequence[Record], part: str) -> None:
    versions = {record[part]["version"] for record in records}
    if len(versions) > 1:
        name = records[0][part]["name"]
        raise UserError(
            f"expected one version of the {part} {name} in a table, found {sorted(versions)}; "
            "run the older ones again"
        )
