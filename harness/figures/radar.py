"""The radar picture: an axis per task, a closed line per model.

Each axis has its own scale, from the best score shown at its rim down to a share of it at the
centre that is the same on all axes: none of it, a score of 0, or half of it where no model comes
near that; the picture says which. Where lower is better, drawn is the best's share of the score.
All words stand outside the rim, where no line comes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle

from harness.figures import panels, style
from harness.figures.axes import Axis

_RADIUS = 2.8  # inches from the centre to the rim
_BAND = 1.075  # where domains are named, the rim being 1
_WORDS = 1.15  # where tasks are named
_REACH = 1.2  # of the picture's plot; words go beyond
_LINE = 12.5  # points from line to line of words
_RIM = "Rim: the best of these models on each task, as printed."
_FROM_0 = f"{_RIM} Centre: a score of 0. Rings: 25, 50 and 75 % of the best."
_FROM_HALF = f"{_RIM} Centre: half of the best. Rings: 60, 70, 80 and 90 % of the best."
_LOWER = "↓: lower is better; drawn is the best's share of the score."
_GAPS = "Gaps: no score, or one of collapsed embeddings."


def draw(title: str, axes: Sequence[Axis], looks: Mapping[str, style.Style]) -> Figure:
    """The figure; `axes` grouped by domain, `looks` of the models to show."""
    figure = Figure(figsize=(2 * _REACH * _RADIUS,) * 2)
    plot = figure.add_axes((0, 0, 1, 1))
    plot.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), aspect="equal")
    plot.set_axis_off()
    turns = [math.pi / 2 - 2 * math.pi * number / len(axes) for number in range(len(axes))]
    scale = scale_of(axes)
    for share in (*scale.rings, 1.0):
        ring = Circle((0, 0), scale.radius(share), fill=False, color=style.GRID, linewidth=0.8)
        plot.add_patch(ring)
    for axis, turn in zip(axes, turns, strict=True):
        plot.plot(*_points([turn, turn], [0, 1]), color=style.GRID, linewidth=0.8)
        _name(plot, axis, turn)
    _domains(plot, axes, turns)
    for model, look in looks.items():
        _model(plot, model, look, axes, turns, scale)
    _legend(plot, title, axes, looks)
    _remark(plot, axes, looks, scale)
    return figure


@dataclass(frozen=True)
class Scale:
    """centre: the share of the best that lies there; rings: the shares drawn; words: as printed."""

    centre: float
    rings: tuple[float, ...]
    words: str

    def radius(self, share: float) -> float:
        """Where a share of the best lies between the centre, 0, and the rim, 1."""
        return (share - self.centre) / (1 - self.centre)


def scale_of(axes: Sequence[Axis]) -> Scale:
    """The scale of all axes: from half of the best only if every score is above the first ring."""
    half = Scale(0.5, (0.6, 0.7, 0.8, 0.9), _FROM_HALF)
    least = min(share(axis, score.value) for axis in axes for score in axis.scores.values())
    return half if least >= half.rings[0] else Scale(0, (0.25, 0.5, 0.75), _FROM_0)


def share(axis: Axis, value: float) -> float:
    """A score as a share of the best on its axis, 0 to 1; the other way where lower is better."""
    less, more = (value, axis.best) if axis.higher_is_better else (axis.best, value)
    if less == more:
        return 1.0
    return max(less / more, 0.0) if more > 0 else 0.0


def _points(turns: Sequence[float], radii: Sequence[float]) -> tuple[list[float], list[float]]:
    both = list(zip(turns, radii, strict=True))
    return [r * math.cos(turn) for turn, r in both], [r * math.sin(turn) for turn, r in both]


def _model(
    plot: Axes,
    model: str,
    look: style.Style,
    axes: Sequence[Axis],
    turns: Sequence[float],
    scale: Scale,
) -> None:
    """One model's line, broken where it has no score, and its points."""
    scores = [axis.scores.get(model) for axis in axes]
    radii = [
        scale.radius(share(axis, score.value)) if score else math.nan
        for axis, score in zip(axes, scores, strict=True)
    ]
    line = look.line() | {"marker": "none"}
    plot.plot(*_points([*turns, turns[0]], [*radii, radii[0]]), **line)
    for partial in (False, True):
        here = [n for n, score in enumerate(scores) if score and score.partial == partial]
        xs, ys = _points([turns[n] for n in here], [radii[n] for n in here])
        plot.plot(xs, ys, **look.point(partial))


