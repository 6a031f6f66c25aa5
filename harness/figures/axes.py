"""Records → what a picture shows of them: axes, each with a score of every model that has one.

An axis is a task, a suite's whole of several tasks, or the average of a domain. A score that is
missing, undefined or of collapsed embeddings is not on it, and is never drawn as 0.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from harness import metrics, results
from harness.results import Record
from harness.suites import SUITES, Columns, Suite, averaged

_TENTH = Decimal("0.1")
_DOMAINS = ("environment", "speech", "music")  # in this order; others follow


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score as printed, in percent where it is a rate, with its 95 % interval if it has one."""

    value: float
    low: float | None
    high: float | None
    partial: bool


@dataclass(frozen=True, kw_only=True)
class Axis:
    """What is measured, and how the models did.

    name: of the task, the whole or the domain; title: shorter. domain: of its tasks. metric: its
    name, "" where it is an average. rate: whether scores are in percent. floor: what the majority
    class would score, None where that is not one number. scores: by model, in the models' order.
    """

    name: str
    title: str
    domain: str
    metric: str
    higher_is_better: bool
    rate: bool
    synthetic: bool
    floor: float | None
    scores: Mapping[str, Score]

    @property
    def head(self) -> str:
        """The title with its mark."""
        return f"{self.title}{'°' if self.synthetic else ''}"

    @property
    def best(self) -> float:
        """The best score; there is at least one."""
        values = [score.value for score in self.scores.values()]
        return max(values) if self.higher_is_better else min(values)

    @property
    def partial(self) -> bool:
        """Whether any of the scores is."""
        return any(score.partial for score in self.scores.values())

    def words(self) -> str:
        """The best score and whose it is, for who cannot see the picture."""
        whose = [model for model, score in self.scores.items() if score.value == self.best]
        return f"{self.title} {self.text(self.best)} ({', '.join(whose)})"

    def text(self, value: float) -> str:
        """A score in words: of a rate a decimal less than tables print of it, halves up.

        What is rounded is what they print, so that 65.25 and 72.25 there are 65.3 and 72.3 here.
        """
        printed = f"{value:.2f}"
        return str(Decimal(printed).quantize(_TENTH, ROUND_HALF_UP)) if self.rate else printed


def models(records: Iterable[Record]) -> list[str]:
    """The models by size, as tables have them."""
    sizes = {record["model"]["name"]: record["model"]["parameters"] for record in records}
    return sorted(sizes, key=lambda model: (sizes[model], model))


def tasks(records: Sequence[Record], named: bool = False) -> list[Axis]:
    """An axis per task of one protocol's records, grouped by domain.

    Where the protocol's suite is averaged and begun, the suite's tasks only, and wholes instead of
    their parts; unless the tasks were `named` one by one.
    """
    suite = suite_of(records)
    names = {record["task"]["name"] for record in records}
    first = suite.tasks if suite else ()
    order = dict.fromkeys([*first, *sorted(names)])
    columns: Columns = {name: (name,) for name in order if name in names}
    if suite and suite.domains and not named and names & set(suite.tasks):
        wholes = suite.columns(suite.tasks)
        columns = {name: parts for name, parts in wholes.items() if names & set(parts)}
    found = [_axis(name, {name: parts}, records) for name, parts in columns.items()]
    return sorted((axis for axis in found if axis.scores), key=_domain)


def domains(records: Sequence[Record]) -> list[Axis]:
    """An axis per domain of the suite: the plain mean of its tasks, of models with all of them.

    Scores are averaged where all are rates, and more of them is better.
    """
    suite = suite_of(records)
    if suite is None:
        return []
    grouped = {name: suite.columns(parts) for name, parts in suite.domains.items()}
    found = [_axis(name, columns, records, whole=True) for name, columns in grouped.items()]
    return [axis for axis in found if axis.scores and axis.rate and axis.higher_is_better]


def of_models(axes: Sequence[Axis], models: Sequence[str]) -> list[Axis]:
    """The axes with the scores of some models, less those that none of them has a score on."""
    fewer = [
        replace(axis, scores={m: score for m, score in axis.scores.items() if m in models})
        for axis in axes
    ]
    return [axis for axis in fewer if axis.scores]


