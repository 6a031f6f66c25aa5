"""Sections → HTML, a fragment: headings, tables and remarks, without any style of its own."""

import re
from collections.abc import Sequence
from html import escape

from harness.tables.table import Cell, Column, Section, Table


def render(sections: Sequence[Section]) -> str:
    """The sections one after the other."""
    return "\n".join(f"<section>\n{_section(section)}\n</section>" for section in sections) + "\n"


def _section(section: Section) -> str:
    parts = (
        table(part) if isinstance(part, Table) else f"<p>{remark(part)}</p>"
        for part in section.parts
    )
    title = [f"<h3>{escape(section.title)}</h3>"] if section.title else []
    return "\n".join([*title, *parts])


def remark(text: str) -> str:
    """A remark's words, escaped; what stands between backticks, as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def table(table: Table) -> str:
    """One table; a cell of scores has its value as data-value, empty where there is none."""
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    heads = "".join(f'<th scope="col">{escape(column.head)}</th>' for column in table.columns)
    rows = "\n".join(_row(table.columns, row) for row in table.rows)
    return f"<table>{caption}\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    first = f'<th scope="row">{_text(row[0])}</th>'
    rest = zip(columns[1:], row[1:], strict=True)
    return f"<tr>{first}{''.join(_cell(column, cell) for column, cell in rest)}</tr>"


def _cell(column: Column, cell: Cell) -> str:
    value = "" if cell.value is None else f"{cell.value:g}"
    data = f' data-value="{value}"' if column.scores else ""
    return f"<td{data}>{_text(cell)}</td>"


def _text(cell: Cell) -> str:
    text = escape(f"{cell.text}{cell.marks}")
    return f"<strong>{text}</strong>{escape(cell.note)}" if cell.best else text + escape(cell.note)
