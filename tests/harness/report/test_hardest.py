"""The hardest clips against a plain sort, and clips with events counted by hand."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from harness.predictions import Detections, Predictions
from harness.report import classes, hardest
from tests.harness.report.made import predictions, shuffled

SEEDS = st.integers(0, 10**6)
LIMIT = st.integers(0, 45)


@given(SEEDS, LIMIT)
@settings(deadline=None, max_examples=100)
def test_mistakes_are_sorted_by_how_far_the_true_class_lies_behind(seed: int, limit: int) -> None:
    kept = predictions(seed)
    expected = []
    for row, true in enumerate(kept.targets.tolist()):
        scores = kept.scores[row].tolist()
        guess = scores.index(max(scores))
        if guess != true:
            behind = round(scores[guess] - scores[true], 6)
            expected.append((-behind, kept.ids[row], kept.folds[row], true, guess, scores))
    found = hardest.of_labels(kept, limit, None)
    assert [tuple(clip[key] for key in ("id", "fold", "true", "predicted")) for clip in found] == [
        row[1:5] for row in sorted(expected)[:limit]
    ]
    for clip, (*_, true, guess, scores) in zip(found, sorted(expected), strict=False):
        assert clip["scores"] == [round(1000 * scores[guess]), round(1000 * scores[true])]
    assert hardest.of_labels(shuffled(kept, seed), limit, None) == found


@given(SEEDS, LIMIT)
@settings(deadline=None, max_examples=100)
def test_clips_with_labels_are_sorted_by_what_stands_above_the_least(seed: int, limit: int) -> None:
    kept = predictions(seed, several=True)
    expected = []
    for row, labels in enumerate(map(np.flatnonzero, kept.targets)):
        if len(labels):
            scores = kept.scores[row]
            least = min(labels.tolist(), key=lambda label: (scores[label], label))
            rivals = [label for label in range(len(scores)) if label not in labels]
            above = sum((scores[r] > scores[least]) + (scores[r] == scores[least]) / 2
                        for r in rivals)  # fmt: skip
            if above:
                expected.append((-above, kept.ids[row], kept.folds[row], least, labels.tolist()))
    found = hardest.of_rankings(kept, limit, None)
    keys = ("id", "fold", "true", "labels")
    assert [(-clip["above"], *(clip[key] for key in keys)) for clip in found] == sorted(expected)[
        :limit
    ]
    for clip in found:
        assert clip["predicted"] not in clip["labels"]
        assert clip["scores"][0] >= clip["scores"][1]
    assert hardest.of_rankings(shuffled(kept, seed), limit, None) == found


def test_a_model_without_mistakes_has_no_hardest_clips() -> None:
    kept = Predictions(
        ids=np.array(["a", "b"]),
        folds=np.array(["test", "test"]),
        targets=np.array([0, 1]),
        scores=np.eye(2, dtype=np.float32),
        classes=np.array(["dog", "cat"]),
    )
    assert hardest.of_labels(kept, 5, None) == []


def test_equal_votes_are_equal_whatever_their_last_bits() -> None:
    """0.3 - 0.1 and 0.2 - 0 differ in floating point."""
    kept = Predictions(
        ids=np.array(["b", "a"]),
        folds=np.array(["test", "test"]),
        targets=np.array([1, 1]),
        scores=np.array([[0.3, 0.1], [0.2, 0.0]], np.float32),
        classes=np.array(["dog", "cat"]),
    )
    assert kept.scores[0, 0] - kept.scores[0, 1] != kept.scores[1, 0] - kept.scores[1, 1]
    assert [clip["id"] for clip in hardest.of_labels(kept, 5, None)] == ["a", "b"]


def test_clips_with_events_are_sorted_by_misses_and_false_alarms() -> None:
    kept = Detections(
        ids=np.array(["whole", "deaf", "noisy"]),
        folds=np.array(["test"] * 3),
        classes=np.array(["cough", "knock"]),
        happened=np.array([[0, 0, 0.0, 100.0], [1, 1, 0.0, 100.0], [2, 1, 900.0, 950.0]]),
        found=np.array(
            [[0, 0, 0.0, 100.0], [2, 0, 0.0, 50.0], [2, 0, 500.0, 600.0], [2, 1, 0.0, 50.0]]
        ),
    )
    counts = classes.tally(kept, "event_onset_50ms_fms")
    assert hardest.of_events(kept, counts, 5) == [
        {
            "id": "noisy",
            "fold": "test",
            "events": 1,
            "missed": 1,
            "false": 3,
            "classes": [[0, 0, 2], [1, 1, 1]],
        },
        {
            "id": "deaf",
            "fold": "test",
            "events": 1,
            "missed": 1,
            "false": 0,
            "classes": [[1, 1, 0]],
        },
    ]
    assert len(hardest.of_events(kept, counts, 1)) == 1


@pytest.mark.parametrize("several", [False, True])
def test_neighbours_stand_beside_the_clips_of_knn(several: bool) -> None:
    kept = predictions(3, several=several)
    list_them = hardest.of_rankings if several else hardest.of_labels
    for clip in list_them(kept, 5, None):
        row = int(np.flatnonzero((kept.ids == clip["id"]) & (kept.folds == clip["fold"]))[0])
        assert [name for name, _ in clip["neighbours"]] == kept.neighbours[row].tolist()
