"""Which pictures there are of some records, and why others are not."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import matplotlib
from matplotlib.figure import Figure

from harness import results
from harness.errors import UserError
from harness.figures import axes, bars, k, radar, size, style
from harness.figures.axes import Axis, Record
from harness.figures.picture import Picture

MOST = 8  # models whose lines can be told apart: as many as there are colours
LEAST = 3  # axes that span an area


Looks = Mapping[str, style.Style]  # model → what it looks like, in the order of the models


class Undrawn(UserError):
    """There is no such picture of these records; says why."""


class Pictures(NamedTuple):
    """drawn: by kind, then protocol. left_out: the name of each other one, and the reason."""

    drawn: list[Picture]
    left_out: dict[str, str]


class Subject(NamedTuple):
    """What a picture is to be of.

    name: of the picture. records: of one protocol. named: whether their tasks were named one by
    one. strict: whether to refuse more models than can be told apart instead of taking the best.
    looks: what each model looks like, in all pictures.
    """

    name: str
    records: Sequence[Record]
    named: bool
    strict: bool
    looks: Looks

    @property
    def protocol(self) -> str:
        """Its name."""
        return self.records[0]["protocol"]["name"]


def pictures(
    records: Sequence[Record], kinds: Sequence[str] = (), *, named: bool = False
) -> Pictures:
    """Every picture of some kinds, or of all, that the records have enough scores for.

    One of each kind per protocol. Of a suite that is averaged, the suite's tasks are shown and no
    others, unless the records' tasks were `named` one by one. A model looks the same in all
    pictures, unless there are more than can be told apart: then radar and k take the best by
    average rank, and their titles say so; or where `kinds` names them, they are left out.

    Raises:
        UserError: there is no picture at all of one of `kinds`; or one would mix versions of a
            task or a protocol.
    """
    looks = style.styles(axes.models(records))
    drawn: list[Picture] = []
    left_out: dict[str, str] = {}
    for kind in kinds or KINDS:
        reasons = {}
        protocols = sorted({record["protocol"]["name"] for record in records})
        for protocol in protocols:
            here = [record for record in records if record["protocol"]["name"] == protocol]
            results.require_one_version(here)
            subject = Subject(f"{kind}-{protocol}", here, named, bool(kinds), looks)
            try:
                with matplotlib.rc_context(style.SETTINGS):
                    drawn.append(KINDS[kind](subject))
            except Undrawn as reason:
                reasons[subject.name] = str(reason)
        if kinds and len(reasons) == len(protocols):
            raise UserError("; ".join(f"{name}: {why}" for name, why in reasons.items()))
        left_out |= reasons
    return Pictures(drawn, left_out)


def _radar(subject: Subject) -> Picture:
    found = axes.tasks(subject.records, subject.named)
    if len(found) < LEAST:
        raise Undrawn(f"expected scores on {LEAST} tasks or more, found {len(found)}")
    if len(_shown(subject, found)) < 2:
        raise Undrawn("expected 2 models or more to compare, found 1")
    found, looks, which = _few(subject, found)
    title = f"{subject.protocol}: {len(found)} tasks{which}"
    return _picture(subject, title, found, radar.draw(title, found, looks))


def _bars(subject: Subject) -> Picture:
    found = _averages_or_tasks(subject)
    title = f"{subject.protocol}: scores with their 95 % intervals"
    return _picture(subject, title, found, bars.draw(title, found, _shown(subject, found)))


def _k(subject: Subject) -> Picture:
    found = axes.tasks(subject.records, subject.named)
    over = k.curves(found, subject.records)
    if not over:
        raise Undrawn("expected scores for several k, found none")
    found, looks, which = _few(subject, [axis for axis in found if axis.name in over])
    title = f"{subject.protocol}: scores over k, the number of neighbours{which}"
    chosen = subject.records[0]["protocol"]["params"]["k"]
    figure = k.draw(title, found, over, chosen, looks)
    return _picture(subject, title, found, figure)


def _size(subject: Subject) -> Picture:
    found = _averages_or_tasks(subject)
    shown = _shown(subject, found)
    sizes = {r["model"]["name"]: r["model"]["parameters"] for r in subject.records}
    different = {sizes[model] for model in shown} - {0}
    if len(different) < 2:
        raise Undrawn(f"expected models of 2 sizes or more, found {len(different)}")
    title = f"{subject.protocol}: scores over the number of parameters"
    return _picture(subject, title, found, size.draw(title, found, sizes, shown))


def _averages_or_tasks(subject: Subject) -> list[Axis]:
    """The domains' averages where any is whole, else the tasks."""
    averages = [] if subject.named else axes.domains(subject.records)
    found = averages or axes.tasks(subject.records, subject.named)
    if not found:
        raise Undrawn("expected scores, found none that is defined")
    return found


def _few(subject: Subject, found: list[Axis]) -> tuple[list[Axis], Looks, str]:
    """The axes with no more models than can be told apart, what these look like; which, if few."""
    shown = _shown(subject, found)
    if len(shown) <= MOST:
        return found, shown, ""
    if subject.strict:
        raise Undrawn(f"expected {MOST} models at most, found {len(shown)}; pick some: --models")
    best = axes.by_rank(found, list(shown))[:MOST]
    looks = style.styles([model for model in shown if model in best])
    which = f", the {MOST} best of {len(shown)} models by average rank"
    return axes.of_models(found, best), looks, which


def _shown(subject: Subject, found: Sequence[Axis]) -> Looks:
    """What the models look like that have a score on any of the axes."""
    models = {model for axis in found for model in axis.scores}
    return {model: look for model, look in subject.looks.items() if model in models}


def _picture(subject: Subject, title: str, found: Sequence[Axis], figure: Figure) -> Picture:
    words = "Best: " + "; ".join(axis.words() for axis in found) + "."
    return Picture(name=subject.name, title=title, words=words, figure=figure)


KINDS: Mapping[str, Callable[[Subject], Picture]] = {
    "radar": _radar,
    "bars": _bars,
    "k": _k,
    "size": _size,
}
