"""Two encoders on the same clips: records, what lies beside them, and how far apart scores are.

The intervals of two scores overlap long before their difference is in doubt, since a clip that is
hard for one encoder is hard for the other. So the difference is resampled, clip by clip.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

RESAMPLES = 10_000


class Measured(NamedTuple):
    """A record, and by (fold, clip) whether the clip's class was found; None for other metrics."""

    record: dict[str, Any]
    hits: dict[tuple[str, str], bool] | None


class Difference(NamedTuple):
    """One score less another, with its 95 % interval."""

    mean: float
    low: float
    high: float


def measured(folder: Path) -> dict[str, Measured]:
    """One model's results by task and protocol ("esc10 knn"), those on synthetic data left out."""
    found = {}
    for file in sorted(folder.glob("*/*.json")):
        record = json.loads(file.read_bytes())
        if not record["task"]["synthetic"]:
            name = f"{record['task']['name']} {record['protocol']['name']}"
            accurate = record["task"]["metric"] == "accuracy"
            hits = _hits(file.with_suffix(".npz")) if accurate else None
            found[name] = Measured(record, hits)
    return found


def difference(own: Measured, other: Measured, seed: int = 0) -> Difference | None:
    """`own` less `other`; None where they are no accuracies of the same clips.

    The bootstrap of the harness (percentiles; clips resampled within each fold; the mean over
    folds), but of what each clip adds to the difference: -1, 0 or 1.
    """
    if own.hits is None or other.hits is None or own.hits.keys() != other.hits.keys():
        return None
    rng = np.random.default_rng(seed)
    gains: dict[str, list[int]] = {}
    for place, hit in own.hits.items():
        gains.setdefault(place[0], []).append(int(hit) - int(other.hits[place]))
    drawn = np.zeros(RESAMPLES)
    for in_fold in gains.values():
        shares = [in_fold.count(gain) / len(in_fold) for gain in (-1, 0, 1)]
        counts = rng.multinomial(len(in_fold), shares, size=RESAMPLES)
        drawn += (counts[:, 2] - counts[:, 0]) / len(in_fold) / len(gains)
    mean = np.mean([np.mean(in_fold) for in_fold in gains.values()])
    low, high = np.percentile(drawn, [2.5, 97.5])
    # Gains and losses that cancel over folds leave a last digit, which is no lead.
    return Difference(*(round(float(value), 12) for value in (mean, low, high)))


def _hits(file: Path) -> dict[tuple[str, str], bool]:
    """From the predictions beside a record; the first of equal class scores is the prediction."""
    with np.load(file, allow_pickle=False) as stored:
        right = stored["scores"].argmax(axis=1) == stored["targets"]
        places = zip(stored["folds"].tolist(), stored["ids"].tolist(), strict=True)
        return dict(zip(places, right.tolist(), strict=True))
