"""Scores that others published, read from the tables in results/published.

Such a file opens with lines "# protocol: …" (where it is not the file's name: a protocol can have
several tables), "# source: …" (where the numbers stand), "# date: …" (since when), "# bound: …"
(the title of a row that is no model, but the best of many) and "# note: …" (what a reader must
know). Then, one row per model: its title, the name it has here ("" where we
do not have it), the columns whose cells are no baselines because the model collapsed there; what
may be left out: its parameters in millions, and the date and source of its own numbers; and the
scores in percent as they were published ("" where none was). They are the scores of tasks, in the
published order; or, where the protocol's suite has domains, averages over those.
"""

import csv
import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import suites
from harness.errors import UserError

_FACTS = ["title", "model", "collapsed"]
_MORE = ("parameters", "date", "source")  # columns that may be left out
_CHECKOUT = Path(__file__).parents[2] / "results" / "published"


@dataclass(frozen=True)
class Row:
    """One model's published scores.

    `model` is what we call it, "" if we do not have it. `scores` maps a column to its
    published text, in percent; `collapsed` names the columns whose score is no baseline.
    `parameters` is their published number, in millions, "" if none is told; `date` (YYYY-MM-DD)
    and `source` are told where the rows of a table differ in them, else "". `bound`: it is no
    model, but the best of many, so it is not ranked among models.
    """

    title: str
    model: str
    collapsed: frozenset[str]
    scores: Mapping[str, str]
    parameters: str = ""
    date: str = ""
    source: str = ""
    bound: bool = False


@dataclass(frozen=True)
class Published:
    """A published table: tasks or domains across, in their published order, models down.

    A task is named as tables show it: `hear-beehive-states` is the mean of its two folds.
    """

    protocol: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    dates: tuple[str, ...] = ()

    @property
    def averages(self) -> bool:
        """Whether the columns are domains, and the scores averages over their tasks."""
        suite = suites.averaged(self.protocol)
        return suite is not None and set(self.columns) <= set(suite.domains)

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
        cells = list(csv.reader(line for line in lines if not line.startswith("#")))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{file}: expected a table of published scores ({error})") from None
    names, *rows = cells or [[]]
    if names[: len(_FACTS)] != _FACTS or len(set(names)) < len(names):
        raise UserError(
            f"{file}: expected columns {', '.join(_FACTS)}, then those of scores, each once, "
            f"found {', '.join(names) or 'none'}"
        )
    table = Published(
        protocol=(*_remarks(lines, "# protocol: "), file.stem)[0],
        columns=tuple(name for name in names if name not in (*_FACTS, *_MORE)),
        rows=tuple(_row(row, names, file, _remarks(lines, "# bound: ")) for row in rows),
        sources=_remarks(lines, "# source: "),
        notes=_remarks(lines, "# note: "),
        dates=_remarks(lines, "# date: "),
    )
    suite = suites.averaged(table.protocol)
    if suite and not (table.averages or set(table.columns) <= set(suite.columns(suite.tasks))):
        raise UserError(
            f"{file}: expected scores of tasks of {suite.title}, or of the domains "
            f"{', '.join(suite.domains)}, found {', '.join(table.columns)}"
        )
    return table


def _tables(folder: Path) -> list[Published]:
    return [read(file) for file in sorted(folder.glob("*.csv"))]


def _row(cells: Sequence[str], names: Sequence[str], file: Path, bounds: Sequence[str]) -> Row:
    """One row under the heads `names`."""
    try:
        scores = dict(zip(names, cells, strict=True))
        title, model, collapsed = (scores.pop(name) for name in _FACTS)
        parameters, date, source = (scores.pop(name, "") for name in _MORE)
        for number in filter(None, [parameters, *scores.values()]):
            if not math.isfinite(float(number)):
                raise ValueError
        if date:
            datetime.date.fromisoformat(date)
    except ValueError:
        facts = [name for name in names if name in (*_FACTS, *_MORE)]
        raise UserError(
            f"{file}: expected {', '.join(facts)} and {len(names) - len(facts)} numbers in "
            f"each row, found {', '.join(cells)}"
        ) from None
    return Row(
        title=title,
        model=model,
        collapsed=frozenset(collapsed.split()),
        scores=scores,
        parameters=parameters,
        date=date,
        source=source,
        bound=title in bounds,
    )


def _remarks(lines: list[str], mark: str) -> tuple[str, ...]:
    return tuple(line.removeprefix(mark) for line in lines if line.startswith(mark))
