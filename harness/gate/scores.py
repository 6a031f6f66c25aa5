"""By how much a score fell, what one clip is worth, and whether clips can have done that.

A point is a hundredth of a score, whatever the metric.
"""

import math
from dataclasses import dataclass

import numpy as np

from harness import judged, metrics, paired
from harness.gate.folder import Kept, Record
from harness.paired import LEVEL

_LAST_DIGITS = 1e-9  # that means of shares miss


@dataclass(frozen=True)
class Change:
    """From one score to the other, in units of the score.

    drop: above 0 where it got worse, whether that is lower or higher. one_clip: what the
    prediction of a single clip may have moved it by. p: of the paired test, not adjusted; NaN
    where there is none. test: what it is from, "" where there is none. clips: tested.
    """

    drop: float
    one_clip: float
    p: float = math.nan
    test: str = ""
    clips: int = 0

    def beyond(self, tolerance: float) -> bool:
        """Whether it fell by more than is tolerated."""
        return self.drop > self.allowed(tolerance) + _LAST_DIGITS

    def gained(self, tolerance: float) -> bool:
        """Whether it rose by more than is tolerated."""
        return -self.drop > self.allowed(tolerance) + _LAST_DIGITS

    def significant(self, adjusted: float) -> bool:
        """Whether it fell by more than a clip's worth, by a p adjusted for all that are tested."""
        return self.drop > self.one_clip + _LAST_DIGITS and adjusted < LEVEL

    def allowed(self, tolerance: float) -> float:
        """The larger of the tolerance and what one clip is worth, which is always noise."""
        return max(tolerance, self.one_clip)


def points(value: float | None) -> str:
    """A score, or a difference, in points."""
    return "undefined" if value is None else f"{round(100 * value, 2) + 0.0:.2f}"  # no −0.00


def change(old: Record, old_kept: Kept | None, new: Record, new_kept: Kept | None) -> Change:
    """Compare two defined scores of one task.

    Raises:
        paired.Unpaired: both have predictions, of other clips or with other labels.
    """
    worse = old["score"] - new["score"]
    drop = worse if old["task"]["higher_is_better"] else -worse
    one_clip = _one_clip(old, old_kept)
    if old_kept is None or new_kept is None:
        return Change(drop, one_clip)
    found = paired.compare(new, new_kept, old, old_kept)
    return Change(drop, one_clip, found.p, found.test, found.clips)


def _one_clip(record: Record, kept: Kept | None) -> float:
    """The most that the prediction of one clip can move the score by.

    Of a share of clips, mean over folds, one in the smallest fold. Of other metrics, to first
    order: from the largest to the smallest influence of a clip in one fold, as if the best became
    the worst; 0 without predictions, or where influences are undefined.
    """
    folds = len(record["n"]["test"])
    if record["task"]["metric"] in metrics.SHARES:
        return 1 / (folds * min(record["n"]["test"]))
    if kept is None:
        return 0.0
    ranges = [np.ptp(influence) for _, influence in judged.scored(record["task"]["metric"], kept)]
    most = float(max(ranges)) / folds
    return most if math.isfinite(most) else 0.0
