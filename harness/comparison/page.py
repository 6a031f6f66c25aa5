"""Models compared → sections, one per protocol: average ranks, then a table for each pair."""

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from harness import metrics
from harness.comparison.pairs import LEVEL, Pair, Results, average_ranks, by_pair
from harness.paired import Record
from harness.tables import brief, cells
from harness.tables.table import Cell, Column, Section, Table, explained

_STAR = " *"


def sections(
    models: Sequence[Results], protocols: Collection[str] = (), tasks: Collection[str] = ()
) -> list[Section]:
    """Set the first model against each other one, protocol by protocol, as `by_pair` does."""
    return [
        _section(models, protocol, [model.of(protocol, tasks) for model in models], compared)
        for protocol, compared in by_pair(models, protocols, tasks).items()
    ]


def _section(
    models: Sequence[Results],
    protocol: str,
    found: Sequence[dict[str, Record]],
    compared: Sequence[Sequence[Pair]],
) -> Section:
    names = [model.name for model in models]
    parts: list[Table | str] = [*_ranks(names, compared)]
    for other, pairs in zip(names[1:], compared, strict=True):
        parts += _pairwise(names[0], other, pairs) if pairs else []
    parts += _tests([pair for pairs in compared for pair in pairs])
    return Section(
        protocol=protocol,
        title=_title(protocol, [record for records in found for record in records.values()]),
        parts=(*parts, *explained(parts), *_lacking(names, found)),
    )


def _title(protocol: str, records: Sequence[Record]) -> str:
    """The protocol; with its version and parameters, if all records have the same."""
    facts = [record["protocol"] for record in records]
    if not facts or facts.count(facts[0]) < len(facts):
        return protocol
    return f"{protocol} (version {facts[0]['version']}: {brief(facts[0]['params'])})"


def _ranks(names: Sequence[str], compared: Sequence[Sequence[Pair]]) -> Iterator[Table]:
    """Average ranks over the tasks that all models have, defined and on the same clips."""
    counted = [{pair.task: pair for pair in _of_real_sounds(pairs)} for pairs in compared]
    shared = [
        [pairs[task] for pairs in counted]
        for task in sorted(set.intersection(*(set(pairs) for pairs in counted)))
        if not any(math.isnan(pairs[task].difference) for pairs in counted)
    ]
    if not shared:
        return
    scores = [[pairs[0].own["score"], *(pair.other["score"] for pair in pairs)] for pairs in shared]
    better = [pairs[0].own["task"]["higher_is_better"] for pairs in shared]
    ranks = average_ranks(np.array(scores).T, better)
    but = ", synthetic ones left out" if any(map(_leaves_out, compared)) else ""
    yield Table(
        caption=f"average rank, 1 the best, over {_count(len(shared), 'task')} that all have{but}",
        columns=(
            Column(head="model", scores=False),
            Column(head="average rank", higher_is_better=False),
        ),
        rows=tuple(
            (Cell(text=name), Cell(text=f"{rank:.2f}", value=float(rank)))
            for name, rank in zip(names, ranks, strict=True)
        ),
    )


def _of_real_sounds(compared: Sequence[Pair]) -> list[Pair]:
    """Those whose task is not synthetic, if there are any: they alone say which model is better."""
    return [pair for pair in compared if not pair.own["task"]["synthetic"]] or list(compared)


def _leaves_out(compared: Sequence[Pair]) -> bool:
    return len(_of_real_sounds(compared)) < len(compared)


def _pairwise(own: str, other: str, compared: Sequence[Pair]) -> Iterator[Table | str]:
    """The table of two models, who wins how often, and what a reader must know."""
    numbers = (own, other, f"{own} − {other}", "95 % interval", "p", "p (Holm)", "clips")
    columns = [
        *(Column(head=head, scores=False) for head in ("task", "metric")),
        *(Column(head=head) for head in numbers),
    ]
    yield Table(
        caption=f"difference of {own} and {other}",
        columns=tuple(columns),
        rows=tuple(_row(pair) for pair in compared),
    )
    but = ", synthetic tasks left out" if _leaves_out(compared) else ""
    yield f"{own} against {other}{but}: {_tally(_of_real_sounds(compared))}."
    yield from sorted(f"{pair.task}: {pair.remark}." for pair in compared if pair.remark)


