"""Averages are whole or not there: no subset of the tasks passes for all of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tables.domains import average
from tests.harness.records import make_record

COLUMNS = {"a": ("a",), "b": ("b",), "pair": ("left", "right")}
SCORES = {"a": 0.5, "b": 0.9, "left": 0.2, "right": 0.4}


def records(**changes: Any) -> dict[str, dict[str, Any]]:
    """A record of each task; `changes` name a task and what is another in its record."""
    return {
        task: make_record(task__name=task, score=score, **changes.get(task, {}))
        for task, score in SCORES.items()
    }


def test_a_column_of_several_tasks_counts_once() -> None:
    whole = average(records(), COLUMNS)
    assert whole.mean == pytest.approx((0.5 + 0.9 + (0.2 + 0.4) / 2) / 3)
    assert (whole.columns, whole.lacking, whole.collapsed, whole.begun) == (3, {}, False, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n__limit": 10}, "partial"),
        ({"n__skipped": 1}, "partial"),
        ({"n__test": [1000, 999]}, "partial"),
        ({"score": None}, "undefined"),
    ],
)
@pytest.mark.parametrize(("task", "column"), [("a", "a"), ("right", "pair")])
def test_one_task_that_does_not_count_leaves_no_average(
    task: str, column: str, change: dict[str, Any], reason: str
) -> None:
    found = records()
    found[task] = make_record(task__name=task, **change)
    lame = average(found, COLUMNS)
    assert (lame.mean, lame.lacking, lame.begun) == (None, {column: reason}, True)


@given(st.sets(st.sampled_from(sorted(SCORES))))
def test_what_is_missing_is_named(there: set[str]) -> None:
    found = {task: record for task, record in records().items() if task in there}
    mean = average(found, COLUMNS)
    lacks = {name for name, tasks in COLUMNS.items() if not set(tasks) <= there}
    assert mean.lacking == dict.fromkeys(lacks, "missing")
    assert (mean.mean is None) == bool(lacks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_a_mean_lies_among_its_scores_whatever_their_order(scores: list[float]) -> None:
    found = {str(n): make_record(score=score) for n, score in enumerate(scores)}
    columns = {task: (task,) for task in found}
    mean = average(found, columns).mean
    assert mean == average(found, dict(reversed(columns.items()))).mean
    assert mean is not None
    assert min(scores) - 1e-12 <= mean <= max(scores) + 1e-12


def test_nothing_measured_and_something() -> None:
    assert not average({}, COLUMNS).begun
    assert average({"a": records()["a"]}, COLUMNS).begun
    assert average({"a": make_record(n__limit=1)}, COLUMNS).begun


def test_collapsed_embeddings_mark_the_average() -> None:
    assert average(records(b={"scores__collapsed": "constant"}), COLUMNS).collapsed
