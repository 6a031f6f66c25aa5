"""Scores of each class, from the stored predictions, all folds pooled.

Recall, precision and F1 where a clip has one label; average precision beside the base rate where
it may have several, or where that is the task's metric; F, precision and recall of the events of
a class where clips are judged by events. Because folds are pooled and classes weigh alike, these
need not average to the record's score. A score without clips to define it is null.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness import event_scores, metrics
from harness.events import Events
from harness.predictions import Detections, Predictions
from harness.report.compact import thousandths
from harness.report.confusion import Confusion

Columns = Mapping[str, np.ndarray]  # (C,) each; whole numbers are counts, others rates


def of_labels(confusion: Confusion) -> Columns:
    """Recall, precision, F1 and support of each class."""
    hits, support, claimed = confusion.hits, confusion.support, confusion.claimed
    return {
        "recall": _share(hits, support),
        "precision": _share(hits, claimed),
        "f1": _share(2 * hits, support + claimed),
        "support": support,
    }


def of_rankings(kept: Predictions) -> Columns:
    """Average precision and base rate of each class, and in how many clips it is.

    The base rate is the average precision that chance comes to.
    """
    several = kept.targets.ndim == 2
    classes = len(kept.classes)
    support = kept.targets.sum(axis=0) if several else np.bincount(kept.targets, minlength=classes)
    precision = metrics.average_precisions(kept.targets, kept.scores)
    return {
        "average_precision": np.where(support > 0, precision, np.nan),
        "base_rate": support / max(len(kept.ids), 1),
        "support": support,
    }


def of_events(counts: np.ndarray) -> Columns:
    """F, precision and recall of each class, and its events: (n, C, 3) counts of `tally`.

    As harness.event_scores has them when only the events of that class are looked at.
    """
    matched, reference, estimated = np.moveaxis(counts.sum(axis=0), -1, 0)
    defined = (reference > 0) & (estimated > 0)
    return {
        "f": np.where(defined, _share(2 * matched, reference + estimated), np.nan),
        "precision": _share(matched, estimated),
        "recall": _share(matched, reference),
        "support": reference,
        "found": estimated,
    }


def judged_by(metric: str) -> str:
    """Return the F-measure that events are matched by: the task's own, if it is one."""
    f_measures = [name for name in event_scores.EVENT_METRICS if metrics.higher_is_better(name)]
    return metric if metric in f_measures else f_measures[0]


def tally(kept: Detections, metric: str) -> np.ndarray:
    """Count matched, reference and estimated events of every class in every clip: (n, C, 3).

    Only events of one class match, so a class of a clip is counted as a clip of its own.
    """
    clips, classes = len(kept.ids), len(kept.classes)
    happened, found = (_apart(rows, classes) for rows in (kept.happened, kept.found))
    counts = event_scores.counts(metric, happened, found, clips * classes)
    return counts.reshape(clips, classes, 3)


def table(columns: Columns, by: str, limit: int) -> dict[str, Any]:
    """Return all classes in stored order; of more than `limit` the worst by `by`, worst first.

    Classes of equal scores are ordered by size, larger first, then as stored. A class whose score
    is undefined is not among the worst.
    """
    total = len(columns["support"])
    rows = np.arange(total)
    if total > limit:
        worst = np.lexsort((rows, -columns["support"], np.round(columns[by], 6)))
        rows = worst[np.isfinite(columns[by][worst])][:limit]
    shown = {
        name: (
            thousandths(column[rows])
            if column.dtype.kind == "f"
            else column[rows].astype(np.int64).tolist()
        )
        for name, column in columns.items()
    }
    defined = columns[by][np.isfinite(columns[by])]
    quartiles = np.quantile(defined, [0, 0.25, 0.5, 0.75, 1]) if len(defined) else None
    return {
        "class": rows.tolist(),
        **shown,
        "by": by,
        "total": total,
        "quartiles": None if quartiles is None else thousandths(quartiles),
    }


def _apart(rows: np.ndarray, classes: int) -> Events:
    clip, label = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    return Events.in_order(clip * classes + label, label, rows[:, 2], rows[:, 3])


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
