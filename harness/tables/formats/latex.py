r"""Sections → LaTeX: a table environment each, with booktabs' rules.

Needs \usepackage{booktabs} and \usepackage{textcomp}. Wide tables are the paper's to fit:
\resizebox, or fewer tasks.
"""

import re
from collections.abc import Sequence

from harness.tables.table import Cell, Section, Table

_ESCAPES = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"°": r"\textdegree{}", "†": r"\textdagger{}", "‡": r"\textdaggerdbl{}", "…": r"\dots{}"},
    **{"–": "--", "−": "$-$", "±": r"$\pm$", "≤": r"$\leq$", "×": r"$\times$", "′": "$'$"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    **{"`": r"\textasciigrave{}", '"': "''"},
}
_ESCAPED = re.compile("|".join(map(re.escape, _ESCAPES)))


def render(sections: Sequence[Section]) -> str:
    """Each table in an environment of its own; remarks below it, in small print."""
    blocks = []
    for section in sections:
        blocks.append(f"% {section.title}")
        remarks = [escaped(part) for part in section.parts if isinstance(part, str)]
        for table in section.tables:
            blocks.append(_table(_caption(section, table), table))
        blocks += [rf"{{\footnotesize {' '.join(remarks)}\par}}"] if remarks else []
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)


def _caption(section: Section, table: Table) -> str:
    return ": ".join(filter(None, [section.protocol, table.caption]))


def _table(caption: str, table: Table) -> str:
    align = "".join("r" if column.scores else "l" for column in table.columns)
    heads = " & ".join(escaped(column.head) for column in table.columns)
    rows = (" & ".join(map(_cell, row)) + r" \\" for row in table.rows)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(caption)}}}",
            rf"\begin{{tabular}}{{{align}}}",
            r"\toprule",
            rf"{heads} \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _cell(cell: Cell) -> str:
    text = escaped(f"{cell.text}{cell.marks}")
    # A bracket after \\ would be read as its argument: braces keep a row's first cell its own.
    first = rf"\textbf{{{text}}}" if cell.best else f"{{{text}}}" if text[:1] == "[" else text
    return f"{first}{escaped(cell.note)}"
