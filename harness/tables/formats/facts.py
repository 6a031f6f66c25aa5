"""A table's cells of scores as facts, one each: what CSV and JSON tell to programs."""

from collections.abc import Iterator
from typing import Any

from harness.tables.table import MARKS, Cell, Column, Section, Table

FIELDS = (
    *("protocol", "protocol_version", "table", "model", "kind", "parameters_millions", "column"),
    *("metric", "task_version", "higher_is_better", "score", "ci95_low", "ci95_high", "std"),
    *("difference", "best", "state", "synthetic", "partial", "collapsed"),
)
_SIGNS = dict(zip(MARKS, ("synthetic", "partial", "collapsed"), strict=True))


def of(section: Section, table: Table) -> Iterator[dict[str, Any]]:
    """Each cell of scores, in reading order, with FIELDS for keys.

    Scores are in the unit that they are printed in, percent for rates; measured ones are not
    rounded, but `difference` is that of the numbers printed. Where there is no score,
    `score` is None and `state` says why (missing, undefined, –); else `state` is "".
    """
    names = [column.name or column.head for column in table.columns]
    for row in table.rows:
        for name, column, cell in zip(names, table.columns, row, strict=True):
            if column.scores:
                yield {
                    "protocol": section.protocol,
                    "protocol_version": section.version,
                    "table": table.caption,
                    "model": row[0].text,
                    "kind": cell.kind,
                    "parameters_millions": row[0].value,
                    "column": name,
                    **_score(column, cell),
                }


def _score(column: Column, cell: Cell) -> dict[str, Any]:
    low, high = cell.interval or (None, None)
    return {
        "metric": column.metric,
        "task_version": column.version,
        "higher_is_better": column.higher_is_better,
        "score": cell.value if cell.exact is None else cell.exact,
        "ci95_low": low,
        "ci95_high": high,
        "std": cell.spread,
        "difference": cell.difference,
        "best": cell.best,
        "state": cell.text if cell.value is None else "",
        **{name: sign in cell.marks for sign, name in _SIGNS.items()},
    }
