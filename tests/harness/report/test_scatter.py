"""The map: few enough points, fairly chosen, the same whatever the order of clips."""

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from harness.predictions import Predictions
from harness.report import scatter
from tests.harness.report.made import predictions, shuffled


def many(clips: int, classes: int) -> Predictions:
    """Clips whose place tells their number; every third of the classes 20 and up goes wrong."""
    number = np.arange(clips)
    targets = number % classes
    predicted = np.where((targets >= 20) & (number % 3 == 0), (targets + 1) % classes, targets)
    return Predictions(
        ids=np.array([f"clip {n}" for n in number]),
        folds=np.repeat("test", clips),
        targets=targets,
        scores=np.eye(classes, dtype=np.float32)[predicted],
        classes=np.array([f"class {n}" for n in range(classes)]),
        plane=np.column_stack([number, -number]).astype(np.int16),
    )


@given(st.integers(0, 10**6), st.booleans(), st.integers(1, 45))
@settings(deadline=None, max_examples=100)
def test_what_is_drawn_is_there_and_does_not_depend_on_the_order(
    seed: int, several: bool, points: int
) -> None:
    kept = predictions(seed, several=several)
    drawn = scatter.of(kept, points)
    if drawn is None:
        assert not np.ptp(kept.plane, axis=0).any()
        return
    size = min(points, len(kept.ids))
    assert [len(drawn[key]) for key in ("x", "y", "class", "right")] == [size] * 4
    assert drawn["clips"] == len(kept.ids)
    assert len(drawn["named"]) <= scatter.NAMED
    own = set(map(tuple, kept.plane.tolist()))
    assert set(zip(drawn["x"], drawn["y"], strict=True)) <= own
    assert scatter.of(shuffled(kept, seed), points) == drawn


def test_every_point_has_the_class_and_the_verdict_of_its_clip() -> None:
    kept = many(300, 6)
    drawn = scatter.of(kept, 60)
    assert drawn is not None
    assert drawn["named"] == list(range(6))
    number = np.array(drawn["x"])
    assert drawn["class"] == (number % 6).tolist()
    assert drawn["right"] == "1" * 60
    assert np.bincount(drawn["class"]).tolist() == [10] * 6
    other = replace(kept, scores=np.roll(kept.scores, 1, axis=1))
    assert scatter.of(other, 60) == {**drawn, "right": "0" * 60}


def test_of_many_classes_those_in_most_mistakes_are_named_and_drawn() -> None:
    kept = many(4000, 40)
    drawn = scatter.of(kept, 400)
    assert drawn is not None
    assert len(drawn["named"]) == scatter.NAMED
    assert min(drawn["named"]) > 20  # class 20 is never predicted for another
    counts = np.bincount(drawn["class"], minlength=scatter.NAMED + 1)
    assert counts[-1] == 200
    assert counts[:-1].max() - counts[:-1].min() <= 1
    number = np.array(drawn["x"])
    legend = {label: place for place, label in enumerate(drawn["named"])}
    assert drawn["class"] == [legend.get(label, scatter.NAMED) for label in (number % 40).tolist()]
    wrong = (number % 40 >= 20) & (number % 3 == 0)
    assert drawn["right"] == "".join("10"[int(hit)] for hit in wrong)


def test_of_several_labels_the_most_frequent_one_is_drawn() -> None:
    kept = Predictions(
        ids=np.array(["a", "b", "c"]),
        folds=np.array(["test"] * 3),
        targets=np.array([[True, True], [False, True], [False, False]]),
        scores=np.array([[1, 0], [1, 0], [1, 0]], np.float32),
        classes=np.array(["rare", "frequent"]),
        plane=np.array([[1, 0], [2, 0], [3, 0]], np.int16),
    )
    drawn = scatter.of(kept, 9)
    assert drawn is not None
    assert drawn["named"] == [1]
    points = zip(drawn["x"], drawn["class"], drawn["right"], strict=True)
    assert sorted(points) == [(1, 0, "1"), (2, 0, "0"), (3, 1, "0")]


@pytest.mark.parametrize("plane", [np.zeros((0, 2), np.int16), np.zeros((30, 2), np.int16)])
def test_where_nothing_was_kept_or_all_is_one_point_there_is_no_map(plane: np.ndarray) -> None:
    assert scatter.of(replace(many(30, 3), plane=plane), 100) is None
    assert scatter.of(many(30, 3), 0) is None
