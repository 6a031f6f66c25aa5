"""The picture of scores over the number of parameters: a panel per domain or task."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from harness.figures import style
from harness.figures.axes import Axis, Score
from harness.figures.panels import BASELINE, Panels

_SIZE = (2.0, 1.8)  # inches, of a panel
_ACROSS = "Across: parameters. Lines: 95 % interval."
_NONE = "Dashed lines: models without parameters."


def draw(
    title: str, axes: Sequence[Axis], sizes: Mapping[str, int], looks: Mapping[str, style.Style]
) -> Figure:
    """The figure; `sizes` are the models' parameters. One without any is a line, not a point."""
    panels = Panels(title, axes, _SIZE)
    for plot, axis in zip(panels.plots, axes, strict=True):
        for model, score in axis.scores.items():
            if sizes[model]:
                _point(plot, sizes[model], score, looks[model])
            else:
                plot.axhline(score.value, color=looks[model].colour, linestyle=BASELINE)
        plot.set_xscale("log")
        plot.margins(x=0.15)
        plot.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=5))
        plot.xaxis.set_minor_locator(NullLocator())
        plot.xaxis.set_major_formatter(FuncFormatter(lambda size, _: words(size)))
    panels.legend(looks, sizes)
    bare = [_NONE] if not all(sizes[model] for model in looks) else []
    panels.remark(axes, _ACROSS, *bare)
    return panels.figure


def _point(plot: Axes, size: int, score: Score, look: style.Style) -> None:
    if score.low is not None and score.high is not None:
        plot.plot([size, size], [score.low, score.high], color=look.colour, linewidth=1)
    fill = "none" if score.partial else look.colour
    plot.plot(size, score.value, look.marker, color=look.colour, markerfacecolor=fill)


def words(size: float) -> str:
    """A number of parameters: 85 M, 1.2 B."""
    for unit, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if size >= unit:
            return f"{size / unit:.3g}{letter}"
    return f"{size:g}"
