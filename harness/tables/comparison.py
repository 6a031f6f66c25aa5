"""Published rows beside measured ones: each model that we have stands below its published row."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.tables import cells
from harness.tables.domains import Record
from harness.tables.published import Published, Row
from harness.tables.table import FLOOR, MEASURED, PUBLISHED, Cell, Column, Table, with_best


@dataclass(frozen=True)
class Scores:
    """A column of scores: its head, the cell of one model's records by task, and the floor."""

    column: Column
    measured: Callable[[Mapping[str, Record]], Cell]
    floor: Cell = cells.NO_FLOOR


@dataclass(frozen=True)
class Behind:
    """What is printed behind scores: the spread over the folds, the 95 % interval."""

    spread: bool = False
    intervals: bool = False


@dataclass(frozen=True)
class _Line:
    """A row to be: whose it is, its kind, its scores, and the model's parameters."""

    model: str
    kind: str
    scores: Sequence[Cell]
    parameters: Cell = cells.NO_PARAMETERS


def joined(protocol: str, tables: Iterable[Published]) -> Published:
    """Published tables as one, of all their columns; without rows where there are none."""
    tables = list(tables)
    return Published(
        protocol=protocol,
        columns=tuple(dict.fromkeys(name for table in tables for name in table.columns)),
        rows=tuple(row for table in tables for row in table.rows),
        sources=tuple(dict.fromkeys(source for table in tables for source in table.sources)),
        notes=tuple(note for table in tables for note in table.notes),
        dates=tuple(dict.fromkeys(date for table in tables for date in table.dates)),
    )


def remarks(published: Published) -> list[str]:
    """Where published scores stand, since when, and what a reader must know of them."""
    if not published.rows:
        return []
    since = f" Since {'; '.join(published.dates)}." if published.dates else ""
    return [f"Published in {', '.join(published.sources)}.{since}", *published.notes]


def table(
    caption: str,
    columns: Sequence[Scores],
    records: Sequence[Record],
    published: Published,
    behind: Behind,
) -> list[Table | str]:
    """The table, and the line that names who is not in it; nothing if it would have no row.

    A published model of which nothing was measured in these columns has no second row. Rows tell
    whose scores they are where there are published and measured ones, and how large models are
    where the published table does.
    """
    lines = list(_lines(columns, cells.by_model(records), published))
    if not lines:
        return []
    measured = {line.model for line in lines if line.kind == MEASURED}
    lacking = [row.model for row in published.rows if row.model and row.model not in measured]
    floors = [each.floor for each in columns]
    if any(cell != cells.NO_FLOOR for cell in floors):
        lines.append(_Line("majority class", FLOOR, floors))
    told = [f"Not measured on these tasks: {', '.join(dict.fromkeys(lacking))}."] if lacking else []
    return [_table(caption, [each.column for each in columns], lines, behind), *told]


def _lines(
    columns: Sequence[Scores], found: Mapping[str, Mapping[str, Record]], published: Published
) -> Iterator[_Line]:
    for row in published.rows:
        printed = [_printed(row, each.column.name) for each in columns]
        if any(cell.value is not None for cell in printed):
            yield _Line(row.title, PUBLISHED, printed, cells.published_parameters(row.parameters))
        if row.model in found:
            yield from _measured(row.model, columns, found[row.model], printed)
    known = {row.model for row in published.rows}
    for model, records in found.items():
        if model not in known:
            yield from _measured(model, columns, records, [None] * len(columns))


def _printed(row: Row, column: str) -> Cell:
    collapsed = column in row.collapsed
    return cells.published(row.scores.get(column, ""), collapsed=collapsed, bound=row.bound)


def _measured(
    model: str,
    columns: Sequence[Scores],
    records: Mapping[str, Record],
    baselines: Sequence[Cell | None],
) -> Iterator[_Line]:
    """The row of a model, if anything of it was measured in these columns."""
    scores = [each.measured(records) for each in columns]
    if any(cell != cells.MISSING for cell in scores):
        pairs = zip(scores, baselines, strict=True)
        compared = [cells.compared(cell, baseline) for cell, baseline in pairs]
        parameters = cells.parameters(next(iter(records.values())))
        yield _Line(model, MEASURED, compared, parameters)


def _table(
    caption: str, columns: Sequence[Column], lines: Sequence[_Line], behind: Behind
) -> Table:
    kinds = {PUBLISHED, MEASURED} <= {line.kind for line in lines}
    sizes = any(line.parameters.text for line in lines if line.kind == PUBLISHED)
    heads = [
        Column(head="model", scores=False),
        *([Column(head="scores", scores=False, name="kind")] if kinds else []),
        *([Column(head="parameters (M)", scores=False, name="parameters")] if sizes else []),
        *columns,
    ]
    rows = (_row(line, behind, kinds=kinds, sizes=sizes) for line in lines)
    return with_best(Table(caption=caption, columns=tuple(heads), rows=tuple(rows)))


def _row(line: _Line, behind: Behind, *, kinds: bool, sizes: bool) -> tuple[Cell, ...]:
    notes = (
        cells.note(cell, spread=behind.spread, intervals=behind.intervals) for cell in line.scores
    )
    return (
        Cell(text=line.model, value=line.parameters.value, kind=line.kind),
        *([Cell(text=line.kind, kind=line.kind)] if kinds else []),
        *([line.parameters] if sizes else []),
        *(replace(cell, note=note) for cell, note in zip(line.scores, notes, strict=True)),
    )
