"""Judges of a head: clips by the metric, events with the post-processing chosen on validation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.metrics import average_precision_score, log_loss

from harness.errors import UserError
from harness.events import Events
from harness.problem import Moments, Problem
from harness.protocols.judges import ClipJudge, EventJudge, judge_of

CPU = torch.device("cpu")
BY_LOSS = {"use_scoring_for_early_stopping": False}


def posed(
    targets: np.ndarray,
    metric: str,
    evaluation: Mapping[str, Any],
    moments: Moments | None = None,
) -> Problem:
    return Problem(
        embeddings=np.zeros((len(targets), 2), np.float32),
        targets=targets,
        folds=(),
        classes=3,
        metric=metric,
        device="cpu",
        seed=0,
        moments=moments,
        evaluation=evaluation,
    )


def test_clips_of_one_class_are_judged_by_accuracy_or_by_the_loss() -> None:
    targets = np.array([0, 1, 2, 1])
    logits = torch.tensor([[2.0, 1, 0], [3, 1, 0], [0, 0, 1]])
    clips = np.array([0, 1, 2])
    judge = judge_of(posed(targets, "accuracy", {}), CPU)
    assert isinstance(judge, ClipJudge)
    assert judge.rows(clips) is clips
    assert judge(clips, logits).value == pytest.approx(2 / 3)
    chances = judge.answer(clips, logits)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
    by_loss = judge_of(posed(targets, "accuracy", BY_LOSS), CPU)
    expected = log_loss([0, 1, 2], softmax(logits.double().numpy(), axis=1), labels=[0, 1, 2])
    assert by_loss(clips, logits).value == pytest.approx(-expected, rel=1e-6)


def test_clips_of_several_classes_are_judged_by_their_metric() -> None:
    rng = np.random.default_rng(0)
    targets, logits = rng.random((20, 3)) < 0.4, rng.normal(size=(12, 3)).astype(np.float32)
    judge = judge_of(posed(targets, "mAP", {}), CPU)
    clips = np.arange(3, 15)
    expected = average_precision_score(targets[clips], expit(logits))
    assert judge(clips, torch.from_numpy(logits)).value == pytest.approx(expected)
    assert judge.targets.dtype == torch.uint8
    by_loss = judge_of(posed(targets, "mAP", BY_LOSS), CPU)(clips, torch.from_numpy(logits))
    likelihood = np.where(targets[clips], expit(logits), 1 - expit(logits))
    assert by_loss.value == pytest.approx(np.log(likelihood).mean(), rel=1e-5)


def watched(evaluation: Mapping[str, Any], metric: str = "event_onset_50ms_fms") -> EventJudge:
    """Two clips of 40 moments, 10 ms apart; class 1 sounds in the second one, briefly."""
    moments = Moments(
        offsets=np.array([0, 40, 80]),
        times=np.tile(10.0 * np.arange(40), 2),
        events=Events.of([[(0, 100.0, 300.0)], [(1, 200.0, 260.0)]]),
    )
    judge = judge_of(posed(np.ones((2, 3), bool), metric, evaluation, moments), CPU)
    assert isinstance(judge, EventJudge)
    return judge


def choices(*durations: float) -> dict[str, Any]:
    return {"event_postprocessing_grid": {"median_filter_ms": [0], "min_duration": durations}}


def certain(judge: EventJudge) -> torch.Tensor:
    """The logits of a head that knows everything."""
    return 20.0 * judge.targets.float() - 10.0


def test_moments_are_the_rows_and_events_their_targets() -> None:
    judge = watched({})
    assert judge.rows(np.array([1])).tolist() == list(range(40, 80))
    assert judge.rows(np.array([1, 0])).tolist() == [*range(40, 80), *range(40)]
    assert judge.targets[:, 0].nonzero()[:, 0].tolist() == list(range(10, 31))
    assert judge.targets[:, 1].nonzero()[:, 0].tolist() == list(range(60, 67))


def test_the_post_processing_that_scores_best_is_chosen() -> None:
    judge = watched(choices(50, 150))
    both = np.arange(2)
    verdict = judge(both, certain(judge))
    # The event of 60 ms is lost if only those of 150 ms count.
    assert verdict == (1.0, {"median_filter_ms": 0, "min_duration": 50})
    found = judge.answer(both, certain(judge), {"median_filter_ms": 0, "min_duration": 150})
    assert (found.label.tolist(), found.start.tolist()) == ([0], [100.0])


def test_of_equal_ways_the_longest_duration_is_chosen_as_in_heareval() -> None:
    judge = watched(choices(10, 50))
    assert judge(np.arange(2), certain(judge)).postprocessing == {
        "median_filter_ms": 0,
        "min_duration": 50,
    }


def test_finding_nothing_is_no_score() -> None:
    judge = watched(choices(10, 50))
    verdict = judge(np.arange(2), torch.full((80, 3), -10.0))
    assert np.isnan(verdict.value)
    assert verdict.postprocessing == {"median_filter_ms": 0, "min_duration": 50}


def test_a_rate_of_errors_is_judged_upside_down() -> None:
    judge = watched(choices(10), "segment_1s_er")
    assert judge(np.arange(2), certain(judge)).value == pytest.approx(0.0)
    assert judge(np.arange(2), torch.full((80, 3), -10.0)).value == pytest.approx(-1.0)


def test_events_are_judged_by_the_loss_where_the_task_says_so() -> None:
    judge = watched(BY_LOSS | choices(50))
    verdict = judge(np.arange(2), certain(judge) / 5)
    assert verdict.value == pytest.approx(-np.log1p(np.exp(-2)), rel=1e-5)
    assert verdict.postprocessing == {"median_filter_ms": 0, "min_duration": 50}
    with pytest.raises(UserError, match=r"expected one way of post-processing .* found 2"):
        watched(BY_LOSS)


@pytest.mark.parametrize(
    "grid",
    [
        {"median_filter_ms": [0]},
        {"median_filter_ms": [0], "min_duration": [0], "threshold": [0.3]},
        {"median_filter_ms": [0], "min_duration": ["short"]},
        {"median_filter_ms": [float("inf")], "min_duration": [0]},
    ],
)
def test_post_processing_that_there_is_not_is_refused(grid: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="expected median_filter_ms and min_duration, in ms from 0"):
        watched({"event_postprocessing_grid": grid})


def test_equal_shares_of_other_counts_are_equal_as_in_heareval() -> None:
    """F is 1/8 with 1 right of 15 and 1, and of 14 and 2: in float64 their last bits differ."""

    def value(right: int, found: int, real: int) -> float:
        at = np.arange(found + real)
        labels = np.ones((len(at), 3), bool)
        moments = Moments(
            offsets=np.append(at, len(at)),
            times=np.zeros(len(at)),
            events=Events.of([[(0, 0.0, 0.0)] if n < real else [] for n in at]),
        )
        judge = judge_of(posed(labels, "event_onset_200ms_fms", choices(0), moments), CPU)
        logits = torch.full((len(at), 3), -9.0)
        logits[real - right : real - right + found, 0] = 9.0
        return float(judge(at, logits).value)

    scores = [value(1, found, 16 - found) for found in range(1, 16)]
    assert scores == [0.125] * 15
