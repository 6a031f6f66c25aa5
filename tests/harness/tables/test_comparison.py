"""Published rows beside measured ones, and who is the best of both."""

from typing import Any

from harness.tables import by_domain, comparison
from harness.tables.comparison import Behind
from harness.tables.published import Published, Row
from harness.tables.table import Table
from tests.harness.records import make_record

ROWS = (
    Row("Other", "", frozenset(), {"esc50": "95.35", "spc1": "1"}),
    Row("Dasheng-Base", "base", frozenset({"spc1"}), {"esc50": "61.9", "spc1": "2"}),
)


def published(*rows: Row, columns: tuple[str, ...] = ("vox1", "esc50", "spc1")) -> Published:
    return Published("knn", columns, rows or ROWS, ("https://example.org/paper",), ("Take care.",))


def compared(
    records: list[dict[str, Any]], known: Published, behind: Behind | None = None
) -> tuple[list[list[str]], list[str]]:
    """The rows, the best in asterisks, and the remarks."""
    columns = [
        by_domain.task(name, [name], [r for r in records if r["task"]["name"] == name])
        for name in known.columns
    ]
    parts = comparison.table("a", columns, records, known, behind or Behind())
    tables = [part for part in parts if isinstance(part, Table)]
    assert len(tables) <= 1
    rows = [
        [f"{'*' * cell.best}{cell.text}{cell.marks}{cell.note}" for cell in row]
        for table in tables
        for row in table.rows
    ]
    return rows, [part for part in parts if isinstance(part, str)]


def test_a_measured_row_stands_below_its_published_one_with_the_difference() -> None:
    records = [
        make_record(score=0.61853),
        make_record(task__name="spc1", score=0.9, n__limit=5),
        make_record(model__name="base-bf16", scores__collapsed="constant"),
    ]
    rows, told = compared(records, published())
    assert rows == [
        ["Other", "published", "–", "*95.35", "1"],
        ["Dasheng-Base", "published", "–", "61.9", "2‡"],
        ["base", "measured", "missing", "61.85 (−0.05)", "90.00†"],
        ["base-bf16", "measured", "missing", "61.90‡", "missing"],
        ["majority class", "floor", "–", "2.00", "2.00"],
    ]
    assert told == []


def test_published_and_measured_scores_compete_for_the_best() -> None:
    (_, _, base, *_), _ = compared([make_record(score=0.96)], published())
    assert base[3] == "*96.00 (+34.10)"
    tie, _ = compared([make_record(score=0.9535)], published())
    assert [row[3] for row in tie[:3]] == ["*95.35", "61.9", "*95.35 (+33.45)"]


def test_neither_floor_nor_bound_nor_partial_nor_collapsed_takes_the_best() -> None:
    bound = Row("Best of all", "", frozenset(), {"esc50": "99"}, bound=True)
    fell = Row("Fallen", "", frozenset({"esc50"}), {"esc50": "98"})
    records = [
        make_record(score=0.6, scores__floor=0.97),
        make_record(model__name="few", score=0.99, n__limit=3),
        make_record(model__name="flat", score=0.99, scores__collapsed="constant"),
        make_record(model__name="none", score=None),
    ]
    rows, _ = compared(records, published(bound, fell, *ROWS, columns=("esc50",)))
    assert [row[0] for row in rows if row[2].startswith("*")] == ["Other"]


def test_who_is_published_and_not_measured_is_named() -> None:
    rows, told = compared([], published())
    assert rows == [
        ["Other", "–", "*95.35", "1"],
        ["Dasheng-Base", "–", "61.9", "2‡"],
    ]
    assert told == ["Not measured on these tasks: base."]
    assert compared([], comparison.joined("knn", [])) == ([], [])


def test_sizes_are_shown_where_the_published_table_tells_them() -> None:
    sized = [Row(row.title, row.model, row.collapsed, row.scores, "86") for row in ROWS]
    records = [make_record(), make_record(model__name="tiny", model__parameters=5_432_100)]
    rows, _ = compared(records, published(*sized, columns=("esc50",)))
    assert [row[2] for row in rows] == ["86", "86", "86", "5.4", ""]


def test_spread_and_interval_on_request() -> None:
    rows, _ = compared([make_record()], published(columns=("esc50",)), Behind(True, True))
    assert rows[2][2] == "61.90 ± 2.70 (+0.00) [60.0, 64.0]"


def test_remarks_tell_source_and_date_once() -> None:
    one = published()
    dated = Published("knn", ("fsc",), ROWS, one.sources, ("More.",), ("2024-06-11",))
    both = comparison.joined("knn", [one, dated])
    assert both.columns == ("vox1", "esc50", "spc1", "fsc")
    assert comparison.remarks(both) == [
        "Published in https://example.org/paper. Since 2024-06-11.",
        *("Take care.", "More."),
    ]
    assert comparison.remarks(comparison.joined("knn", [])) == []