def by_rank(axes: Sequence[Axis], models: Sequence[str]) -> list[str]:
    """The models by their average rank over the axes, the best first.

    Equal scores share a rank; a model without a score on an axis is last there.
    """
    return sorted(models, key=lambda model: sum(_rank(axis, model, len(models)) for axis in axes))


def _rank(axis: Axis, model: str, models: int) -> float:
    if model not in axis.scores:
        return models
    sign = 1 if axis.higher_is_better else -1
    own = sign * axis.scores[model].value
    others = [sign * score.value for score in axis.scores.values()]
    better, equal = (sum(v > own for v in others), sum(v == own for v in others))
    return better + (equal + 1) / 2


def suite_of(records: Sequence[Record]) -> Suite | None:
    """The suite that is measured with the records' protocol: the averaged one, if there is one."""
    if not records:
        return None
    protocol = records[0]["protocol"]["name"]
    plain = (suite for suite in SUITES.values() if protocol in suite.protocols)
    return averaged(protocol) or next(plain, None)


def _domain(axis: Axis) -> tuple[int, str]:
    known = axis.domain in _DOMAINS
    return (_DOMAINS.index(axis.domain), "") if known else (len(_DOMAINS), axis.domain)


def _axis(name: str, columns: Columns, records: Sequence[Record], whole: bool = False) -> Axis:
    """The mean over columns, each the mean of its tasks; with `whole`, of no partial score."""
    weights = {
        task: 1 / (len(columns) * len(parts)) for parts in columns.values() for task in parts
    }
    of_tasks = [record for record in records if record["task"]["name"] in weights]
    facts = [record["task"] for record in of_tasks]
    judged = sorted({fact["metric"] for fact in facts})
    rate = all(map(metrics.is_rate, judged))
    short = name.removeprefix("hear-")
    scores = {}
    for model in models(of_tasks):
        found = {r["task"]["name"]: r for r in of_tasks if r["model"]["name"] == model}
        score = _mean(found, weights, 100 if rate else 1)
        if score and not (whole and score.partial):
            scores[model] = score
    return Axis(
        name=name,
        title=name if short in {record["task"]["name"] for record in records} else short,
        domain=facts[0]["domain"] if facts else "",
        metric=judged[0] if len(judged) == 1 and not whole else "",
        higher_is_better=all(fact["higher_is_better"] for fact in facts),
        rate=rate,
        synthetic=any(fact["synthetic"] for fact in facts),
        floor=_floor(of_tasks, 100 if rate else 1) if len(weights) == 1 else None,
        scores=scores,
    )


def _mean(records: Mapping[str, Record], weights: Mapping[str, float], unit: float) -> Score | None:
    """The weighted mean over tasks with its interval; None where one of them has no score.

    Tasks are taken as independent, so variances add; as an interval may be lopsided, each side
    is combined on its own: low = Σwθ − √Σ(w(θ − low))², high likewise. Zou and Donner,
    "Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008).
    Tasks that share clips, such as a drum's stroke and its tonic, are not quite independent.
    """
    found = [(weight, records.get(task)) for task, weight in weights.items()]
    scored = [(w, r) for w, r in found if r and r["score"] is not None and not _collapsed(r)]
    if len(scored) < len(weights):
        return None
    value = sum(weight * record["score"] for weight, record in scored)
    ends: list[float | None] = []
    for end, sign in ((0, -1), (1, 1)):
        limits = [record["scores"]["ci95"][end] for _, record in scored]
        if None in limits:
            ends.append(None)
            continue
        sides = (w * (limit - r["score"]) for (w, r), limit in zip(scored, limits, strict=True))
        ends.append(unit * (value + sign * math.hypot(*sides)))
    return Score(
        value=unit * value,
        low=ends[0],
        high=ends[1],
        partial=any(results.is_partial(record) for _, record in scored),
    )


def _collapsed(record: Record) -> bool:
    return record["scores"]["collapsed"] is not None


def _floor(records: Sequence[Record], unit: float) -> float | None:
    """What the majority class would score; of partial records only where there are no others."""
    whole = [record for record in records if not results.is_partial(record)] or records
    floors = {record["scores"]["floor"] for record in whole}
    only = floors.pop() if len(floors) == 1 else None
    return None if only is None else unit * only
