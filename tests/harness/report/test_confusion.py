"""Confusions against scikit-learn's, and the most frequent ones against a plain count."""

from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import accuracy_score, confusion_matrix

from harness.report.confusion import Confusion, neighbourly, top
from tests.harness.report.made import predictions, shuffled

SEEDS = st.integers(0, 10**6)


@given(SEEDS)
@settings(deadline=None, max_examples=100)
def test_counts_are_those_of_scikit_learn(seed: int) -> None:
    kept = predictions(seed)
    confusion, predicted = Confusion.of(kept), kept.scores.argmax(axis=1)
    every = np.arange(len(kept.classes))
    matrix = confusion.matrix
    np.testing.assert_array_equal(matrix, confusion_matrix(kept.targets, predicted, labels=every))
    assert matrix.sum() == confusion.count.sum() == len(kept.ids)
    assert np.trace(matrix) / len(kept.ids) == accuracy_score(kept.targets, predicted)
    np.testing.assert_array_equal(confusion.hits, matrix.diagonal())
    np.testing.assert_array_equal(confusion.support, matrix.sum(axis=1))
    np.testing.assert_array_equal(confusion.claimed, matrix.sum(axis=0))
    np.testing.assert_array_equal(Confusion.of(shuffled(kept, seed)).matrix, matrix)


@given(SEEDS, st.integers(0, 40))
@settings(deadline=None, max_examples=100)
def test_the_most_frequent_mistakes_come_first_equal_ones_by_class(seed: int, limit: int) -> None:
    kept = predictions(seed)
    pairs = zip(kept.targets.tolist(), kept.scores.argmax(axis=1).tolist(), strict=True)
    counted = Counter(pair for pair in pairs if pair[0] != pair[1])
    expected = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    found = top(Confusion.of(kept), limit)
    rows = list(zip(found["true"], found["predicted"], found["count"], strict=True))
    assert rows == [(*pair, count) for pair, count in expected[:limit]]
    sizes = Counter(kept.targets.tolist())
    shares = [1000 * count / sizes[true] for true, _, count in rows]
    assert found["share"] == pytest.approx(shares, abs=0.51)
    assert found["left_out"] == sum(count for _, count in expected[limit:])


def test_classes_that_are_taken_for_each_other_stand_side_by_side() -> None:
    """Three pairs of classes, their members apart in the stored order."""
    true = np.repeat(np.arange(6), 10)
    predicted = np.where(np.arange(60) % 2 == 0, true, (true + 3) % 6)
    cells, count = np.unique(true * 6 + predicted, return_counts=True)
    order = neighbourly(Confusion(cells // 6, cells % 6, count, 6))
    assert sorted(order) == list(range(6))
    assert {frozenset(order[at : at + 2]) for at in (0, 2, 4)} == {
        frozenset(pair) for pair in ((0, 3), (1, 4), (2, 5))
    }


@given(SEEDS)
@settings(deadline=None, max_examples=50)
def test_the_order_holds_every_class_once(seed: int) -> None:
    confusion = Confusion.of(predictions(seed))
    assert sorted(neighbourly(confusion)) == list(range(confusion.classes))
