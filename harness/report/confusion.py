"""Which classes are taken for which: counts of test clips, true class × predicted class.

Counts are pooled over folds: every test clip counts once, whatever fold it was tested in. The
predicted class is the first largest score, as accuracy has it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from harness.predictions import Predictions
from harness.report.compact import thousandths


@dataclass(frozen=True)
class Confusion:
    """The pairs of classes that occur, sorted by true class, then predicted class.

    Attributes:
        true: (p,) int64 class.
        predicted: (p,) int64 class.
        count: (p,) int64 clips, at least 1.
        classes: how many classes there are.
    """

    true: np.ndarray
    predicted: np.ndarray
    count: np.ndarray
    classes: int

    @classmethod
    def of(cls, kept: Predictions) -> "Confusion":
        """Count the clips of a task whose clips have one label each."""
        classes = len(kept.classes)
        cells = kept.targets * classes + kept.scores.argmax(axis=1)
        found, count = np.unique(cells, return_counts=True)
        return cls(found // classes, found % classes, count, classes)

    @property
    def support(self) -> np.ndarray:
        """Clips of each class: (C,) int64."""
        return self._sums(self.true, self.count)

    @property
    def claimed(self) -> np.ndarray:
        """Clips predicted as each class: (C,) int64."""
        return self._sums(self.predicted, self.count)

    @property
    def hits(self) -> np.ndarray:
        """Clips of each class that were predicted as it, the diagonal: (C,) int64."""
        right = self.true == self.predicted
        return self._sums(self.true[right], self.count[right])

    @property
    def matrix(self) -> np.ndarray:
        """All counts: (C, C) int64, a row per true class."""
        matrix = np.zeros((self.classes, self.classes), np.int64)
        matrix[self.true, self.predicted] = self.count
        return matrix

    def mistakes(self) -> "Confusion":
        """Return the wrong pairs, most frequent first, equal ones by class."""
        wrong = np.flatnonzero(self.true != self.predicted)
        wrong = wrong[np.argsort(-self.count[wrong], kind="stable")]
        return Confusion(self.true[wrong], self.predicted[wrong], self.count[wrong], self.classes)

    def _sums(self, which: np.ndarray, count: np.ndarray) -> np.ndarray:
        return np.bincount(which, weights=count, minlength=self.classes).astype(np.int64)


def top(confusion: Confusion, limit: int) -> dict[str, Any]:
    """Return the `limit` most frequent mistakes in columns, and how many clips they leave out."""
    mistakes = confusion.mistakes()
    true, predicted, count = (
        column[:limit] for column in (mistakes.true, mistakes.predicted, mistakes.count)
    )
    return {
        "true": true.tolist(),
        "predicted": predicted.tolist(),
        "count": count.tolist(),
        "share": thousandths(count / confusion.support[true]),
        "left_out": int(mistakes.count[limit:].sum()),
    }


def neighbourly(confusion: Confusion) -> list[int]:
    """Order the classes so that those taken for each other stand side by side.

    The leaves of an average-linkage tree over how rarely two classes are taken for each other,
    ordered as Bar-Joseph, Gifford and Jaakkola (2001) have it: mistakes gather near the diagonal,
    where groups of classes that an encoder cannot tell apart are seen as blocks.
    """
    if confusion.classes < 3:
        return list(range(confusion.classes))
    rates = confusion.matrix / np.maximum(confusion.support, 1)[:, None]
    far = 1 - np.clip((rates + rates.T) / 2, 0, 1)
    np.fill_diagonal(far, 0)
    return leaves_list(linkage(squareform(far), "average", optimal_ordering=True)).tolist()
