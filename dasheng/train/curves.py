"""Curves over the steps of a run as one SVG picture: small panels, each with lines to compare with.

Written by hand, for it is lines and text: a plotting library would be a dependency for one picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 300, 170  # px of a panel's plot
_LEFT, _TOP, _RIGHT, _BOTTOM = 46, 40, 14, 30  # px around it
_CURVE = "#1f5fbf"
_LINES = ("#c23b22", "#777777", "#2e8b57")


class Panel(NamedTuple):
    """One curve.

    `name` is the curve's, `points` its (step, value) in order; `lines` are values by name that do
    not change over the steps.
    """

    title: str
    name: str
    points: Sequence[tuple[int, float]]
    lines: Mapping[str, float]


def draw(panels: Sequence[Panel], columns: int = 2) -> str:
    """An SVG document with all panels, side by side in so many columns."""
    wide, high = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _BOTTOM
    rows = math.ceil(len(panels) / columns)
    size = f'width="{wide * min(columns, len(panels))}" height="{high * rows}"'
    font = 'font-family="sans-serif" font-size="11"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        moved = f'transform="translate({wide * column} {high * row})"'
        parts.append(f"<g {moved}>\n{_panel(panel)}\n</g>")
    return "\n".join([*parts, "</svg>\n"])


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values from `low` to `high`: multiples of 1, 2 or 5 times a power of ten."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step * about >= high - low)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _panel(panel: Panel) -> str:
    steps = [step for step, _ in panel.points]
    values = [*(value for _, value in panel.points), *panel.lines.values()]
    last = max(*steps, 1)
    margin = 0.08 * (max(values) - min(values)) or 0.01
    low, high = min(values) - margin, max(values) + margin

    def x(step: float) -> float:
        return _LEFT + _WIDTH * step / last

    def y(value: float) -> float:
        return _TOP + _HEIGHT * (high - value) / (high - low)

    parts = [_text(_LEFT, 14, panel.title, weight="bold")]
    for tick in ticks(low, high):
        parts.append(_line(_LEFT, y(tick), _LEFT + _WIDTH, y(tick), "#e4e4e4"))
        parts.append(_text(_LEFT - 5, y(tick) + 4, f"{tick:g}", anchor="end"))
    for tick in ticks(0, last):
        parts.append(_text(x(tick), _TOP + _HEIGHT + 15, f"{tick:,.0f}", anchor="middle"))
    parts.append(_text(_LEFT + _WIDTH, _TOP + _HEIGHT + 27, "steps", anchor="end"))
    for value, colour in zip(panel.lines.values(), _LINES, strict=False):
        parts.append(_line(_LEFT, y(value), _LEFT + _WIDTH, y(value), colour, dash="5 4"))
    place = _LEFT
    for name, colour in zip([panel.name, *panel.lines], (_CURVE, *_LINES), strict=False):
        parts.append(_text(place, 30, name, colour=colour))
        place += 7 * len(name) + 14
    points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in panel.points)
    parts.append(f'<polyline points="{points}" fill="none" stroke="{_CURVE}" stroke-width="2"/>')
    for step, value in panel.points:
        parts.append(f'<circle cx="{x(step):.1f}" cy="{y(value):.1f}" r="2.5" fill="{_CURVE}"/>')
    return "\n".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "none") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-dasharray="{dash}"/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: str = "#333333",
    weight: str = "normal",
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text {place} fill="{colour}">{escape(text)}</text>'
