"""Markdown keeps its columns whatever models are called, and prints the best in bold."""

import re

from harness.tables.formats import markdown
from tests.harness.tables import made


def cells(line: str) -> list[str]:
    """The cells of a row as GitHub reads them, with backslashes before signs taken away."""
    inner = re.split(r"(?<!\\)((?:\\\\)*)\|", line)
    joined = [text + slashes for text, slashes in zip(inner[::2], [*inner[1::2], ""], strict=True)]
    return [re.sub(r"\\([^\w\s])", r"\1", cell.strip()) for cell in joined[1:-1]]


def test_every_cell_is_read_back() -> None:
    (section,) = made.sections()
    for table in section.tables:
        _, _, *lines = markdown.table(table).splitlines()
        for line, printed, row in zip(lines, made.rows(table), table.rows, strict=True):
            read = cells(line)
            bold = [cell.startswith("**") for cell in read]
            assert [cell.replace("**", "") for cell in read] == printed
            assert bold == [cell.best for cell in row]


def test_names_are_no_markup() -> None:
    text = markdown.render(made.sections())
    assert r"| \<script>alert(1)\</script>" in text
    assert r"\[x\]\*\`" in text
    assert r"| a\|b_c & 100% #1 {x} ~^\\ " in text


def test_heading_captions_and_remarks_stand_in_order() -> None:
    text = markdown.render(made.sections())
    first, second, *_ = text.split("\n\n")
    assert first == "### knn (version 1: k 10)"
    assert second == "Published tasks:"
    assert (
        text.index("Published in https")
        < text.index("Measured, other tasks:")
        < text.index("° synthetic")
    )
    assert text.endswith(".\n")
    assert "**70.12** (+8.22) [60.0, 64.0]" in text


def test_nothing() -> None:
    assert markdown.render([]) == "No records yet.\n"
