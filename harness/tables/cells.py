"""What tables are put together from: records by model and task, and the cells made of them."""

from collections.abc import Sequence
from dataclasses import replace

from harness import metrics, results
from harness.tables.domains import Average, Record
from harness.tables.table import FLOOR, MEASURED, PUBLISHED, Cell, Column

MISSING = Cell(text="missing", kind=MEASURED)
NO_PARAMETERS = Cell(text="")
NO_FLOOR = Cell(text="–", kind=FLOOR)  # not measured; or, as for an AUC, a class has no test clip


def of(records: Sequence[Record], part: str, name: str) -> list[Record]:
    """The records of one model, task or protocol."""
    return [record for record in records if record[part]["name"] == name]


def by_model(records: Sequence[Record]) -> dict[str, dict[str, Record]]:
    """Model → task → record; the models by size."""
    found: dict[str, dict[str, Record]] = {}
    for record in sorted(records, key=lambda r: (r["model"]["parameters"], r["model"]["name"])):
        found.setdefault(record["model"]["name"], {})[record["task"]["name"]] = record
    return found


def told(record: Record) -> str:
    """A score in a line on its own, with its marks and its interval."""
    cell = score(record)
    partial = " partial" if "†" in cell.marks else ""
    return f"{cell.text}{cell.marks}{partial}{note(cell, intervals=True)}"


def score(record: Record) -> Cell:
    """A measured score, in percent where it is a rate."""
    partial, collapsed = results.is_partial(record), bool(record["scores"]["collapsed"])
    marks = _marks(record["task"]["synthetic"], partial, collapsed)
    if record["score"] is None:
        return Cell(text="undefined", kind=MEASURED, marks=marks)
    low, high = (_scaled(end, record) for end in record["scores"]["ci95"])
    text = number(record["score"], record["task"]["metric"])
    return Cell(
        text=text,
        value=float(text),
        exact=_scaled(record["score"], record),
        marks=marks,
        ranked=not partial and not collapsed,
        kind=MEASURED,
        interval=None if low is None or high is None else (low, high),
        spread=_scaled(record["scores"]["std"], record),
    )


def number(value: float, metric: str) -> str:
    """A score as printed: a rate in percent, another as it is."""
    return f"{100 * value:.2f}" if metrics.is_rate(metric) else f"{value:.3f}"


def mean(average: Average) -> Cell:
    """An average in percent; where there is none, how much of it is missing."""
    if average.mean is None:
        some = f" {len(average.lacking)} of {average.columns}"
        return replace(MISSING, text=f"missing{some}") if average.begun else MISSING
    text = f"{100 * average.mean:.2f}"
    return Cell(
        text=text,
        value=float(text),
        exact=100 * average.mean,
        marks=_marks(average.synthetic, False, average.collapsed),
        ranked=not average.collapsed,
        kind=MEASURED,
    )


def published(text: str, *, collapsed: bool = False, bound: bool = False) -> Cell:
    """A published score as it was published, in percent; "" where none was.

    `bound`: it is no model's, but the best of many.
    """
    value = float(text) if text else None
    return Cell(
        text=text or "–",
        value=value,
        marks="‡" if collapsed else "",
        ranked=value is not None and not collapsed and not bound,
        kind=PUBLISHED,
    )


def parameters(record: Record) -> Cell:
    """How many parameters a measured model has, in millions."""
    millions = record["model"]["parameters"] / 1e6
    decimals = 1 if 0 < millions < 10 else 0
    return Cell(text=f"{millions:.{decimals}f}", value=millions, kind=MEASURED)


def published_parameters(text: str) -> Cell:
    """How many parameters a model has, in millions, as published; "" where that is not told."""
    return Cell(text=text, value=float(text), kind=PUBLISHED) if text else NO_PARAMETERS


def compared(cell: Cell, baseline: Cell | None) -> Cell:
    """A measured cell with its difference from a published one, unless that is no baseline."""
    if cell.value is None or baseline is None or not baseline.ranked or baseline.value is None:
        return cell
    return replace(cell, difference=round(cell.value - baseline.value, 2) + 0.0)  # no −0.00


def note(cell: Cell, *, spread: bool = False, intervals: bool = False) -> str:
    """What is printed behind a score; the interval with a decimal less than the score."""
    parts = []
    decimals = len(cell.text.partition(".")[2])
    if spread and cell.spread is not None:
        parts.append(f" ± {cell.spread:.{decimals}f}")
    if cell.difference is not None:
        parts.append(f" ({cell.difference:+.2f})".replace("-", "−"))
    if intervals and cell.interval is not None:
        low, high = (f"{end:.{decimals - 1}f}" for end in cell.interval)
        parts.append(f" [{low}, {high}]")
    return "".join(parts)


def column(name: str, records: Sequence[Record]) -> Column:
    """A column of a task's scores; if there are records of it, with their metric and version."""
    if not records:
        return Column(head=name, name=name)
    facts = records[0]["task"]
    metric = facts["metric"] + ("" if facts["higher_is_better"] else ", lower is better")
    return Column(
        head=f"{name} ({metric}, v{facts['version']})",
        name=name,
        higher_is_better=facts["higher_is_better"],
        metric=facts["metric"],
        version=facts["version"],
    )


def floor(records: Sequence[Record]) -> Cell:
    """The majority class's score; from least to most where records of one task disagree.

    Fewer clips have another majority, so whole records speak for the task if there are any.
    """
    speaking = [record for record in records if not results.is_partial(record)] or records
    floors = sorted(
        (record["scores"]["floor"], number(record["scores"]["floor"], record["task"]["metric"]))
        for record in speaking
        if record["scores"]["floor"] is not None
    )
    texts = [text for _, text in floors]
    if not texts:
        return NO_FLOOR
    if texts[0] != texts[-1]:
        return Cell(text=f"{texts[0]} to {texts[-1]}", kind=FLOOR)
    return Cell(text=texts[0], value=float(texts[0]), kind=FLOOR)


def _marks(synthetic: bool, partial: bool, collapsed: bool) -> str:
    return "°" * synthetic + "†" * partial + "‡" * collapsed


def _scaled(value: float | None, record: Record) -> float | None:
    """What `number` prints, before it is rounded."""
    if value is None or not metrics.is_rate(record["task"]["metric"]):
        return value
    return 100 * value
