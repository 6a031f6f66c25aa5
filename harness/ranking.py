"""Clips ranked by score, class by class: average precision, area under the ROC curve, influence.

A clip's influence on a score is how fast the score grows with the clip's weight. The squares of
all clips' add up to the score's variance over samples of clips: the infinitesimal jackknife (Efron
and Tibshirani, An Introduction to the Bootstrap, ch. 21). As in DeLong's variance of ROC areas,
which this is for one class, positives count as one fewer than they are, and so do negatives: that
matters where a class has few (DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or
more correlated receiver operating characteristic curves, 1988).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """The clips of one fold, best first; tied scores form one step.

    Attributes:
        order: (C, N) clip at each rank.
        hit: (C, N) bool, whether it has the class.
        start: (C, N) rank that the step begins with.
        stop: (C, N) rank after its last.
    """

    order: np.ndarray
    hit: np.ndarray
    start: np.ndarray
    stop: np.ndarray

    @classmethod
    def of(cls, positive: np.ndarray, scores: np.ndarray) -> "Ranking":
        """Rank (N, C) scores with their (N, C) bool labels."""
        n, classes = scores.shape
        order = np.argsort(-scores.T, axis=1, kind="stable")
        ranked = np.take_along_axis(scores.T, order, axis=1)
        opens = np.ones((classes, n), bool)
        opens[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
        closes = np.ones((classes, n), bool)
        closes[:, :-1] = opens[:, 1:]
        rank = np.arange(n)
        start = np.maximum.accumulate(np.where(opens, rank, 0), axis=1)
        stop = np.minimum.accumulate(np.where(closes, rank + 1, n)[:, ::-1], axis=1)[:, ::-1]
        return cls(order, np.take_along_axis(positive.T, order, axis=1), start, stop)

    def average_precision(self) -> np.ndarray:
        """Sum over thresholds of precision × step in recall: (C,), 0 without positives."""
        return np.sum(self._precision(), axis=1) / np.maximum(self.hit.sum(axis=1), 1)

    def average_precision_influence(self) -> np.ndarray:
        """Influence of each clip on each class's average precision: (C, N).

        A positive adds its own precision; it raises, and a negative lowers, the precision at
        every positive of its step and below.
        """
        precision = self._precision()
        raised = self._from_step(self.hit / self.stop)
        lowered = self._from_step(precision / self.stop)
        mean = self.average_precision()[:, None]
        gain = np.where(self.hit, precision - mean + raised, 0.0) - lowered
        positives = np.maximum(self.hit.sum(axis=1, keepdims=True), 1)
        return self._by_clip(gain / positives * self._one_fewer())

    def auc(self) -> np.ndarray:
        """P(positive above negative) + ½ P(tie): (C,), NaN if undefined."""
        positives = self.hit.sum(axis=1)
        area = np.sum(self._placement(), axis=1, where=self.hit) / np.maximum(positives, 1)
        return np.where((positives > 0) & (positives < self.hit.shape[1]), area, np.nan)

    def auc_influence(self) -> np.ndarray:
        """Influence of each clip on each class's ROC area: (C, N), NaN if undefined."""
        gain = self._placement() - self.auc()[:, None]
        return self._by_clip(gain / self._alike() * self._one_fewer())

    def _alike(self) -> np.ndarray:
        """How many clips are positive, or negative, as each is: (C, N)."""
        positives = self.hit.sum(axis=1, keepdims=True)
        return np.where(self.hit, positives, self.hit.shape[1] - positives)

    def _one_fewer(self) -> np.ndarray:
        """Turns variances over n clips into those over n − 1; nothing is known of one: (C, N)."""
        alike = self._alike()
        return np.sqrt(alike / np.maximum(alike - 1, 1))

    def _precision(self) -> np.ndarray:
        """Precision at the step of each positive, 0 of a negative: (C, N)."""
        found = self._above(self.hit, self.stop)
        return np.where(self.hit, found / self.stop, 0.0)

    def _placement(self) -> np.ndarray:
        """Share of negatives below each positive, of positives above each negative: (C, N)."""
        above = (self._above(self.hit, self.start) + self._above(self.hit, self.stop)) / 2
        positives = self.hit.sum(axis=1, keepdims=True)
        beaten = (self.start + self.stop) / 2 - above
        negatives = np.maximum(self.hit.shape[1] - positives, 1)
        return np.where(self.hit, 1.0 - beaten / negatives, above / np.maximum(positives, 1))

    @staticmethod
    def _above(values: np.ndarray, rank: np.ndarray) -> np.ndarray:
        """Sum of the values before each of some ranks: (C, N)."""
        before = np.zeros((values.shape[0], values.shape[1] + 1))
        np.cumsum(values, axis=1, out=before[:, 1:])
        return np.take_along_axis(before, rank, axis=1)

    def _from_step(self, values: np.ndarray) -> np.ndarray:
        """Sum of the values from the first rank of each rank's step to the last of all: (C, N)."""
        return values.sum(axis=1, keepdims=True) - self._above(values, self.start)

    def _by_clip(self, values: np.ndarray) -> np.ndarray:
        """Put values by rank in the order of the clips."""
        placed = np.empty_like(values)
        np.put_along_axis(placed, self.order, values, axis=1)
        return placed
