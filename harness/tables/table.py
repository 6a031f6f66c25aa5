"""A table before it is text: cells that know their value, columns that know what is better.

Every format is made from this: markdown, CSV, JSON, LaTeX, HTML and the report's sortable tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Column:
    """What stands under one head.

    head: as printed. scores: whether its cells are scores, not names or sizes.
    higher_is_better: which of them is the best.
    """

    head: str
    scores: bool = True
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    text: what is printed, without what follows. value: what it is sorted and compared by, in the
    unit of the text; None where there is no score. marks: those of the notes that apply (°†‡).
    note: printed behind, such as a difference or an interval. ranked: whether it may be the best
    of its column. best: whether it is.
    """

    text: str
    value: float | None = None
    marks: str = ""
    note: str = ""
    ranked: bool = False
    best: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of as many cells as there are columns, under a caption ("" for none)."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """The tables of one protocol, in order, with remarks between them; all in plain words.

    protocol: its name. title: its name, version and parameters.
    """

    protocol: str
    title: str
    parts: tuple[Table | str, ...]


def with_best(table: Table) -> Table:
    """The table with the best ranked cell of each column of scores marked; all of them if equal."""
    best = [_best(column, [row[n] for row in table.rows]) for n, column in enumerate(table.columns)]
    rows = (
        tuple(
            replace(cell, best=cell.ranked and cell.value is not None and cell.value == value)
            for cell, value in zip(row, best, strict=True)
        )
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def _best(column: Column, cells: Sequence[Cell]) -> float | None:
    values = [cell.value for cell in cells if cell.ranked and cell.value is not None]
    if not column.scores or not values:
        return None
    return max(values) if column.higher_is_better else min(values)
