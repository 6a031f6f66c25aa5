"""Models compared → facts for programs: a line for each task and pair of models, unrounded."""

import csv
import io
import json
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from harness.comparison.pairs import Pair, Results, by_pair


def as_json(models: Sequence[Results], protocols: Collection[str], tasks: Collection[str]) -> str:
    """A list of facts; null where there is none."""
    found = list(_facts(models, protocols, tasks))
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(models: Sequence[Results], protocols: Collection[str], tasks: Collection[str]) -> str:
    """The same in a table; empty where there is none."""
    found, text = list(_facts(models, protocols, tasks)), io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def _facts(
    models: Sequence[Results], protocols: Collection[str], tasks: Collection[str]
) -> Iterator[dict[str, Any]]:
    for protocol, compared in by_pair(models, protocols, tasks).items():
        for other, pairs in zip(models[1:], compared, strict=True):
            for pair in pairs:
                yield {
                    "protocol": protocol,
                    "task": pair.task,
                    "metric": pair.own["task"]["metric"],
                    "higher_is_better": pair.own["task"]["higher_is_better"],
                    "synthetic": pair.own["task"]["synthetic"],
                    "model": models[0].name,
                    "other": other.name,
                    "score": pair.own["score"],
                    "other_score": pair.other["score"],
                    **_tested(pair),
                    "significant": pair.significant,
                    "remark": pair.remark,
                }


def _tested(pair: Pair) -> dict[str, Any]:
    found = pair.paired
    return {
        "difference": _number(pair.difference),
        "ci95_low": _number(found.low) if found else None,
        "ci95_high": _number(found.high) if found else None,
        "p": _number(found.p) if found else None,
        "p_holm": _number(pair.adjusted),
        "clips": found.clips if found else None,
        "test": found.test if found else None,
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
