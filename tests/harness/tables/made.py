"""A section that has everything formats must print: names of other people's, marks, gaps."""

from harness import tables
from harness.tables.published import Published, Row
from harness.tables.table import Section, Table
from tests.harness.records import make_record

RECORDS = [
    make_record(score=0.70123),
    make_record(task__name="fsdd", score=None, n__limit=5),
    make_record(model__name="<script>alert(1)</script>", task__synthetic=True, score=0.5),
    make_record(model__name="a|b_c & 100% #1 {x} ~^\\", scores__collapsed="constant"),
    make_record(model__name='[x]*`"', task__name="fsdd", score=0.25),
]
PUBLISHED = Published(
    protocol="knn",
    columns=("esc50",),
    rows=(Row("Dasheng-Base", "base", frozenset(), {"esc50": "61.9"}, "86"),),
    sources=("https://example.org/a_b?c=1&d=2#e",),
    notes=("Less < more, 5 % of $3 – ′×±.",),
)


def sections() -> list[Section]:
    """The section of all of them."""
    return tables.sections(RECORDS, [PUBLISHED], intervals=True)


def rows(table: Table) -> list[list[str]]:
    """What each row prints, cell by cell."""
    return [[f"{cell.text}{cell.marks}{cell.note}" for cell in row] for row in table.rows]
