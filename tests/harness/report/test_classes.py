"""Scores of classes against scikit-learn's, and of events against those of each class alone."""

import math
import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from harness import event_scores
from harness.events import Events
from harness.predictions import Detections
from harness.report import classes
from harness.report.confusion import Confusion
from tests.harness.report.made import detections, predictions, shuffled

SEEDS = st.integers(0, 10**6)


@given(SEEDS)
@settings(deadline=None, max_examples=100)
def test_recall_precision_and_f1_are_those_of_scikit_learn(seed: int) -> None:
    kept = predictions(seed)
    confusion = Confusion.of(kept)
    columns = classes.of_labels(confusion)
    precision, recall, f1, support = precision_recall_fscore_support(
        kept.targets,
        kept.scores.argmax(axis=1),
        labels=np.arange(len(kept.classes)),
        zero_division=np.nan,
    )
    np.testing.assert_allclose(columns["recall"], recall)
    np.testing.assert_allclose(columns["precision"], precision)
    np.testing.assert_allclose(columns["f1"], f1)
    np.testing.assert_array_equal(columns["support"], support)
    there = columns["support"] > 0
    diagonal = (columns["recall"] * columns["support"])[there]
    np.testing.assert_allclose(diagonal, confusion.matrix.diagonal()[there])


@given(SEEDS, st.booleans())
@settings(deadline=None, max_examples=100)
def test_average_precision_is_that_of_scikit_learn(seed: int, several: bool) -> None:
    kept = predictions(seed, several=several)
    truth = kept.targets if several else np.eye(len(kept.classes), dtype=bool)[kept.targets]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes without positives
        expected = [
            average_precision_score(positive, scores) if positive.any() else np.nan
            for positive, scores in zip(truth.T, kept.scores.T, strict=True)
        ]
    columns = classes.of_rankings(kept)
    np.testing.assert_allclose(columns["average_precision"], expected, atol=1e-9)
    np.testing.assert_allclose(columns["base_rate"], truth.mean(axis=0))
    np.testing.assert_array_equal(columns["support"], truth.sum(axis=0))
    again = classes.of_rankings(shuffled(kept, seed))
    np.testing.assert_allclose(again["average_precision"], columns["average_precision"])


@given(SEEDS, st.sampled_from(event_scores.EVENT_METRICS[:3]))
@settings(deadline=None, max_examples=100)
def test_events_are_scored_as_if_those_of_a_class_were_all(seed: int, metric: str) -> None:
    kept = detections(seed)
    counts = classes.tally(kept, metric)
    columns = classes.of_events(counts)
    for number in range(len(kept.classes)):
        sides = []
        for rows in (kept.happened, kept.found):
            mine = rows[rows[:, 1] == number]
            sides.append(Events.in_order(*mine[:, :2].astype(int).T, *mine[:, 2:].T))
        own = (metric, *sides, len(kept.ids))
        np.testing.assert_allclose(columns["f"][number], event_scores.compute(*own))
        scores = [columns["precision"][number], columns["recall"][number]]
        np.testing.assert_allclose(scores, event_scores.precision_recall(*own))
    everything = [
        Events.in_order(*r[:, :2].astype(int).T, *r[:, 2:].T) for r in (kept.happened, kept.found)
    ]
    clip_by_clip = event_scores.counts(metric, *everything, len(kept.ids))
    np.testing.assert_array_equal(counts.sum(axis=1), clip_by_clip)


def test_events_counted_by_hand() -> None:
    """Two knocks of which one is found within 200 ms, a cough that is not, and an alarm."""
    kept = Detections(
        ids=np.array(["a", "b"]),
        folds=np.array(["test", "test"]),
        classes=np.array(["cough", "knock", "laugh", "page"]),
        happened=np.array([[0, 1, 100.0, 300.0], [0, 1, 1000.0, 1200.0], [1, 0, 0.0, 500.0]]),
        found=np.array([[0, 1, 250.0, 300.0], [0, 1, 1300.0, 1400.0], [1, 2, 0.0, 500.0]]),
    )
    columns = classes.of_events(classes.tally(kept, "event_onset_200ms_fms"))
    nan = math.nan
    np.testing.assert_array_equal(columns["f"], [nan, 0.5, nan, nan])
    np.testing.assert_array_equal(columns["precision"], [nan, 0.5, 0.0, nan])
    np.testing.assert_array_equal(columns["recall"], [0.0, 0.5, nan, nan])
    np.testing.assert_array_equal(columns["support"], [1, 2, 0, 0])
    np.testing.assert_array_equal(columns["found"], [0, 2, 1, 0])


def test_events_match_by_the_task_s_own_f_measure_if_it_has_one() -> None:
    assert classes.judged_by("event_onset_50ms_fms") == "event_onset_50ms_fms"
    assert classes.judged_by("segment_1s_er") == "event_onset_200ms_fms"


def test_of_many_classes_the_worst_are_told_and_how_all_spread() -> None:
    columns = {
        "f1": np.array([0.5, np.nan, 0.25, 0.5, 1.0]),
        "support": np.array([3, 0, 2, 4, 1]),
    }
    told = classes.table(columns, "f1", 3)
    assert told == {
        "class": [2, 3, 0],
        "f1": [250, 500, 500],
        "support": [2, 4, 3],
        "by": "f1",
        "total": 5,
        "quartiles": [250, 438, 500, 625, 1000],
    }
    whole = classes.table(columns, "f1", 5)
    assert whole["class"] == [0, 1, 2, 3, 4]
    assert whole["f1"] == [500, None, 250, 500, 1000]
    assert classes.table({**columns, "f1": np.full(5, np.nan)}, "f1", 5)["quartiles"] is None


@pytest.mark.parametrize("limit", [1, 2, 6])
def test_what_is_told_of_classes_does_not_depend_on_the_order_of_clips(limit: int) -> None:
    kept = predictions(7, several=True)
    tables = [
        classes.table(classes.of_rankings(clips), "average_precision", limit)
        for clips in (kept, shuffled(kept, 1))
    ]
    assert tables[0] == tables[1]
