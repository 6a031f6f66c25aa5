"""The texts of cells: percent where it means something, marks, what is printed behind."""

import pytest

from harness.tables import cells
from harness.tables.domains import Average
from tests.harness.records import make_record


def test_a_rate_is_in_percent_and_what_is_none_is_not() -> None:
    assert cells.score(make_record(score=0.61853)).text == "61.85"
    for metric in ("d_prime", "segment_1s_er"):
        record = make_record(task__metric=metric, score=2.5, scores__ci95=[2.4, 2.6])
        cell = cells.score(record)
        assert (cell.text, cell.value, cell.interval) == ("2.500", 2.5, (2.4, 2.6))


def test_a_score_has_its_facts_in_the_unit_that_is_printed() -> None:
    cell = cells.score(make_record())
    assert (cell.value, cell.interval, cell.spread) == (61.9, (60.0, 64.0), 2.7)
    assert cell.ranked
    assert cell.kind == "measured"


@pytest.mark.parametrize(
    ("change", "mark", "ranked"),
    [
        ({"task__synthetic": True}, "°", True),
        ({"n__limit": 5}, "†", False),
        ({"n__skipped": 1}, "†", False),
        ({"scores__collapsed": "constant"}, "‡", False),
    ],
)
def test_marks_say_what_a_score_is_not(change: dict[str, object], mark: str, ranked: bool) -> None:
    cell = cells.score(make_record(**change))
    assert (cell.marks, cell.ranked) == (mark, ranked)
    undefined = cells.score(make_record(score=None, **change))
    assert (undefined.text, undefined.marks, undefined.value) == ("undefined", mark, None)
    assert not undefined.ranked


def test_an_interval_without_an_end_is_none() -> None:
    endless = make_record(task__metric="d_prime", score=1.5, scores__ci95=[1.0, None])
    assert cells.score(endless).interval is None


def test_behind_a_score_stands_what_is_asked_for_the_interval_a_decimal_shorter() -> None:
    cell = cells.compared(cells.score(make_record()), cells.published("62.5"))
    assert cells.note(cell) == " (−0.60)"
    assert cells.note(cell, spread=True, intervals=True) == " ± 2.70 (−0.60) [60.0, 64.0]"
    assert cells.note(cells.MISSING, spread=True, intervals=True) == ""
    record = make_record(task__metric="d_prime", score=2.5, scores__ci95=[2.44, 2.56])
    assert cells.note(cells.score(record), intervals=True) == " [2.44, 2.56]"


@pytest.mark.parametrize(
    "baseline",
    [None, cells.published(""), cells.published("3", collapsed=True)],
    ids=["not published", "no score", "collapsed"],
)
def test_without_a_baseline_there_is_no_difference(baseline: cells.Cell | None) -> None:
    assert cells.compared(cells.score(make_record()), baseline).difference is None


def test_an_undefined_score_has_no_difference_and_an_equal_one_none_below_zero() -> None:
    undefined = cells.score(make_record(score=None))
    assert cells.compared(undefined, cells.published("60")) == undefined
    equal = cells.compared(cells.score(make_record(score=0.61899999)), cells.published("61.9"))
    assert cells.note(equal) == " (+0.00)"


def test_a_published_score_stays_as_it_was_printed() -> None:
    assert [cells.published(text).text for text in ("44", "61.9", "66.30", "")] == [
        *("44", "61.9", "66.30", "–"),
    ]
    assert cells.published("44").ranked
    assert not cells.published("44", bound=True).ranked
    assert not cells.published("44", collapsed=True).ranked
    assert not cells.published("").ranked


def test_a_mean_is_whole_or_says_how_much_is_missing() -> None:
    whole = cells.mean(Average(0.81253, 4, {}))
    assert (whole.text, whole.ranked) == ("81.25", True)
    lame = cells.mean(Average(None, 4, {"a": "partial", "b": "missing"}))
    assert (lame.text, lame.value, lame.ranked) == ("missing 2 of 4", None, False)
    assert cells.mean(Average(None, 1, {"a": "missing"})) == cells.MISSING
    marked = cells.mean(Average(0.5, 1, {}, collapsed=True, synthetic=True))
    assert (marked.marks, marked.ranked) == ("°‡", False)


def test_whole_records_speak_for_the_majority_class() -> None:
    whole, other = make_record(), make_record(scores__floor=0.03)
    few = make_record(scores__floor=0.5, n__limit=4)
    assert cells.floor([whole, few]).text == "2.00"
    assert cells.floor([few]).text == "50.00"
    assert cells.floor([other, few, whole]).text == "2.00 to 3.00"
    assert cells.floor([make_record(scores__floor=None)]) == cells.NO_FLOOR
    assert cells.floor([]) == cells.NO_FLOOR
    assert not cells.floor([whole]).ranked


def test_heads_tell_metric_and_version_where_something_is_measured() -> None:
    assert cells.column("esc50", []).head == "esc50"
    assert cells.column("esc50", [make_record()]).head == "esc50 (accuracy, v1)"
    less = make_record(task__metric="segment_1s_er", task__higher_is_better=False, task__version=2)
    column = cells.column("dcase", [less])
    assert column.head == "dcase (segment_1s_er, lower is better, v2)"
    assert not column.higher_is_better


def test_models_come_by_size_then_by_name() -> None:
    sizes = {"b": 2, "a": 2, "small": 1}
    records = [
        make_record(model__name=name, model__parameters=size, task__name=task)
        for name, size in sizes.items()
        for task in ("esc50", "fsdd")
    ]
    found = cells.by_model(records)
    assert list(found) == ["small", "a", "b"]
    assert found["a"]["fsdd"]["task"]["name"] == "fsdd"


def test_a_score_told_alone_says_its_marks_in_words() -> None:
    assert cells.told(make_record()) == "61.90 [60.0, 64.0]"
    assert cells.told(make_record(n__limit=5)) == "61.90† partial [60.0, 64.0]"


def test_parameters_are_in_millions_and_exact_for_programs() -> None:
    small = cells.parameters(make_record(model__parameters=5_432_100))
    assert (small.text, small.value) == ("5.4", 5.4321)
    assert cells.parameters(make_record(model__parameters=85_400_000)).text == "85"
    assert cells.parameters(make_record(model__parameters=0)).text == "0"
    assert cells.published_parameters("1200").value == 1200
    assert cells.published_parameters("") == cells.NO_PARAMETERS
