"""HTML is well formed, says what cells are worth, and takes names for text."""

from html.parser import HTMLParser

from harness.tables.formats import html
from harness.tables.table import Section
from tests.harness.tables import made

Attributes = list[tuple[str, str | None]]


class Reader(HTMLParser):
    """Keeps the tags, those that were not closed in order, and the text of each cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, Attributes]] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.open.append(tag)
        self.tags.append((tag, attrs))
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


def test_every_cell_is_read_back() -> None:
    (section,) = made.sections()
    for table in section.tables:
        page = Reader(html.table(table))
        heads = [column.head for column in table.columns]
        assert page.open == []
        assert page.cells == [*heads, *(cell for row in made.rows(table) for cell in row)]
        assert ("th", [("scope", "col")]) in page.tags
        assert page.tags.count(("th", [("scope", "row")])) == len(table.rows)
        best = sum(cell.best for row in table.rows for cell in row)
        assert [tag for tag, _ in page.tags].count("strong") == best


def test_scores_are_sorted_by_their_values() -> None:
    text = html.render(made.sections())
    assert '<td data-value="70.12"><strong>70.12</strong> (+8.22) [60.0, 64.0]</td>' in text
    assert '<td data-value="">undefined†</td>' in text


def test_only_tables_text_and_no_style() -> None:
    page = Reader(html.render(made.sections()))
    assert page.open == []
    allowed = {"section", "h3", "p", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _ in page.tags} == {*allowed, "strong"}
    assert {name for _, attributes in page.tags for name, _ in attributes} == {
        *("scope", "data-value")
    }


def test_code_in_remarks_is_marked_and_still_escaped() -> None:
    assert html.remark("its `a<b>`, 1 < 2") == "its <code>a&lt;b&gt;</code>, 1 &lt; 2"
    assert html.remark("one ` alone") == "one ` alone"
    section = Section(protocol="", title="", parts=("`wav2vec2`",))
    assert "<p><code>wav2vec2</code></p>" in html.render([section])


def test_without_a_title_there_is_no_heading() -> None:
    (section,) = made.sections()
    bare = Section(protocol="", title="", parts=section.parts)
    assert "<h3>" not in html.render([bare])
    assert html.render([]).strip() == ""
