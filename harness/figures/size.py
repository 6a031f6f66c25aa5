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
MARGIN = 1.6  # beyond the smallest and the largest: a round size lies between, however near
_ACROSS = "Across: parameters. Lines: 95 % interval."
_NONE = "Dashed lines: models without parameters."


def draw(
    title: str, axes: Sequence[Axis], sizes: Mapping[str, int], looks: Mapping[str, style.Style]
) -> Figure:
    """The figure; `sizes` are the models' parameters. One without any is a line, not a point."""
    panels = Panels(title, axes, _SIZE)
    found = [sizes[model] for model in looks if sizes[model]]
    low, high = min(found) / MARGIN, max(found) * MARGIN
    across = ticks(low, high)
    for plot, axis in zip(panels.plots, axes, strict=True):
        for model, score in axis.scores.items():
            if sizes[model]:
                _point(plot, sizes[model], score, looks[model])
            else:
                plot.axhline(score.value, color=looks[model].colour, linestyle=BASELINE)
        plot.set(xscale="log", xlim=(low, high))
        plot.xaxis.set_minor_locator(NullLocator())
        plot.set_xticks(across, [words(tick) for tick in across])
    panels.legend(looks, sizes)
    bare = [_NONE] if not all(sizes[model] for model in looks) else []
    hollow = [HOLLOW] if any(axis.partial for axis in axes) else []
    panels.remark(axes, _ACROSS, *bare, *hollow)
    return panels.figure


def _point(plot: Axes, parameters: int, score: Score, look: style.Style) -> None:
    if score.low is not None and score.high is not None:
        plot.plot([parameters] * 2, [score.low, score.high], color=look.colour, linewidth=1)
    plot.plot(parameters, score.value, **look.point(score.partial))


def ticks(low: float, high: float) -> list[float]:
    """Round sizes between two that are 2.5-fold apart or more: at most five, if that can be."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [step * 10.0**power for power in powers for step in steps]
        found = [tick for tick in found if low <= tick <= high]
        if len(found) <= 5:
            break
    return found


def words(number: float) -> str:
    """A number of parameters: 85 M, 1.2 B."""
    for unit, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if number >= unit:
            return f"{number / unit:.3g}{letter}"
    return f"{number:g}"
