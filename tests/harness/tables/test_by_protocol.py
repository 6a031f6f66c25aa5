"""A section per protocol: what it is called, which tables it has, what it refuses."""

from typing import Any

import pytest

from harness import tables
from harness.errors import UserError
from harness.tables.published import Published, Row
from harness.tables.table import MARKS, Section, Table
from tests.harness.records import make_record

PUBLISHED = Published(
    protocol="knn",
    columns=("vox1", "esc50"),
    rows=(Row("Dasheng-Base", "base", frozenset(), {"vox1": "34", "esc50": "61.9"}),),
    sources=("https://example.org/paper",),
    notes=("Take care.",),
)


def only(records: list[dict[str, Any]], *known: Published, **wanted: bool) -> Section:
    (section,) = tables.sections(records, known, **wanted)
    return section


def texts(table: Table) -> list[list[str]]:
    heads = [column.head for column in table.columns]
    return [heads, *([f"{cell.text}{cell.marks}{cell.note}" for cell in r] for r in table.rows)]


def remarks(section: Section) -> str:
    return "\n".join(part for part in section.parts if isinstance(part, str))


def test_models_down_tasks_across() -> None:
    melspec = make_record(model__name="melspec", model__parameters=0, score=0.184)
    section = only([make_record(), make_record(task__name="fsdd", score=0.9), melspec])
    (table,) = section.tables
    assert table.caption == "measured"
    assert texts(table) == [
        ["model", "esc50 (accuracy, v1)", "fsdd (accuracy, v1)"],
        ["melspec", "18.40", "missing"],
        ["base", "61.90", "90.00"],
        ["majority class", "2.00", "2.00"],
    ]
    assert (section.version, section.params) == (1, {"k": 10})


def test_intervals_are_printed_on_request_and_told_to_programs_always() -> None:
    (table,) = only([make_record()], intervals=True).tables
    assert texts(table)[1] == ["base", "61.90 [60.0, 64.0]"]
    (plain,) = only([make_record()]).tables
    assert plain.rows[0][1].interval == (60.0, 64.0)


@pytest.mark.parametrize(
    ("change", "mark"),
    [
        ({"task__synthetic": True}, "°"),
        ({"n__limit": 10}, "†"),
        ({"scores__collapsed": "constant"}, "‡"),
    ],
)
def test_marks_are_explained_where_they_stand_and_only_there(
    change: dict[str, Any], mark: str
) -> None:
    section = only([make_record(**change)])
    assert section.tables[0].rows[0][1].marks == mark
    assert f"{mark} {MARKS[mark]}." in remarks(section)
    assert remarks(only([make_record()])) == ""


def test_protocols_have_their_own_sections_in_the_order_of_their_names() -> None:
    linear = make_record(protocol__name="linear", protocol__params={"l2": "grid"})
    titles = [section.title for section in tables.sections([linear, make_record()])]
    assert titles == ["knn (version 1: k 10)", "linear (version 1: l2 grid)"]


def test_what_a_protocol_says_of_itself_stands_below_its_title() -> None:
    params = {"grid": [1, 2], "differs from theirs": ["another seed", "all points"]}
    section = only([make_record(protocol__params=params)])
    assert section.title == "knn (version 1: grid [1, 2])"
    assert section.parts[0] == "Differs from theirs: another seed; all points."


@pytest.mark.parametrize("part", ["task", "protocol"])
def test_versions_do_not_mix(part: str) -> None:
    other = make_record(model__name="tiny", **{f"{part}__version": 2})
    with pytest.raises(UserError, match=rf"expected one version of the {part} .* found \[1, 2\]"):
        tables.sections([make_record(), other])


def test_versions_of_different_tasks_may_differ() -> None:
    (table,) = only([make_record(), make_record(task__name="fsdd", task__version=2)]).tables
    assert [column.version for column in table.columns] == [None, 1, 2]


def test_nothing_measured_and_nothing_published_is_no_section() -> None:
    empty = Published("knn", ("esc50",), (), (), ())
    assert tables.sections([]) == tables.sections([], [empty]) == []


def test_an_undefined_score_says_so() -> None:
    (table,) = only([make_record(score=None, scores__floor=None)]).tables
    assert texts(table)[1:] == [["base", "undefined"]]


def test_published_tasks_come_first_then_the_others() -> None:
    section = only([make_record(), make_record(task__name="fsdd")], PUBLISHED)
    compared, others = section.tables
    assert (compared.caption, others.caption) == ("published tasks", "measured, other tasks")
    assert texts(compared) == [
        ["model", "scores", "vox1", "esc50 (accuracy, v1)"],
        ["Dasheng-Base", "published", "34", "61.9"],
        ["base", "measured", "missing", "61.90 (+0.00)"],
        ["majority class", "floor", "–", "2.00"],
    ]
    assert texts(others)[0] == ["model", "fsdd (accuracy, v1)"]
    for words in ("https://example.org/paper", "Take care.", "measured less published"):
        assert words in remarks(section)


def test_a_published_table_stands_alone_until_something_is_measured() -> None:
    section = only([], PUBLISHED)
    assert (section.title, section.version) == ("knn", None)
    assert texts(section.tables[0])[1:] == [["Dasheng-Base", "34", "61.9"]]
    assert "Not measured on these tasks: base." in section.parts


def test_the_order_of_records_does_not_matter() -> None:
    records = [
        make_record(model__name=model, task__name=task)
        for model in ("b", "a")
        for task in ("fsdd", "esc50")
    ]
    assert tables.sections(records, [PUBLISHED]) == tables.sections(records[::-1], [PUBLISHED])
