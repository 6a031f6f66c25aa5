"""The picture of bars: a panel per domain or task, a bar per model, its 95 % interval on it."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.figures import style
from harness.figures.axes import Axis, Score
from harness.figures.panels import Panels

_WIDTH, _BAR = 2.3, 0.24  # inches: a panel, a bar with the space around it
_INTERVAL = "Lines on bars: 95 % interval."
_FLOOR = "Dashed: what the majority class would score."
_NONE = "–: no score, or one of collapsed embeddings."
_PARTIAL = "Hatched: partial†, fewer clips than the task officially has."
_AVERAGES = "Averages stand where every task is whole; their intervals take tasks as independent."
_WORDS: dict[str, Any] = {"textcoords": "offset points", "va": "center_baseline", "size": 8}


def draw(title: str, axes: Sequence[Axis], looks: Mapping[str, style.Style]) -> Figure:
    """The figure, the models in the order of `looks` from top to bottom."""
    panels = Panels(title, axes, (_WIDTH, _BAR * len(looks) + 0.1), rows=list(looks))
    for plot, axis in zip(panels.plots, axes, strict=True):
        _panel(plot, axis, looks)
    lacking = any(model not in axis.scores for axis in axes for model in looks)
    remarks = [
        _INTERVAL + (f" {_FLOOR}" if any(axis.floor is not None for axis in axes) else ""),
        *([_NONE] if lacking else []),
        *([_PARTIAL] if any(axis.partial for axis in axes) else []),
        *([_AVERAGES] if not axes[0].metric else []),
    ]
    panels.remark(axes, *remarks)
    return panels.figure


def _panel(plot: Axes, axis: Axis, looks: Mapping[str, style.Style]) -> None:
    for place, (model, look) in enumerate(looks.items()):
        if model in axis.scores:
            _bar(plot, place, axis, axis.scores[model], look)
        else:
            plot.annotate("–", (0, place), xytext=(4, 0), **_WORDS)
    if axis.floor is not None:
        plot.axvline(axis.floor, color=style.FAINT, linestyle=(0, (4, 2)), linewidth=1)
    plot.set_ylim(len(looks) - 0.4, -0.6)
    plot.grid(visible=False)  # the numbers are printed
    if axis.rate:
        plot.set_xlim(0, 124)  # the last number stands beyond 100
        plot.set_xticks([0, 25, 50, 75, 100])
    else:
        low, high = _ends(axis)
        plot.set_xlim(min(low * 1.3, 0), max(high * 1.3, 0))


def _bar(plot: Axes, place: int, axis: Axis, score: Score, look: style.Style) -> None:
    bar = plot.barh(place, score.value, height=0.66, color=look.colour)[0]
    if score.partial:
        bar.set(facecolor="none", edgecolor=look.colour, hatch="////")
    end = score.value
    if score.low is not None and score.high is not None:
        plot.plot([score.low, score.high], [place, place], color=style.INK, linewidth=1.2)
        end = max(end, score.high)
    text = f"{axis.text(score.value)}{'†' if score.partial else ''}"
    plot.annotate(text, (max(end, 0), place), xytext=(4, 0), **_WORDS)


def _ends(axis: Axis) -> tuple[float, float]:
    """The smallest and the largest number in the panel."""
    ends = [[score.value, score.low, score.high] for score in axis.scores.values()]
    numbers = [end for three in [*ends, [axis.floor]] for end in three if end is not None]
    return min(numbers), max(numbers)
