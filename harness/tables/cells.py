"""What tables are put together from: records by model and task, the texts of cells and heads."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from harness import results

_NO_RATES = {"d_prime", "segment_1s_er"}  # metrics that percent means nothing for

Record = Mapping[str, Any]


def of(records: Sequence[Record], part: str, name: str) -> list[Record]:
    """The records of one model, task or protocol."""
    return [record for record in records if record[part]["name"] == name]


def by_model(records: Sequence[Record]) -> dict[str, dict[str, Record]]:
    """Model → task → record; the models by size."""
    found: dict[str, dict[str, Record]] = {}
    for record in sorted(records, key=lambda r: (r["model"]["parameters"], r["model"]["name"])):
        found.setdefault(record["model"]["name"], {})[record["task"]["name"]] = record
    return found


def cell(record: Record | None) -> str:
    """A score in percent, its marks and its 95 % interval."""
    return "–" if record is None else f"{score(record)}{interval(record)}"


def score(record: Record) -> str:
    """A score in percent and its marks."""
    if record["score"] is None:
        return "undefined"
    partial = results.is_partial(record)
    marks = ("†" if partial else "") + ("‡" if record["scores"]["collapsed"] else "")
    return _number(record["score"], record) + marks + (" partial" if partial else "")


def interval(record: Record) -> str:
    """The 95 % interval of a score, if it has one that ends."""
    low, high = record["scores"]["ci95"]
    if record["score"] is None or low is None or high is None:
        return ""
    return f" [{_number(low, record)}, {_number(high, record)}]"


def spread(record: Record) -> str:
    """The standard deviation over the folds, if there are several."""
    deviation = record["scores"]["std"]
    return "" if deviation is None else f" ± {_number(deviation, record)}"


def difference(measured: float | None, published: str) -> str:
    """A score less a published one, which is in percent; nothing where one of them is none."""
    if measured is None or not published:
        return ""
    less = round(100 * measured - float(published), 2) + 0.0  # no −0.00
    return f" ({less:+.2f})".replace("-", "−")


def head(name: str, records: Sequence[Record]) -> str:
    """The name of a column; if there are records of its task, with their metric and version."""
    if not records:
        return name
    facts = records[0]["task"]
    synthetic = "°" if facts["synthetic"] else ""
    metric = facts["metric"] + ("" if facts["higher_is_better"] else ", lower is better")
    return f"{name}{synthetic} ({metric}, v{facts['version']})"


def floor(records: Sequence[Record]) -> str:
    """The majority class's score; from least to most where records of one task disagree.

    Fewer clips have another majority, so whole records speak for the task if there are any.
    """
    speaking = [record for record in records if not results.is_partial(record)] or records
    floors = sorted(
        (record["scores"]["floor"], _number(record["scores"]["floor"], record))
        for record in speaking
        if record["scores"]["floor"] is not None  # as for an AUC, where a class has no test clip
    )
    shown = list(dict.fromkeys(text for _, text in floors))
    return " to ".join(dict.fromkeys([shown[0], shown[-1]])) if shown else "–"


def grid(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """A markdown table."""
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def _number(value: float, record: Record) -> str:
    """A rate in percent; a score that is none, as it is."""
    return f"{value:.3f}" if record["task"]["metric"] in _NO_RATES else f"{100 * value:.2f}"
