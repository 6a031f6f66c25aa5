"""How the pictures look: one model is one colour, marker and dash, in all of them.

The first colours are Okabe and Ito's, told apart by the colour-blind
(https://jfly.uni-koeln.de/color/), but for their yellow, which white paper swallows, and black,
which is the words'; the last two are Paul Tol's wine and a grey. A marker and a dash go with each,
so that a picture says the same without colour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib

INK, FAINT, GRID = "#1b1b1f", "#5f5f66", "#d4d4d9"  # of lines and words; less; least
_COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#56b4e9", "#e69f00", "#882255", "#8a8a8f"),
)
_MARKERS = "os^DvPX*"
_DASHES = ("-", (0, (6, 1.5)), (0, (3, 1)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
VARIABLES: Mapping[str, str] = {
    INK: "currentColor",
    FAINT: f"var(--figure-faint, {FAINT})",
    GRID: f"var(--figure-grid, {GRID})",
    **{
        colour: f"var(--figure-model-{number}, {colour})"
        for number, colour in enumerate(_COLOURS, start=1)
    },
}
"""What each colour becomes in a page: its text colour, or a variable that it may set."""

SETTINGS: dict[Any, Any] = {
    **{name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"},
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same letters on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "figure.titlesize": 12,
    "text.color": INK,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": GRID,
    "xtick.bottom": False,
    "ytick.left": False,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "lines.markersize": 5,
    "text.parse_math": False,  # a name is a name, also with $ in it
    "svg.hashsalt": "dasheng-bench",  # names inside the file; random without it
}
"""Of matplotlib, all of them: a user's own matplotlibrc does not reach the pictures."""


@dataclass(frozen=True)
class Style:
    """What a model looks like."""

    colour: str
    marker: str
    dash: str | tuple[int, tuple[float, ...]]

    def line(self) -> dict[str, Any]:
        """The keywords of a line with its points."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.dash,
            "linewidth": 1.5,
        }

    def point(self, partial: bool = False) -> dict[str, Any]:
        """The keywords of points alone; those of partial scores are hollow, and larger for it."""
        hollow = {"markerfacecolor": "none", "markersize": 7.5, "markeredgewidth": 1.4}
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": "none",
            **(hollow if partial else {}),
        }


def styles(models: Sequence[str]) -> dict[str, Style]:
    """What each of the models looks like, in this order; no two alike among 40."""
    rounds = len(_COLOURS)
    return {
        model: Style(
            _COLOURS[number % rounds],
            _MARKERS[(number + number // rounds) % len(_MARKERS)],
            _DASHES[number % len(_DASHES)],
        )
        for number, model in enumerate(models)
    }
