"""A table before it is text: cells that know their value, columns that know what is better.

Every format is made from this: markdown, CSV, JSON, LaTeX, HTML and the report's sortable tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

PUBLISHED, MEASURED, FLOOR = "published", "measured", "floor"  # kinds of cells

MARKS = {
    "°": "synthetic data: says that the machinery works, nothing about real sounds",
    "†": "partial: fewer clips than the task officially has",
    "‡": "collapsed: the embeddings cannot tell clips apart",
}
NOTES = {
    "±": "After ±: the standard deviation over the folds (ddof 1), as HEAR tells it",
    "(": "In round brackets: measured less published",
    "[": "In square brackets: the 95 % interval of the measured score",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """What stands under one head.

    head: as printed. scores: whether its cells are scores, not names or sizes.
    higher_is_better: which of them is the best. name: what programs call it, such as the task;
    the head if it is "". metric, version: those of the task, where anything of it is measured.
    """

    head: str
    scores: bool = True
    higher_is_better: bool = True
    name: str = ""
    metric: str = ""
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    text: what is printed, without what follows. value: what it is sorted and compared by, in the
    unit of the text, None where there is no score; of a model's name, its parameters in millions,
    None where they are not known. marks: those of MARKS that apply.
    note: printed behind, such as a difference or an interval. ranked: whether it may be the best
    of its column. best: whether it is. kind: who says so, PUBLISHED, MEASURED or FLOOR (what the
    majority class would score), "" where it does not matter.

    exact: the value of a measured score before it was rounded to the text. difference: of the
    value from the published score. interval: 95 %. spread: the standard deviation over the folds.
    They are facts for programs, in the unit of the text; of these, people see the note.
    """

    text: str
    value: float | None = None
    marks: str = ""
    note: str = ""
    ranked: bool = False
    best: bool = False
    kind: str = ""
    exact: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    spread: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of as many cells as there are columns, the first a name; a caption ("" for none)."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """The tables of one protocol, in order, with remarks between them; all in plain words.

    protocol: its name. title: its name, version and parameters ("" where it needs none).
    version, params: the protocol's, where anything is measured by it.
    """

    protocol: str
    title: str
    parts: tuple[Table | str, ...]
    version: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tables(self) -> list[Table]:
        """Its tables, without the remarks."""
        return [part for part in self.parts if isinstance(part, Table)]


def with_best(table: Table) -> Table:
    """The table with the best ranked cell of each column of scores marked; all of them if equal.

    A single one is the best of nothing, and not marked.
    """
    best = [_best(column, [row[n] for row in table.rows]) for n, column in enumerate(table.columns)]
    rows = (
        tuple(
            replace(cell, best=cell.ranked and cell.value is not None and cell.value == value)
            for cell, value in zip(row, best, strict=True)
        )
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def explained(parts: Iterable[Table | str]) -> list[str]:
    """What the notes and marks in the tables mean: a line each, of those that are there."""
    cells = [cell for part in parts if isinstance(part, Table) for row in part.rows for cell in row]
    notes = "".join(cell.note for cell in cells)
    marks = "".join(cell.marks for cell in cells)
    best = ["The best of each column is in bold."] if any(cell.best for cell in cells) else []
    behind = [f"{meaning}." for sign, meaning in NOTES.items() if sign in notes]
    below = [f"{mark} {meaning}." for mark, meaning in MARKS.items() if mark in marks]
    return [" ".join([*best, *behind]), *below] if best or behind else below


def _best(column: Column, cells: Sequence[Cell]) -> float | None:
    values = [cell.value for cell in cells if cell.ranked and cell.value is not None]
    if not column.scores or len(values) < 2:
        return None
    return max(values) if column.higher_is_better else min(values)
