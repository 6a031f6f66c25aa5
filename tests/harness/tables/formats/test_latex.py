"""LaTeX prints names as they are, and pdflatex sets every table (`pytest -m latex`)."""

import re
import subprocess
from pathlib import Path

import pytest

from harness import results, tables
from harness.tables import published
from harness.tables.formats import latex
from tests.harness import synthetic_results
from tests.harness.tables import made

ROOT = Path(__file__).parents[4]
PAGE = r"""\documentclass{article}
\usepackage{booktabs}
\usepackage{textcomp}
\begin{document}
%s
\end{document}
"""


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("100 % #1 $2 {x}", r"100 \% \#1 \$2 \{x\}"),
        ("\\~^", r"\textbackslash{}\textasciitilde{}\textasciicircum{}"),
        ('"a" <b>', r"''a'' \textless{}b\textgreater{}"),
        ("(−1.00)° ± †‡ –", r"($-$1.00)\textdegree{} $\pm$ \textdagger{}\textdaggerdbl{} --"),
    ],
)
def test_signs_are_escaped_once(text: str, set_as: str) -> None:
    assert latex.escaped(text) == set_as


def test_a_table_has_booktabs_rules_and_as_many_cells_as_columns() -> None:
    text = latex.render(made.sections())
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 2
    for align, body in re.findall(r"\\begin{tabular}{(\w+)}(.*?)\\end{tabular}", text, re.DOTALL):
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert lines
        for line in lines:
            assert len(re.split(r"(?<!\\)&", line)) == len(align)


def test_the_best_is_bold_and_a_bracket_starts_no_argument() -> None:
    text = latex.render(made.sections())
    assert r"\textbf{70.12} (+8.22) [60.0, 64.0]" in text
    assert "\n" r"{[x]*\textasciigrave{}''} & " in text


def test_each_table_names_its_protocol() -> None:
    text = latex.render(made.sections())
    assert r"\caption{knn: published tasks}" in text
    assert r"\caption{knn: measured, other tasks}" in text
    assert latex.render([]) == "\n"


@pytest.mark.latex
@pytest.mark.parametrize("source", ["made", "real", "synthetic"])
def test_latex_sets_every_table(source: str, tmp_path: Path) -> None:
    folder = ROOT / "results"
    if source == "synthetic":
        folder = synthetic_results.write(tmp_path / "results", clips=40)
    records = list(results.read_all(folder))
    sections = tables.sections(records, published.beside(records, folder), intervals=True)
    text = latex.render(made.sections() if source == "made" else sections)
    (tmp_path / "page.tex").write_text(PAGE % text.replace(r"\begin{table}", r"\begin{table}[p]"))
    ran = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:]
