"""Sections → markdown, as GitHub shows it: the best of each column in bold."""

import re
from collections.abc import Sequence

from tabulate import tabulate

from harness.tables.table import Cell, Section, Table


def render(sections: Sequence[Section]) -> str:
    """A heading, tables and remarks for each section."""
    if not any(section.parts for section in sections):
        return "No records yet.\n"
    blocks = []
    for section in sections:
        if section.title:
            blocks.append(f"### {section.title}")
        for part in section.parts:
            if isinstance(part, Table):
                blocks += [f"{part.caption[:1].upper()}{part.caption[1:]}:"] if part.caption else []
                blocks.append(table(part))
            else:
                blocks.append(part)
    return "\n\n".join(blocks) + "\n"


def table(table: Table) -> str:
    """One table."""
    rows = [[cell(each) for each in row] for row in table.rows]
    heads = [_plain(column.head) for column in table.columns]
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def cell(cell: Cell) -> str:
    """What a cell prints, in bold if it is the best of its column."""
    text = _plain(f"{cell.text}{cell.marks}")
    return f"**{text}**{cell.note}" if cell.best else f"{text}{cell.note}"


def _plain(text: str) -> str:
    """Text that stays in its cell and is no markup: names are other people's."""
    return re.sub(r"[\\|*`\[\]<]", r"\\\g<0>", text)
