"""Averages over tasks: whole, or not there at all.

An average over the tasks that happen to be there would look like one over all of them and
be another number, so it has a value only if every task is measured, on all of its clips, and
its score is defined.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from harness import results
from harness.results import Record
from harness.suites import Columns


@dataclass(frozen=True)
class Average:
    """The mean over some columns of a table, or why there is none.

    mean: 0 to 1, None unless the average is whole. columns: how many it is over. lacking: the
    columns that cannot count, each with the reason. collapsed, synthetic: whether a score in it
    is of embeddings that collapsed, of made-up sounds.
    """

    mean: float | None
    columns: int
    lacking: Mapping[str, str]
    collapsed: bool = False
    synthetic: bool = False

    @property
    def begun(self) -> bool:
        """Whether anything of it was measured at all."""
        return any(reason != "missing" for reason in self.lacking.values()) or (
            len(self.lacking) < self.columns
        )


def average(records: Mapping[str, Record], columns: Columns) -> Average:
    """The mean over columns, each of which is the mean of its tasks; `records` are by task."""
    lacks = {name: _lack(records, tasks) for name, tasks in columns.items()}
    lacking = {name: reason for name, reason in lacks.items() if reason}
    if lacking:
        return Average(None, len(columns), lacking)
    found = [[records[task] for task in tasks] for tasks in columns.values()]
    flat = [record for column in found for record in column]
    return Average(
        mean=fmean(fmean(record["score"] for record in column) for column in found),
        columns=len(columns),
        lacking={},
        collapsed=any(record["scores"]["collapsed"] for record in flat),
        synthetic=any(record["task"]["synthetic"] for record in flat),
    )


def _lack(records: Mapping[str, Record], tasks: tuple[str, ...]) -> str:
    """Why a column cannot count; "" if it can."""
    found = [records[task] for task in tasks if task in records]
    if len(found) < len(tasks):
        return "missing"
    if any(results.is_partial(record) for record in found):
        return "partial"
    return "undefined" if any(record["score"] is None for record in found) else ""
