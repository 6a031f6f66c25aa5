"""What one clip is worth, against turning and leaving out every clip; which way is worse."""

from typing import Any

import numpy as np
import pytest

import tasks
from harness import metrics
from harness.gate import scores
from harness.predictions import Predictions
from tests.harness import synthetic_results
from tests.harness.records import make_record


def judged(task: str, clips: int = 120) -> tuple[dict[str, Any], Any]:
    spec = tasks.load(task)
    protocol = spec.protocols[0]
    kept = synthetic_results.judged(spec, "base", 0.7, protocol, clips, min(12, spec.classes))
    return synthetic_results.record(spec, "base", protocol, kept), kept


def test_one_clip_of_a_share_is_worth_most_in_the_smallest_fold() -> None:
    record, kept = judged("esc50", clips=31)
    assert record["n"]["test"] == [16, 15]
    worth = scores.change(record, kept, record, kept).one_clip
    folds = [kept.folds == fold for fold in ("fold1", "fold2")]
    moved = []
    for clip in range(31):
        for said in np.eye(len(kept.classes)):
            turned = kept.scores.copy()
            turned[clip] = said
            accuracy = [metrics.compute("accuracy", kept.targets[f], turned[f]) for f in folds]
            moved.append(abs(np.mean(accuracy) - record["score"]))
    assert worth == pytest.approx(max(moved))


@pytest.mark.parametrize("task", ["hear-fsd50k", "hear-dcase2016-task2"])
def test_one_clip_of_other_metrics_is_worth_what_leaving_clips_out_moves(task: str) -> None:
    record, kept = judged(task, clips=200)
    worth = scores.change(record, kept, record, kept).one_clip
    per_fold = []
    for fold in ("fold1", "fold2"):
        clips = np.flatnonzero(kept.folds == fold)
        whole = _fold_score(record, kept, clips)
        less = [_fold_score(record, kept, np.delete(clips, n)) - whole for n in range(len(clips))]
        per_fold.append(max(less) - min(less))
    assert worth == pytest.approx(max(per_fold) / 2, rel=0.15)


def _fold_score(record: dict[str, Any], kept: Any, clips: np.ndarray) -> float:
    metric = record["task"]["metric"]
    if isinstance(kept, Predictions):
        return metrics.compute(metric, kept.targets[clips], kept.scores[clips])
    happened, found = (
        synthetic_results._in_fold(rows, clips) for rows in (kept.happened, kept.found)
    )
    return float(synthetic_results.event_scores.compute(metric, happened, found, len(clips)))


def test_without_predictions_only_shares_know_what_a_clip_is_worth() -> None:
    record, _ = judged("esc50")
    assert scores.change(record, None, record, None).one_clip == pytest.approx(1 / 120)
    record, _ = judged("hear-fsd50k")
    assert scores.change(record, None, record, None).one_clip == 0


def test_worse_is_higher_where_lower_is_better() -> None:
    low = make_record(task__metric="segment_1s_er", task__higher_is_better=False, score=0.5)
    high = {**low, "score": 0.51}
    assert scores.change(low, None, high, None).drop == pytest.approx(0.01)
    assert scores.change(low, None, high, None).beyond(0.005)
    assert scores.change(high, None, low, None).gained(0.005)
    assert not scores.change(high, None, low, None).beyond(0.0)


def test_a_drop_of_the_tolerance_itself_is_tolerated() -> None:
    old, new = make_record(score=0.62), make_record(score=0.615)
    assert not scores.change(old, None, new, None).beyond(0.005)
    assert scores.change(old, None, {**new, "score": 0.6149}, None).beyond(0.005)


def test_points_have_no_negative_zero() -> None:
    assert [scores.points(value) for value in (-1e-9, 0.645, None)] == [
        "0.00",
        "64.50",
        "undefined",
    ]
