"""The picture of scores over k, the number of neighbours: a panel per task, a line per model."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from harness.figures import style
from harness.figures.axes import Axis, Record
from harness.figures.panels import HOLLOW, Panels

Curves = Mapping[str, Mapping[str, Sequence[tuple[int, float]]]]
"""Task → model → (k, score as printed) by k."""

_SIZE = (2.0, 1.7)  # inches, of a panel


def curves(axes: Sequence[Axis], records: Sequence[Record]) -> Curves:
    """The scores over k of what is on the axes, which are of one task each."""
    found: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for axis in axes:
        for record in records:
            model = record["model"]["name"]
            if record["task"]["name"] == axis.name and model in axis.scores:
                by_k = record["scores"].get("by_k", {})
                unit = 100 if axis.rate else 1
                points = [(int(k), unit * s) for k, s in by_k.items() if s is not None]
                if points:
                    found.setdefault(axis.name, {})[model] = sorted(points)
    return found


def draw(
    title: str, axes: Sequence[Axis], over: Curves, chosen: int, looks: Mapping[str, style.Style]
) -> Figure:
    """The figure; `chosen` is the k that the score is of."""
    panels = Panels(title, axes, _SIZE)
    for plot, axis in zip(panels.plots, axes, strict=True):
        lines = over[axis.name]
        plot.axvline(chosen, color=style.FAINT, linestyle=(0, (1, 2)), linewidth=1)
        for model in (model for model in looks if model in lines):
            look, partial = looks[model], axis.scores[model].partial
            plot.plot(*zip(*lines[model], strict=True), **look.point(partial) | look.line())
        ks = sorted({k for points in lines.values() for k, _ in points})
        plot.set_xscale("log")
        plot.set_xticks(ks, [str(k) for k in ks])
        plot.xaxis.set_minor_locator(NullLocator())
    panels.legend(looks)
    hollow = [HOLLOW] if any(axis.partial for axis in axes) else []
    panels.remark(axes, f"Across: k. Dotted: k = {chosen}, which the score is of.", *hollow)
    return panels.figure