def _row(pair: Pair) -> tuple[Cell, ...]:
    facts, found = pair.own["task"], pair.paired
    metric = facts["metric"] + ("" if facts["higher_is_better"] else ", lower is better")
    return (
        Cell(text=facts["name"]),
        Cell(text=metric),
        cells.score(pair.own),
        cells.score(pair.other),
        _difference(pair),
        _interval(pair),
        _chance(math.nan if found is None else found.p),
        _chance(pair.adjusted, _STAR if pair.significant else ""),
        _clips(pair),
    )


def _difference(pair: Pair) -> Cell:
    if math.isnan(pair.difference):
        return Cell(text="–")
    text = _signed(pair.difference, pair)
    return Cell(text=text, value=float(text.replace("−", "-")))


def _interval(pair: Pair) -> Cell:
    if pair.paired is None or math.isnan(pair.paired.low):
        return Cell(text="–")
    return Cell(text=" to ".join(_signed(end, pair) for end in (pair.paired.low, pair.paired.high)))


def _chance(p: float, star: str = "") -> Cell:
    if math.isnan(p):
        return Cell(text="–")
    return Cell(text=("≤0.001" if p < 0.001 else f"{p:.3f}") + star, value=p)


def _clips(pair: Pair) -> Cell:
    if pair.paired is None:
        return Cell(text="–")
    return Cell(text=str(pair.paired.clips), value=float(pair.paired.clips))


def _signed(value: float, pair: Pair) -> str:
    """A difference in points of percent; of scores that are no rates, as it is."""
    rate = metrics.is_rate(pair.own["task"]["metric"])
    shown = round(100 * value, 2) if rate else round(value, 3)
    return (f"{shown + 0.0:+.2f}" if rate else f"{shown + 0.0:+.3f}").replace("-", "−")


def _tally(compared: Sequence[Pair]) -> str:
    """How often the first is better: by more than chance, and by the scores alone."""
    tested = [pair for pair in compared if not math.isnan(pair.adjusted)]
    return (
        f"{_wins([pair.ahead if pair.significant else 0 for pair in tested])} (a tie: a difference "
        f"that may be chance); by scores alone {_wins([pair.ahead for pair in compared])}"
    )


def _wins(ahead: Sequence[float]) -> str:
    return f"{_count(ahead.count(1), 'win')}, {_count(ahead.count(0), 'tie')}, " + (
        "1 loss" if ahead.count(-1) == 1 else f"{ahead.count(-1)} losses"
    )


def _tests(compared: Sequence[Pair]) -> Iterator[str]:
    """What the p of a section are, and what a star is."""
    tests = sorted({pair.paired.test for pair in compared if pair.paired})
    if tests:
        stars = any(pair.significant for pair in compared)
        below = f"; {_STAR.strip()} below {LEVEL}" if stars else ""
        yield (
            f"p: paired on the same clips, two-sided ({'; '.join(tests)}). p (Holm): corrected for "
            f"the number of tasks in the table{below}."
        )


def _lacking(names: Sequence[str], found: Sequence[dict[str, Record]]) -> Iterator[str]:
    """In a line, the tasks that not all models have, and who has them."""
    some = sorted({task for records in found for task in records})
    have = {
        task: [name for name, records in zip(names, found, strict=True) if task in records]
        for task in some
    }
    lacking = [f"{task} ({', '.join(who)})" for task, who in have.items() if len(who) < len(names)]
    if lacking:
        yield f"Not of all models: {'; '.join(lacking)}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
