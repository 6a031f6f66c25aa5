"""The picture of scores over the number of parameters: a panel per domain or task."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from harness.figures import style
from harness.figures.axes import Axis, Score
from harness.figures.panels import BASELINE, HOLLOW, Panels

_SIZE = (2.0, 1.8)  # inches, of a panel
_MARGIN = 1.6  # beyond the smallest and the largest: a round size lies between, however near
_ACROSS = "Across: parameters. Lines: 95 % interval."
_NONE = "Dashed lines: models without parameters."


def draw(
    title: str, axes: Sequence[Axis], sizes: Mapping[str, int], looks: Mapping[str, style.Style]
) -> Figure:
    """The figure; `sizes` are the models' parameters. One without any is a line, not a point."""
    panels = Panels(title, axes, _SIZE)
    found = [sizes[model] for model in looks if sizes[model]]
    low, high = min(found) / _MARGIN, max(found) * _MARGIN
    ticks = _ticks(low, high)
    for plot, axis in zip(panels.plots, axes, strict=True):
        for model, score in axis.scores.items():
            if sizes[model]:
                _point(plot, sizes[model], score, looks[model])
            else:
                plot.axhline(score.value, color=looks[model].colour, linestyle=BASELINE)
        plot.set(xscale="log", xlim=(low, high))
        plot.xaxis.set_minor_locator(NullLocator())
        plot.set_xticks(ticks, [words(size) for size in ticks])
    panels.legend(looks, sizes)
    bare = [_NONE] if not all(sizes[model] for model in looks) else []
    hollow = [HOLLOW] if any(axis.partial for axis in axes) else []
    panels.remark(axes, _ACROSS, *bare, *hollow)
    return panels.figure


def _point(plot: Axes, size: int, score: Score, look: style.Style) -> None:
    if score.low is not None and score.high is not None:
        plot.plot([size, size], [score.low, score.high], color=look.colour, linewidth=1)
    plot.plot(size, score.value, **look.point(score.partial))


def _ticks(low: float, high: float) -> list[float]:
    """Round sizes between two that are 2.5-fold apart or more: at most five, if that can be."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 5:
            break
    return ticks


def words(size: float) -> str:
    """A number of parameters: 85 M, 1.2 B."""
    for unit, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if size >= unit:
            return f"{size / unit:.3g}{letter}"
    return f"{size:g}"
