"""Which cell of a column is the best, and what the lines below tables explain."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.tables.table import Cell, Column, Section, Table, explained, with_best


def table(*columns: tuple[Column, list[Cell]]) -> Table:
    heads, cells = zip(*columns, strict=True)
    return Table(caption="", columns=heads, rows=tuple(zip(*cells, strict=True)))


def score(value: float, **facts: Any) -> Cell:
    return Cell(text=f"{value}", value=value, **{"ranked": True, **facts})


def best(*cells: Cell, **column: Any) -> list[bool]:
    heads = Column(head="a", **column)
    return [row[0].best for row in with_best(table((heads, list(cells)))).rows]


def test_the_best_is_the_largest_or_where_less_is_better_the_least() -> None:
    assert best(score(1), score(3), score(2)) == [False, True, False]
    assert best(score(1), score(3), score(2), higher_is_better=False) == [True, False, False]


def test_equal_ones_are_all_the_best_and_one_alone_is_the_best_of_nothing() -> None:
    assert best(score(3), score(3), score(2)) == [True, True, False]
    assert best(score(3), Cell(text="missing")) == [False, False]


def test_what_is_not_ranked_is_never_the_best_and_takes_it_from_nobody() -> None:
    assert best(score(9, ranked=False), score(3), score(2)) == [False, True, False]
    assert best(Cell(text="undefined", ranked=True), score(3), score(2)) == [False, True, False]
    assert best(score(9), score(3), scores=False) == [False, False]


@given(st.lists(st.tuples(st.floats(-10, 10), st.booleans()), max_size=8), st.booleans())
def test_no_ranked_score_is_better_than_the_best(
    found: list[tuple[float, bool]], higher: bool
) -> None:
    cells = [score(value, ranked=ranked) for value, ranked in found]
    marked = best(*cells, higher_is_better=higher) if cells else []
    ranked = [value for value, ranked in found if ranked]
    assert any(marked) == (len(ranked) > 1)
    for (value, is_ranked), is_best in zip(found, marked, strict=True):
        if is_best:
            assert is_ranked
            assert value == (max(ranked) if higher else min(ranked))


def test_a_section_tells_its_tables_from_its_remarks() -> None:
    one, other = table((Column(head="a"), [score(1)])), table((Column(head="b"), [score(2)]))
    section = Section(protocol="knn", title="", parts=("before", one, "between", other))
    assert section.tables == [one, other]


def test_only_what_stands_in_the_tables_is_explained() -> None:
    plain = table((Column(head="a"), [score(1)]))
    assert explained([plain, "a remark (with † and [brackets]"]) == []
    marked = table((Column(head="a"), [score(1, marks="°‡"), score(2, note=" (−1.00)", best=True)]))
    first, *marks = explained([plain, marked])
    assert (
        first == "The best of each column is in bold. In round brackets: measured less published."
    )
    assert [line.split(":")[0] for line in marks] == ["° synthetic data", "‡ collapsed"]
