"""The clips that went most wrong, worst first: what to listen to.

Only mistakes are listed. Equal ones are ordered by clip and fold, so that the list is the same
whatever order the clips are in.
"""

from typing import Any

import numpy as np

from harness.predictions import Detections, Predictions
from harness.report import neighbours
from harness.report.compact import thousandths

CLASSES = 3  # of a clip with events that are named


def of_labels(kept: Predictions, limit: int, near: Predictions | None) -> list[dict[str, Any]]:
    """Return clips predicted wrongly, by how much the predicted class is above the true one."""
    every = np.arange(len(kept.ids))
    predicted = kept.scores.argmax(axis=1)
    given, due = kept.scores[every, predicted], kept.scores[every, kept.targets]
    rows = _worst(kept, limit, predicted != kept.targets, given - due)
    return [
        {
            **_clip(kept, row),
            "true": int(kept.targets[row]),
            "predicted": int(predicted[row]),
            "scores": thousandths(np.array([given[row], due[row]])),
            **neighbours.of(kept, row, near),
        }
        for row in rows
    ]


def of_rankings(kept: Predictions, limit: int, near: Predictions | None) -> list[dict[str, Any]]:
    """Return clips by how many labels they do not have stand above the least of those they have.

    A label of the same score stands half above. Clips without a label have none to miss.
    """
    least = np.where(kept.targets, kept.scores, np.inf)
    wanted = least.argmin(axis=1)
    due = least.min(axis=1, keepdims=True)
    others = np.where(kept.targets, -np.inf, kept.scores)
    above = (others > due).sum(axis=1) + (others == due).sum(axis=1) / 2
    rows = _worst(kept, limit, kept.targets.any(axis=1) & (above > 0), above)
    return [
        {
            **_clip(kept, row),
            "labels": np.flatnonzero(kept.targets[row]).tolist(),
            "true": int(wanted[row]),
            "predicted": int(others[row].argmax()),
            "scores": thousandths(np.array([others[row].max(), due[row, 0]])),
            "above": float(above[row]),
            **neighbours.of(kept, row, near),
        }
        for row in rows
    ]


def of_events(kept: Detections, counts: np.ndarray, limit: int) -> list[dict[str, Any]]:
    """Return clips by their missed events and false alarms: (n, C, 3) counts of `classes.tally`."""
    matched, reference, estimated = np.moveaxis(counts, -1, 0)
    missed, false = reference - matched, estimated - matched
    wrong = missed + false
    rows = _worst(kept, limit, wrong.any(axis=1), wrong.sum(axis=1))
    found = []
    for row in rows:
        most = np.argsort(-wrong[row], kind="stable")[:CLASSES]
        most = most[wrong[row, most] > 0]
        found.append(
            {
                **_clip(kept, row),
                "events": int(reference[row].sum()),
                "missed": int(missed[row].sum()),
                "false": int(false[row].sum()),
                "classes": np.column_stack([most, missed[row, most], false[row, most]]).tolist(),
            }
        )
    return found


def _worst(
    kept: Predictions | Detections, limit: int, wrong: np.ndarray, badness: np.ndarray
) -> list[int]:
    """Positions of the clips that are `wrong`, those of most `badness` first."""
    rows = np.flatnonzero(wrong)
    # Shares of votes that are equal may differ in their last bits.
    order = np.lexsort((kept.folds[rows], kept.ids[rows], -np.round(badness[rows], 6)))
    return rows[order][:limit].tolist()


def _clip(kept: Predictions | Detections, row: int) -> dict[str, str]:
    return {"id": str(kept.ids[row]), "fold": str(kept.folds[row])}
