"""Neighbours by clip and fold, their labels as classes; clips that mislead, against a count."""

from collections import Counter
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from harness.predictions import Predictions
from harness.report import neighbours
from tests.harness.report.made import predictions, shuffled

NOBODY = np.zeros((0, 0), str)
KNN = Predictions(
    ids=np.array(["a", "b"]),
    folds=np.array(["fold1", "fold2"]),
    targets=np.array([[True, False, True], [False, True, False]]),
    scores=np.zeros((2, 3), np.float32),
    classes=np.array(["cat", "dog", "gun; shot"]),
    neighbours=np.array([["x", "y"], ["y", "z"]]),
    neighbour_labels=np.array([["gun; shot", "cat; dog"], ["cat; dog", ""]]),
)
LINEAR = replace(KNN, neighbours=NOBODY, neighbour_labels=NOBODY)


def test_a_clip_s_neighbours_come_with_their_classes() -> None:
    assert neighbours.of(KNN, 0, None) == {"neighbours": [["x", [2]], ["y", [0, 1]]]}
    assert neighbours.of(KNN, 1, None) == {"neighbours": [["y", [0, 1]], ["z", []]]}


def test_those_of_knn_are_found_by_clip_and_fold() -> None:
    turned = replace(KNN, ids=np.array(["b", "a"]), folds=np.array(["fold2", "fold1"]))
    assert neighbours.of(LINEAR, 0, turned) == neighbours.of(turned, 1, None)
    assert neighbours.of(LINEAR, 0, None) == {}
    assert neighbours.of(LINEAR, 0, LINEAR) == {}
    assert neighbours.of(LINEAR, 0, replace(KNN, folds=np.array(["fold3", "fold2"]))) == {}


@given(st.integers(0, 10**6), st.booleans(), st.integers(0, 20))
@settings(deadline=None, max_examples=100)
def test_magnets_are_near_many_clips_of_other_classes(seed: int, several: bool, limit: int) -> None:
    kept = predictions(seed, several=several)
    truth = kept.targets if several else np.eye(len(kept.classes), dtype=bool)[kept.targets]
    every, wrong = Counter[str](), Counter[str]()
    for names, labels, own in zip(kept.neighbours, kept.neighbour_labels, truth, strict=True):
        for name, text in zip(names.tolist(), labels.tolist(), strict=True):
            every[name] += 1
            wrong[name] += not set(text.split("; ")) & set(kept.classes[own])
    expected = sorted((-count, name, every[name]) for name, count in wrong.items() if count)
    found = neighbours.magnets(kept, limit)
    assert found is not None
    assert [(-count, name, total) for name, _, count, total in found] == expected[:limit]
    named = {name: np.flatnonzero(truth[row]) for row, name in enumerate(kept.ids.tolist())}
    assert all(classes == named[name].tolist() for name, classes, _, _ in found)
    assert neighbours.magnets(shuffled(kept, seed), limit) == found


@pytest.mark.parametrize("limit", [0, 5])
def test_without_neighbours_there_are_no_magnets(limit: int) -> None:
    assert neighbours.magnets(LINEAR, limit) is None
