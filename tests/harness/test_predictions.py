"""Predictions come back as they went, and damage is told in one line."""

from pathlib import Path

import numpy as np
import pytest

from harness import predictions
from harness.errors import UserError
from harness.predictions import Detections, Predictions

CLIPS = Predictions(
    ids=np.array(["a", "b"]),
    folds=np.array(["fold1", "fold2"]),
    targets=np.array([0, 1]),
    scores=np.array([[0.9, 0.1], [0.4, 0.6]], dtype=np.float32),
    classes=np.array(["dog", "cat"]),
    plane=np.array([[1000, 0], [-4, 7]], np.int16),
    neighbours=np.array([["c"], ["d"]]),
    neighbour_labels=np.array([["dog"], ["cat; dog"]]),
)
EVENTS = Detections(
    ids=np.array(["a"]),
    folds=np.array(["test"]),
    classes=np.array(["knock"]),
    happened=np.array([[0, 0, 10.0, 20.0]]),
    found=np.zeros((0, 4)),
)


@pytest.mark.parametrize("kept", [CLIPS, EVENTS])
def test_they_come_back_and_the_bytes_are_stable(
    kept: Predictions | Detections, tmp_path: Path
) -> None:
    record = tmp_path / "knn.json"
    predictions.beside(record).write_bytes(predictions.render(kept))
    back = predictions.read(record)
    assert type(back) is type(kept)
    for name, value in vars(kept).items():
        np.testing.assert_array_equal(getattr(back, name), value)
    assert predictions.render(back) == predictions.render(kept)


def test_what_is_missing_or_damaged_is_one_line(tmp_path: Path) -> None:
    record = tmp_path / "knn.json"
    whole = predictions.render(CLIPS)
    with pytest.raises(UserError, match=r"knn\.npz: expected the predictions of the record"):
        predictions.read(record)
    for damaged in (b"", whole[: len(whole) // 2], b"<html>", whole[:200] + b"?" * 200):
        predictions.beside(record).write_bytes(damaged)
        with pytest.raises(UserError, match=r"could not read them .*; run the task again"):
            predictions.read(record)
