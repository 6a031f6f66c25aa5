"""Which pictures there are of some records, and why others are not."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import matplotlib

from harness.errors import UserError
from harness.figures import axes, radar, style
from harness.figures.axes import Axis, Record
from harness.figures.picture import Picture


class Undrawn(UserError):
    """There is no such picture of these records; says why."""


class Pictures(NamedTuple):
    """drawn: in order of their names. left_out: a line with the reason for each other."""

    drawn: list[Picture]
    left_out: list[str]


# A name, the records of one protocol, whether their tasks were named one by one, what each model
# looks like → the picture. Raises Undrawn.
Draw = Callable[[str, Sequence[Record], bool, Mapping[str, style.Style]], Picture]


def pictures(
    records: Sequence[Record],
    kinds: Sequence[str] = (),
    *,
    tasks: Sequence[str] = (),
) -> Pictures:
    """Every picture of some kinds, or of all, that the records have enough scores for.

    One of each kind per protocol; models look alike in all. A suite's radar has the suite's tasks,
    unless `tasks` names others. Of more models than a radar can show it has the best by average
    rank, and its title says so.
    """
    looks = style.styles(axes.models(records))
    drawn, left_out = [], []
    for kind in kinds or KINDS:
        for protocol in sorted({record["protocol"]["name"] for record in records}):
            name = f"{kind}-{protocol}"
            here = [r for r in records if r["protocol"]["name"] == protocol]
            if tasks:
                here = [r for r in here if r["task"]["name"] in tasks]
            try:
                with matplotlib.rc_context(style.SETTINGS):
                    drawn.append(KINDS[kind](name, here, bool(tasks), looks))
            except Undrawn as reason:
                left_out.append(f"{name}: {reason}")
    return Pictures(drawn, left_out)


def _radar(
    name: str, records: Sequence[Record], named: bool, looks: Mapping[str, style.Style]
) -> Picture:
    found = axes.tasks(records, named)
    if len(found) < radar.LEAST:
        raise Undrawn(f"expected scores on {radar.LEAST} tasks or more, found {len(found)}")
    shown = [model for model in looks if any(model in axis.scores for axis in found)]
    title = f"{records[0]['protocol']['name']}, {len(found)} tasks"
    if len(shown) > radar.MOST:
        best = axes.by_rank(found, shown)[: radar.MOST]
        title += f": the {radar.MOST} best of {len(shown)} models by average rank"
        shown = [model for model in shown if model in best]
        found = axes.of_models(found, shown)
    figure = radar.draw(title, found, {model: looks[model] for model in shown})
    return Picture(name=name, title=title, words=_words(found), figure=figure)


def _words(found: Sequence[Axis]) -> str:
    """The best of each axis in words, for who cannot see the picture."""
    return "; ".join(axis.words() for axis in found) + "."


KINDS: Mapping[str, Draw] = {"radar": _radar}
