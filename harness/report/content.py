"""Records → what the page shows: an overview, and what is told of each task, as plain data.

A task's data stand in the page as JSON and are drawn when the task is looked at. What many of its
records share, such as where they come from, is told once and referred to by its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from harness import metrics
from harness.paired import Paired
from harness.predictions import Detections, Predictions
from harness.report import details, differences
from harness.report.differences import Kept, Record
from harness.report.provenance import LABELS
from harness.tables import cells
from harness.tables.table import MARKS

# Up to so many records are told at length: 30 KB each where tasks have many clips and classes.
# Thirty models on 28 tasks are a thousand, of 3 KB each, and the page has to open at once.
AT_LENGTH = 100


def meanings(records: Iterable[Record]) -> dict[str, str]:
    """Each mark that a record has, with what it means."""
    found = "".join(cells.score(record).marks for record in records)
    return {mark: meaning for mark, meaning in MARKS.items() if mark in found}


def number(value: float | None, metric: str) -> str:
    """A score as printed: a rate in percent, another as it is."""
    return "undefined" if value is None else cells.number(value, metric)


def tasks(records: Sequence[Record], told: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row of the overview for each task and protocol: what it is, and who is best at it.

    told: what `told` gives, by task.
    """
    return [
        _row(here, told[task]["protocols"][protocol]["records"])
        for (task, protocol), here in _grouped(records, ("task", "protocol"))
    ]


def told(records: Sequence[Record], kept: Kept) -> Iterable[tuple[str, dict[str, Any]]]:
    """Each task with its page's data; reads the predictions of one record after another."""
    length = details.LONG if len(records) <= AT_LENGTH else details.SHORT
    for (name,), here in _grouped(records, ("task",)):
        yield name, _task(here, kept, length)


def _row(records: Sequence[Record], told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    task = records[0]["task"]
    better = "" if task["higher_is_better"] else ", lower is better"
    best = told[0] if told[0]["value"] is not None else None
    behind = [each["behind"] for each in told if each["behind"]]
    return {
        "name": task["name"],
        "title": task["title"],
        "domain": task["domain"],
        "metric": task["metric"] + better,
        "protocol": records[0]["protocol"]["name"],
        "models": len(records),
        "best": best,
        "behind": len(behind),
        "significant": sum(each["verdict"] == differences.BEHIND for each in behind),
    }


def _task(records: Sequence[Record], kept: Kept, length: details.Length) -> dict[str, Any]:
    shared: list[Any] = []
    protocols = {}
    for (name,), here in _grouped(records, ("protocol",)):
        told = []
        ranked = _by_rank(here)
        for record, less in zip(ranked, differences.from_best(ranked, kept), strict=True):
            predictions = kept(record)
            near = _near(record, predictions, records, kept)
            detail = details.of(record, predictions, length, near)
            names = _place(predictions.classes.tolist(), shared)
            behind = _behind(record, less)
            told.append({**_record(record, detail, shared), "names": names, "behind": behind})
        protocols[name] = {"version": here[0]["protocol"]["version"], "records": told}
    task = records[0]["task"]
    facts = ("name", "version", "title", "domain", "metric", "higher_is_better", "synthetic")
    return {
        **{fact: task[fact] for fact in facts},
        "rate": metrics.is_rate(task["metric"]),
        "protocols": protocols,
        "labels": LABELS,
        "shared": shared,
    }


def _near(
    record: Record, own: Predictions | Detections, records: Iterable[Record], kept: Kept
) -> Predictions | None:
    """What kNN kept of the same model and classes, for a record that looks at no neighbours."""
    if record["protocol"]["name"] == "knn":
        return None
    model = record["model"]["name"]
    for other in records:
        if other["protocol"]["name"] == "knn" and other["model"]["name"] == model:
            near = kept(other)
            same = np.array_equal(near.classes, own.classes)
            return near if same and isinstance(near, Predictions) else None
    return None


def _record(record: Record, detail: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
    metric = record["task"]["metric"]
    scores = record["scores"]
    low, high = scores["ci95"]
    further = {
        name: number(value, name)
        for name, value in scores.items()
        if isinstance(value, float) and name not in {metric, "std", "floor"}
    }
    by_k = scores.get("by_k") or {}
    marks = cells.score(record).marks
    return {
        "model": record["model"]["name"],
        "parameters": record["model"]["parameters"],
        "marks": marks,
        "marked": [MARKS[mark].partition(":")[0] for mark in marks],
        "value": record["score"],
        "score": number(record["score"], metric),
        "interval": None
        if None in (low, high)
        else {"ends": [low, high], "text": [number(low, metric), number(high, metric)]},
        "floor": None
        if scores["floor"] is None
        else {"at": scores["floor"], "text": number(scores["floor"], metric)},
        "std": None if scores["std"] is None else number(scores["std"], metric),
        "folds": [number(value, metric) for value in scores["per_fold"]],
        "further": further,
        "by_k": {k: number(by_k[k], metric) for k in sorted(by_k, key=int)},
        **detail,
        "provenance": {
            group: _place(values, shared) for group, values in detail["provenance"].items()
        },
    }


def _behind(record: Record, less: Paired | None) -> dict[str, Any] | None:
    """How far a record is behind the best one, if both are of the same clips."""
    if less is None:
        return None
    metric = record["task"]["metric"]
    return {
        "difference": less.difference,
        "text": [number(value, metric) for value in (less.difference, less.low, less.high)],
        "p": less.p,
        "verdict": differences.verdict(record, less),
    }


def _place(values: Any, shared: list[Any]) -> int:
    """Where `values` stand in `shared`, put there if they are new."""
    if values not in shared:
        shared.append(values)
    return shared.index(values)


def _by_rank(records: Iterable[Record]) -> list[Record]:
    """The best first, equal ones by name, those without a score last.

    Before these stand the partial and the collapsed, whose scores are not what they seem.
    """
    sign = {True: -1, False: 1}
    return sorted(
        records,
        key=lambda record: (
            record["score"] is None,
            not cells.score(record).ranked,
            sign[record["task"]["higher_is_better"]] * (record["score"] or 0.0),
            record["model"]["name"],
        ),
    )


def _grouped(
    records: Iterable[Record], parts: tuple[str, ...]
) -> list[tuple[tuple[str, ...], list[Record]]]:
    """Records by the names of some of their parts, sorted by these."""
    found: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        found.setdefault(tuple(record[part]["name"] for part in parts), []).append(record)
    return sorted(found.items())
