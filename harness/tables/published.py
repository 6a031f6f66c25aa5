"""Scores that others published, read from results/published/<protocol>.csv.

Such a file opens with lines "# source: …" (where the numbers stand) and "# note: …" (what
a reader must know). Then, one row per model: its title, the name it has here ("" where we
do not have it), the columns whose cells are no baselines because the model collapsed there,
its parameters in millions (a column that may be left out), and the scores in percent as they
were published ("" where none was). They are the scores of tasks, in the published order; or,
where the protocol's suite has domains, averages over those.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import suites
from harness.errors import UserError

_FACTS = ["title", "model", "collapsed"]
_PARAMETERS = "parameters"
_CHECKOUT = Path(__file__).parents[2] / "results" / "published"


@dataclass(frozen=True)
class Row:
    """One model's published scores.

    `model` is what we call it, "" if we do not have it. `scores` maps a column to its
    published text, in percent; `collapsed` names the columns whose score is no baseline.
    `parameters` is their published number, in millions, "" if none is told.
    """

    title: str
    model: str
    collapsed: frozenset[str]
    scores: Mapping[str, str]
    parameters: str = ""


@dataclass(frozen=True)
class Published:
    """A published table: tasks or domains across, in their published order, models down."""

    protocol: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]

    def concerns(self, records: Iterable[Mapping[str, Any]]) -> bool:
        """Whether one of the records is measured on a task of this table, by its protocol."""
        suite = suites.averaged(self.protocol)
        tasks = suite.tasks if suite else self.columns
        return any(
            record["protocol"]["name"] == self.protocol and record["task"]["name"] in tasks
            for record in records
        )


def beside(records: Iterable[Mapping[str, Any]], results: Path) -> list[Published]:
    """The published tables to show with some records of the folder `results`.

    All of those in `results`/published; in a folder without, those of this checkout, if
    there is one, that concern the records.

    Raises:
        UserError: a file is no such table.
    """
    records = list(records)
    own = results / "published"
    if own.is_dir():
        return _tables(own)
    return [table for table in _tables(_CHECKOUT) if table.concerns(records)]


def read(file: Path) -> Published:
    """Read one published table.

    Raises:
        UserError: the file is no such table.
    """
    try:
        lines = file.read_text().splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: expected a table of published scores ({error})") from None
    names, *rows = list(csv.reader(line for line in lines if not line.startswith("#"))) or [[]]
    if names[: len(_FACTS)] != _FACTS:
        raise UserError(
            f"{file}: expected columns {', '.join(_FACTS)}, then those of scores, found "
            f"{', '.join(names) or 'none'}"
        )
    columns = tuple(name for name in names if name not in (*_FACTS, _PARAMETERS))
    suite = suites.averaged(file.stem)
    if suite and not set(columns) <= set(suite.domains):
        raise UserError(
            f"{file}: expected scores of the domains {', '.join(suite.domains)}, found "
            f"{', '.join(columns)}"
        )
    return Published(
        protocol=file.stem,
        columns=columns,
        rows=tuple(_row(row, names, file) for row in rows),
        sources=_remarks(lines, "# source: "),
        notes=_remarks(lines, "# note: "),
    )


def _tables(folder: Path) -> list[Published]:
    return [read(file) for file in sorted(folder.glob("*.csv"))]


def _row(cells: Sequence[str], names: Sequence[str], file: Path) -> Row:
    """One row under the heads `names`."""
    try:
        scores = dict(zip(names, cells, strict=True))
        title, model, collapsed = (scores.pop(name) for name in _FACTS)
        parameters = scores.pop(_PARAMETERS, "")
        for number in filter(None, [parameters, *scores.values()]):
            float(number)
    except ValueError:
        raise UserError(
            f"{file}: expected {', '.join(_FACTS)} and {len(names) - len(_FACTS)} numbers in "
            f"each row, found {', '.join(cells)}"
        ) from None
    return Row(
        title=title,
        model=model,
        collapsed=frozenset(collapsed.split()),
        scores=scores,
        parameters=parameters,
    )


def _remarks(lines: list[str], mark: str) -> tuple[str, ...]:
    return tuple(line.removeprefix(mark) for line in lines if line.startswith(mark))
