"""How far each model is behind the best one of its task, on the same clips.

All models that are behind are tested, so their p are adjusted for how many they are. The best is
chosen by the same scores: that favours it a little, as any look at a ranking does.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

from harness import paired
from harness.paired import LEVEL
from harness.predictions import Detections, Predictions
from harness.results import Record

BEHIND, APART, AHEAD = "significantly behind", "not told apart", "significantly ahead"

Kept = Callable[[Record], Predictions | Detections]


def from_best(records: Sequence[Record], kept: Kept) -> list[paired.Paired | None]:
    """Each record of one task and protocol less the first, `p` adjusted after Holm.

    None for the first itself, and where clips differ or a score is undefined.
    """
    if not records or records[0]["score"] is None:
        return [None for _ in records]
    best, *others = records
    own = kept(best)
    found = [None, *(_less(record, kept(record), best, own) for record in others)]
    adjusted = paired.holm([math.nan if each is None else each.p for each in found])
    return [
        None if each is None else dataclasses.replace(each, p=p)
        for each, p in zip(found, adjusted, strict=True)
    ]


def verdict(record: Record, less: paired.Paired) -> str:
    """BEHIND, APART or AHEAD: one of collapsed embeddings may outscore the best that is none."""
    if less.p >= LEVEL:
        return APART
    return BEHIND if (less.difference < 0) == record["task"]["higher_is_better"] else AHEAD


def _less(
    record: Record, kept: Predictions | Detections, best: Record, own: Predictions | Detections
) -> paired.Paired | None:
    try:
        found = paired.compare(record, kept, best, own)
    except paired.Unpaired:
        return None
    return None if math.isnan(found.p) else found
