"""Scores of an outcome, of clips and of events, against counting by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score
from statsmodels.stats.proportion import proportion_confint

from harness import intervals, metrics
from harness.events import Events
from harness.problem import Fold, Moments, Outcome, Problem
from harness.scoring import score

FOLDS = tuple(
    Fold(f"fold{n}", np.setdiff1d(np.arange(6), test), np.arange(0), test)
    for n, test in enumerate((np.arange(3), np.arange(3, 6)))
)


def problem(**changes: object) -> Problem:
    facts: dict[str, object] = {
        "embeddings": np.eye(6, dtype=np.float32),
        "targets": np.array([0, 0, 1, 0, 1, 1]),
        "folds": FOLDS,
        "classes": 2,
        "metric": "accuracy",
        "device": "cpu",
        "seed": 0,
    }
    return Problem(**(facts | changes))  # type: ignore[arg-type]


def test_clips_are_scored_fold_by_fold() -> None:
    chances = np.random.default_rng(0).random((6, 2)).astype(np.float32)
    found = score(problem(), Outcome(scores=(chances[:3], chances[3:])), ["chroma_accuracy"])
    truth, told = problem().targets, chances.argmax(axis=1)
    expected = [accuracy_score(truth[:3], told[:3]), accuracy_score(truth[3:], told[3:])]
    assert found.per_fold["accuracy"] == found.per_fold["chroma_accuracy"] == expected
    precision = average_precision_score(np.eye(2)[truth[3:]], chances[3:])
    assert found.per_fold["mAP"][1] == pytest.approx(precision)
    assert next(iter(found.per_fold)) == "accuracy"
    hits = int((told == truth).sum())
    assert found.ci95 == pytest.approx(proportion_confint(hits, 6, method="wilson"))
    assert found.floor == pytest.approx(1 / 3)


def test_the_interval_is_of_the_problems_metric_in_all_folds() -> None:
    chances = np.random.default_rng(1).random((6, 2)).astype(np.float32)
    found = score(problem(metric="mAP"), Outcome(scores=(chances[:3], chances[3:])), ["accuracy"])
    folds = [(problem().targets[rows], chances[rows]) for rows in (slice(3), slice(3, 6))]
    influences = [metrics.influence("mAP", *fold) for fold in folds]
    assert found.ci95 == intervals.interval("mAP", found.per_fold["mAP"], influences)
    assert found.ci95[0] < np.mean(found.per_fold["mAP"]) < found.ci95[1]


def happenings() -> Problem:
    events = Events.of([[(0, 100.0 * n, 100.0 * n + 50)] for n in range(6)])
    offsets = np.arange(0, 7)
    return problem(
        metric="event_onset_200ms_fms",
        moments=Moments(offsets, np.zeros(6), events),
        targets=np.ones((6, 2), bool),
    )


def test_events_are_scored_fold_by_fold() -> None:
    # Of the first fold all are found; of the second one of three, and one that is none.
    right = Events.of([[(0, 100.0 * n + 150, 100.0 * n + 160)] for n in range(3)])
    wrong = Events.of([[(0, 320.0, 330.0)], [(1, 400.0, 450.0)], []])
    further = ["segment_1s_er"]
    found = score(happenings(), Outcome(events=(right, wrong)), further)
    assert found.per_fold["event_onset_200ms_fms"] == pytest.approx([1.0, 2 / 5])
    assert found.per_fold["segment_1s_er"] == pytest.approx([0.0, 2 / 3])
    assert list(found.per_fold) == ["event_onset_200ms_fms", "segment_1s_er"]
    # Of the second fold, where 2·1 of 3 + 2 match, the clips' influences are 0.24, -0.16 and -0.08.
    variance = (0.24**2 + 0.16**2 + 0.08**2) * 3 / 2 / 2**2
    assert found.ci95 == pytest.approx(intervals.wilson(0.7, 0.7 * 0.3 / variance))
    assert found.floor == 0.0


def test_finding_nothing_misses_everything() -> None:
    nothing = Outcome(events=(Events.of([[]] * 3), Events.of([[]] * 3)))
    found = score(happenings(), nothing, ["segment_1s_er"])
    assert found.per_fold["segment_1s_er"] == pytest.approx([1.0, 1.0])
    assert np.isnan(found.per_fold["event_onset_200ms_fms"]).all()
