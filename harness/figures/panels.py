"""Small panels side by side, one per task or domain, under one title and above one legend.

Laid out in inches, from the widths of words: quick, and nothing lies on anything else.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from harness.figures import style
from harness.figures.axes import Axis

_Box = tuple[float, float, float, float]  # left, bottom, width, height

BASELINE = (0, (5, 2))  # the dashes of a model without parameters
_BARE = {"marker": "none", "linestyle": BASELINE}
_ABREAST = 4  # panels, at most
_LINE = 0.19  # inches from line to line
_NUMBERS = 0.36  # inches beside and below a panel for the numbers of its axes
_GAP = 0.16  # inches between panels
HOLLOW = "Hollow: partial†, fewer clips than the task officially has."
SYNTHETIC = "° synthetic data: says that the machinery works, nothing about real sounds."


class Panels:
    """A figure with a panel per axis, each `size` inches, and what stands around them.

    rows: names of what all panels of a line of panels have in common from top to bottom, if
    they have; they stand once, beside the first.
    """

    def __init__(
        self, title: str, axes: Sequence[Axis], size: tuple[float, float], rows: Sequence[str] = ()
    ) -> None:
        columns = min(len(axes), _ABREAST)
        lines = math.ceil(len(axes) / columns)
        heads = [_head(axis) for axis in axes]
        head = _LINE * max(text.count("\n") + 1 for text in heads) + 0.06
        left = max(map(width, rows)) + 0.1 if rows else _NUMBERS
        step = size[0] + (_GAP if rows else _GAP + _NUMBERS)
        self._wide = left + step * columns - (step - size[0])
        self._high = lines * (head + size[1] + _NUMBERS)
        self.figure = Figure(figsize=(self._wide, self._high))
        self.plots: list[Axes] = []
        for number, text in enumerate(heads):
            line, column = divmod(number, columns)
            corner = (left + column * step, self._high - line * (head + size[1] + _NUMBERS) - head)
            plot = self.figure.add_axes(self._share(corner[0], corner[1] - size[1], *size))
            plot.set_title(text, loc="left")
            self.plots.append(plot)
            if rows:
                plot.set_yticks(range(len(rows)), rows if column == 0 else [""] * len(rows))
        self._write(title, self._high + 0.14, "bottom", size=12, weight="bold")
        self._foot = -0.06

    def legend(
        self, looks: Mapping[str, style.Style], sizes: Mapping[str, int] | None = None
    ) -> None:
        """Which model is which, below the panels: lines, or with `sizes` points."""
        handles = []
        for model, look in looks.items():
            handle = Line2D([], [], **look.line(), label=model)
            if sizes is not None:
                handle.set(**({"linestyle": "none"} if sizes[model] else _BARE))
            handles.append(handle)
        each = max(map(width, looks)) + 0.75
        columns = abreast(len(handles), int(self._wide / each))
        self.figure.legend(
            handles=handles,
            ncols=columns,
            loc="upper center",
            bbox_to_anchor=(0.5, self._foot / self._high),
            borderaxespad=0,
        )
        self._foot -= _LINE * math.ceil(len(handles) / columns) + 0.14

    def remark(self, axes: Sequence[Axis], *remarks: str) -> None:
        """How to read the picture, at its foot."""
        lines = [*remarks, *([SYNTHETIC] if any(axis.synthetic for axis in axes) else [])]
        self._write("\n".join(lines), self._foot, "top", size=8, color=style.FAINT)

    def _share(self, left: float, bottom: float, wide: float, high: float) -> _Box:
        """Inches → shares of the figure."""
        return left / self._wide, bottom / self._high, wide / self._wide, high / self._high

    def _write(self, text: str, up: float, edge: str, **looks: Any) -> None:
        self.figure.text(0.5, up / self._high, text, ha="center", va=edge, **looks)


def abreast(count: int, most: int) -> int:
    """Into how many columns, `most` at most, so that the rows are about equally long."""
    return math.ceil(count / math.ceil(count / max(most, 1)))


def width(text: str, size: float = 9) -> float:
    """How wide words are, in inches."""
    return TextPath((0, 0), text, size=size).get_extents().width / 72 if text else 0.0


def _head(axis: Axis) -> str:
    """What stands above a panel: its task, its metric unless that is accuracy."""
    metric = "" if axis.metric in ("accuracy", "") else f"\n{axis.metric}"
    return f"{axis.head}{metric}{'' if axis.higher_is_better else ', lower is better'}"
