"""What is chosen on which clips, in which order they train, and what an outcome tells of it."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.events import Events
from harness.problem import Fold, Moments, Outcome, Problem
from harness.protocols import hear2021
from harness.protocols.grid import points

BRIEF = {"hidden_dim": [16], "max_epochs": [6], "batch_size": [16]}
both = pytest.mark.parametrize("strict", [False, True])


def posed(metric: str = "accuracy", **evaluation: Any) -> Problem:
    """60 clips of 3 classes in 3 folds, that have something to do with each other."""
    rng = np.random.default_rng(0)
    targets = rng.permutation(np.repeat(np.arange(3), 20))
    fold = np.arange(60) % 3
    return Problem(
        embeddings=(np.eye(6)[targets] + rng.normal(size=(60, 6))).astype(np.float32),
        targets=targets,
        folds=tuple(
            Fold(f"fold{n}", *(np.flatnonzero(fold == (n + k) % 3) for k in (2, 1, 0)))
            for n in range(3)
        ),
        classes=3,
        metric=metric,
        device="cpu",
        seed=0,
        evaluation={"task_specific_param_grid": BRIEF, **evaluation},
    )


def told(outcome: Outcome, division: int) -> Mapping[str, Any]:
    """What an outcome says of the head that was chosen for a division."""
    assert outcome.selection
    extra = {name: values[division] for name, values in outcome.extra.items()}
    return {"chosen": outcome.selection["chosen"][division], **extra}


@both
def test_the_same_again(strict: bool) -> None:
    one, two = (hear2021.solve(posed(), strict=strict) for _ in range(2))
    assert (one.selection, one.extra) == (two.selection, two.extra)
    for a, b in zip(one.scores, two.scores, strict=True):
        np.testing.assert_array_equal(a, b)


@both
def test_no_division_sees_its_test_clips(strict: bool) -> None:
    problem = posed()
    test = problem.folds[0].test
    targets, embeddings = problem.targets.copy(), problem.embeddings.copy()
    targets[test] = (targets[test] + 1) % 3
    embeddings[test] *= -3
    other = hear2021.solve(replace(problem, targets=targets, embeddings=embeddings), strict=strict)
    one = hear2021.solve(problem, strict=strict)
    assert told(other, 0) == told(one, 0)
    assert not np.array_equal(other.scores[0], one.scores[0])
    assert not np.array_equal(other.scores[1], one.scores[1])  # there they train


def test_what_is_chosen_on_the_first_division_is_kept_for_the_others() -> None:
    selection = hear2021.solve(posed(), strict=False).selection
    assert selection
    assert selection["grid"] == points({})[:8]
    assert selection["chosen"] == [selection["chosen"][0]] * 3
    assert selection["chosen"][0] in selection["grid"]


def test_the_strict_one_chooses_for_each_division_among_all_points() -> None:
    problem = posed()
    outcome = hear2021.solve(problem, strict=True)
    assert outcome.selection
    assert outcome.selection["grid"] == points({})
    found = []
    for point in points({}):
        alone = BRIEF | {name: [value] for name, value in point.items()}
        evaluation = {"task_specific_param_grid": alone}
        found.append(hear2021.solve(replace(problem, evaluation=evaluation), strict=True))
    for n in range(3):
        every = [told(one, n) for one in found]
        assert told(outcome, n) == max(every, key=lambda one: one["valid"])  # first of equals


def test_batches_are_cut_from_each_fold_in_an_order_of_its_own() -> None:
    """As in heareval: one generator shuffles the files of fold after fold."""
    folds = posed().folds
    generator = random.Random(0)
    splits = [[*map(int, fold.test)] for fold in folds]
    for split in splits:
        generator.shuffle(split)
    orders = [order.tolist() for order in hear2021._orders(folds)]
    assert orders == [splits[2], splits[0], splits[1]]
    wider = [replace(fold, train=np.setdiff1d(np.arange(60), fold.test)) for fold in folds]
    longer = [order.tolist() for order in hear2021._orders(wider)]
    assert longer == [splits[1] + splits[2], splits[0] + splits[2], splits[0] + splits[1]]
    (alone,) = hear2021._orders(folds[:1])
    expected = folds[0].train.tolist()
    random.Random(0).shuffle(expected)
    assert alone.tolist() == expected


@both
def test_answers_are_chances_for_the_test_clips(strict: bool) -> None:
    problem = posed()
    outcome = hear2021.solve(problem, strict=strict)
    for fold, scores in zip(problem.folds, outcome.scores, strict=True):
        assert scores.shape == (len(fold.test), 3)
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)


@both
def test_of_equal_points_the_first_is_chosen(strict: bool) -> None:
    problem = replace(posed(), targets=np.zeros(60, np.int64), classes=1)  # none can fail
    outcome = hear2021.solve(problem, strict=strict)
    assert outcome.selection
    assert outcome.selection["chosen"] == points({})[:1] * 3
    assert outcome.extra["valid"] == [1.0] * 3
    assert outcome.extra["epochs"] == [3] * 3  # the first validation


def test_a_validation_without_a_score_ends_the_training() -> None:
    """A fold without a class has no AUC; division 0 validates on it, division 1 tests."""
    problem = posed("auc_roc")
    targets = problem.targets.copy()
    targets[problem.folds[1].test] %= 2
    problem = replace(problem, targets=targets)
    outcome = hear2021.solve(problem, strict=False)
    assert outcome.selection
    assert outcome.extra["valid"][0] == -np.inf
    assert outcome.extra["epochs"][0] == 3
    assert outcome.selection["chosen"][0] == points({})[0]
    assert np.isfinite(outcome.extra["valid"][1:]).all()


def test_the_loss_judges_where_the_task_says_so() -> None:
    outcome = hear2021.solve(posed(use_scoring_for_early_stopping=False), strict=False)
    assert all(value < 0 for value in outcome.extra["valid"])


def test_events_are_found_with_the_post_processing_of_the_validation() -> None:
    """Clips of 50 moments; their class sounds from 400 to 1200 ms."""
    scenes = posed()
    times = np.tile(40.0 * np.arange(50), 60)
    on = (times >= 400) & (times <= 1200)
    of = np.repeat(scenes.targets, 50)
    noise = np.random.default_rng(0).normal(scale=0.1, size=(3000, 6))
    quick = BRIEF | {"lr": [1e-2], "batch_size": [100]}
    problem = replace(
        scenes,
        evaluation={"task_specific_param_grid": quick},
        embeddings=(4 * np.eye(6)[of] * on[:, None] + noise).astype(np.float32),
        metric="event_onset_200ms_fms",
        moments=Moments(
            offsets=50 * np.arange(61),
            times=times,
            events=Events.of([[(label, 400.0, 1200.0)] for label in scenes.targets.tolist()]),
        ),
    )
    outcome = hear2021.solve(problem, strict=False)
    assert outcome.scores == ()
    assert outcome.extra["valid"] == [1.0] * 3
    longest = {"median_filter_ms": 250, "min_duration": 250}  # both do as well
    assert outcome.extra["postprocessing"] == [longest] * 3
    for fold, found in zip(problem.folds, outcome.events, strict=True):
        assert found.clip.tolist() == list(range(20))
        assert found.label.tolist() == scenes.targets[fold.test].tolist()
        assert set(found.start) == {400.0}


def test_progress_never_goes_back_and_comes_to_its_end() -> None:
    seen: list[tuple[float, float]] = []
    hear2021.solve(replace(posed(), progress=lambda *now: seen.append(now)), strict=False)
    done = [part / whole for part, whole in seen]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1)
    assert pytest.approx(0.8) in done  # of ten heads in all, eight are the grid's