def _name(plot: Axes, axis: Axis, turn: float) -> None:
    """A task's name, its best score and, where it is not accuracy, its metric: outside the rim."""
    lines = _lines(axis)
    across, up = math.cos(turn), math.sin(turn)
    side = "center" if abs(across) < 0.1 else "left" if across > 0 else "right"
    top = _LINE * (len(lines) * (up + 1) / 2 - 0.5)
    for number, (text, looks) in enumerate(lines):
        plot.annotate(
            text,
            (_WORDS * across, _WORDS * up),
            xytext=(0, top - number * _LINE),
            textcoords="offset points",
            ha=side,
            va="center",
            **looks,
        )


def _lines(axis: Axis) -> list[tuple[str, dict[str, Any]]]:
    best = next(score for score in axis.scores.values() if score.value == axis.best)
    number = f"{axis.text(axis.best)}{'†' if best.partial else ''}"
    lines: list[tuple[str, dict[str, Any]]] = [
        (f"{axis.head}{'' if axis.higher_is_better else ' ↓'}", {}),
        (number, {"weight": "bold"}),
    ]
    if axis.metric not in ("accuracy", ""):
        lines.append((axis.metric, {"size": 7, "color": style.FAINT}))
    return lines


def _domains(plot: Axes, axes: Sequence[Axis], turns: Sequence[float]) -> None:
    """An arc along each domain's axes, with its name in the middle."""
    step = 360 / len(axes)
    for domain in dict.fromkeys(axis.domain for axis in axes):
        pairs = zip(turns, axes, strict=True)
        here = [math.degrees(turn) for turn, axis in pairs if axis.domain == domain]
        first, last = max(here) + 0.4 * step, min(here) - 0.4 * step
        middle = (first + last) / 2
        size = 9
        half = math.degrees(panels.width(domain, size) / _RADIUS / _BAND) / 2 + 2
        for start, end in ((last, middle - half), (middle + half, first)):
            if end > start:
                plot.add_patch(
                    Arc((0, 0), 2 * _BAND, 2 * _BAND, theta1=start, theta2=end, color=style.FAINT)
                )
        upright = 90 if math.sin(math.radians(middle)) < -1e-9 else -90
        plot.text(
            _BAND * math.cos(math.radians(middle)),
            _BAND * math.sin(math.radians(middle)),
            domain,
            rotation=middle + upright,
            rotation_mode="anchor",
            ha="center",
            va="center",
            size=size,
            color=style.FAINT,
        )


def _edge(axes: Sequence[Axis]) -> float:
    """How far the words reach above and below the middle, as a share of the plot."""
    high = _LINE * max(len(_lines(axis)) for axis in axes) / 72 / _RADIUS
    return (_WORDS + high + 0.06) / (2 * _REACH)


def _legend(plot: Axes, title: str, axes: Sequence[Axis], looks: Mapping[str, style.Style]) -> None:
    """The title and the models, above the picture."""
    lines, labels = [], []
    for model, look in looks.items():
        count = sum(model in axis.scores for axis in axes)
        labels.append(model if count == len(axes) else f"{model} ({count} of {len(axes)} tasks)")
        lines += plot.plot([], [], **look.line())
    plot.legend(
        lines,
        labels,
        title=title,
        title_fontproperties={"size": 12, "weight": "bold"},
        loc="lower center",
        bbox_to_anchor=(0.5, 0.5 + _edge(axes)),
        ncols=panels.abreast(len(labels), 4 if max(map(len, labels)) <= 20 else 2),
        borderaxespad=0,
    )


def _remark(
    plot: Axes, axes: Sequence[Axis], looks: Mapping[str, style.Style], scale: Scale
) -> None:
    """How to read the picture, below it."""
    lacking = any(model not in axis.scores for axis in axes for model in looks)
    remarks = [
        scale.words,
        *([_LOWER] if not all(axis.higher_is_better for axis in axes) else []),
        *([_GAPS] if lacking else []),
        *([panels.HOLLOW] if any(axis.partial for axis in axes) else []),
        *([panels.SYNTHETIC] if any(axis.synthetic for axis in axes) else []),
    ]
    plot.text(
        0.5,
        0.5 - _edge(axes),
        "\n".join(remarks),
        transform=plot.transAxes,
        ha="center",
        va="top",
        size=8,
        color=style.FAINT,
    )
