"""Paired comparisons against statsmodels and scipy; what they are for any two results."""

import math
from dataclasses import replace
from functools import partial

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import binom, bootstrap, t
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from harness import judged, metrics, paired
from harness.predictions import Detections, Predictions
from tests.harness.records import make_record

RANKED = ("mAP", "auc_roc", "d_prime")
EVENTS = ("event_onset_200ms_fms", "segment_1s_er")
METRICS = ("accuracy", "top1_acc", *RANKED, *EVENTS)


def kept(metric: str, seed: int, skill: float = 1.0, clips: int = 60) -> Predictions | Detections:
    """Results on clips that are the same for all seeds, in two folds of 1 to 2."""
    world, own = np.random.default_rng(0), np.random.default_rng(seed)
    ids = np.array([f"clip{n}" for n in range(clips)])
    folds = np.where(np.arange(clips) % 3 == 0, "a", "b")
    classes = np.array(["x", "y", "z"])
    if metric in EVENTS:
        start = np.sort(world.random(3 * clips)) * 9000
        clip, label = np.repeat(np.arange(clips), 3), world.integers(3, size=3 * clips)
        happened = np.column_stack([clip, label, start, start + 400])
        heard = own.random(len(happened)) < 1 / (1 + np.exp(-skill))
        return Detections(ids, folds, classes, happened, happened[heard] + [0, 0, 20, 20])
    truth = np.eye(3, dtype=bool)[world.integers(3, size=clips)]
    ease = world.normal(size=(clips, 1))
    scores = own.normal(size=(clips, 3)) + (skill + ease) * truth
    targets = truth if metric != "accuracy" else truth.argmax(axis=1)
    return Predictions(ids, folds, targets, scores.astype(np.float32), classes)


def compare(metric: str, own: object, other: object) -> paired.Paired:
    record = make_record(task__metric=metric)
    return paired.compare(record, own, record, other)  # type: ignore[arg-type]


def shuffled(results: Predictions | Detections, seed: int) -> Predictions | Detections:
    order = np.random.default_rng(seed).permutation(len(results.ids))
    clips = {"ids": results.ids[order], "folds": results.folds[order]}
    if isinstance(results, Predictions):
        return replace(
            results, **clips, targets=results.targets[order], scores=results.scores[order]
        )
    events = {}
    for side in ("happened", "found"):
        rows = getattr(results, side).copy()
        rows[:, 0] = np.argsort(order)[rows[:, 0].astype(int)]
        events[side] = rows[::-1]
    return replace(results, **clips, **events)


def values(found: paired.Paired) -> list[float]:
    return [found.difference, found.low, found.high, found.p]


@given(st.sampled_from(METRICS), st.integers(1, 10**6), st.floats(-1, 3))
@settings(deadline=None, max_examples=80)
def test_whatever_is_compared(metric: str, seed: int, skill: float) -> None:
    own, other = kept(metric, 1), kept(metric, seed, skill)
    found, turned = compare(metric, own, other), compare(metric, other, own)
    assert values(turned) == pytest.approx(
        [-found.difference, -found.high, -found.low, found.p], nan_ok=True
    )
    again = compare(metric, shuffled(own, seed), shuffled(other, seed + 1))
    assert values(again) == pytest.approx(values(found), nan_ok=True, abs=1e-12)
    if not math.isnan(found.p):
        assert 0 <= found.p <= 1
        assert found.low <= found.difference <= found.high
    assert found.clips == 60


@pytest.mark.parametrize("metric", METRICS)
def test_a_difference_is_that_of_the_means_over_folds(metric: str) -> None:
    own, other = kept(metric, 1), kept(metric, 2, 0.2)
    means = [np.mean([score for score, _ in judged.scored(metric, one)]) for one in (own, other)]
    assert compare(metric, own, other).difference == pytest.approx(means[0] - means[1])


@pytest.mark.parametrize("metric", METRICS)
def test_a_result_does_not_differ_from_itself(metric: str) -> None:
    found = compare(metric, kept(metric, 1), shuffled(kept(metric, 1), 5))
    assert (found.difference, found.p) == (0, 1)
    assert found.low <= 0 <= found.high


@pytest.mark.parametrize("metric", ["auc_roc", "segment_1s_er"])
def test_other_metrics_have_a_t_test_of_clips_less_folds(metric: str) -> None:
    own, other = kept(metric, 1), kept(metric, 2, 0.2)
    found = compare(metric, own, other)
    folds = zip(judged.scored(metric, own), judged.scored(metric, other), strict=True)
    apart = np.hstack([one - two for (_, one), (_, two) in folds]) / 2
    error = np.sqrt(apart @ apart)
    assert found.p == pytest.approx(2 * t.sf(abs(found.difference) / error, 60 - 2))
    ends = t.interval(0.95, 60 - 2, loc=found.difference, scale=error)
    assert (found.low, found.high) == pytest.approx(ends)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(deadline=None, max_examples=60)
def test_mid_p_is_mcnemars_exact_p_less_half_of_what_is_as_far(gained: int, lost: int) -> None:
    exact = mcnemar([[0, gained], [lost, 0]], exact=True).pvalue
    tie = binom.pmf(gained, gained + lost, 0.5) if gained != lost else 0
    assert paired.mcnemar(gained, lost) == pytest.approx(exact - tie, abs=1e-9)


def test_false_positives_of_mcnemars_mid_p() -> None:
    # Given how many clips only one gets right, who that is is a coin's choice: no simulation.
    several = np.arange(180)
    rejected = []
    for both in several:
        ps = np.array([paired.mcnemar(gained, both - gained) for gained in range(both + 1)])
        rejected.append(binom.pmf(np.arange(both + 1), both, 0.5) @ (ps < 0.05))
    for clips, share in ((100, 0.1), (100, 0.5), (300, 0.05), (300, 0.3), (600, 0.2)):
        rate = binom.pmf(several, clips, share) @ rejected
        assert 0.04 < rate < 0.0505  # McNemar's exact test: 0.022 to 0.041


def simulated(metric: str, rng: np.random.Generator) -> paired.Paired:
    """Two models as good as each other on 150 clips."""
    truth = rng.random((150, 2)) < (0.3, 0.5)
    shared = rng.normal(size=truth.shape)
    ids, folds = np.arange(150).astype(str), np.array(["a", "b", "b"] * 50)
    both = (
        Predictions(ids, folds, truth, shared + rng.normal(size=truth.shape) + truth, np.arange(2))
        for _ in range(2)
    )
    return compare(metric, *both)


@pytest.mark.parametrize("metric", ["mAP", "auc_roc", "top1_acc"])
def test_equals_are_told_apart_in_one_of_twenty(metric: str) -> None:
    rng = np.random.default_rng(11)
    found = [simulated(metric, rng) for _ in range(500)]
    assert 0.03 < np.mean([one.p < 0.05 for one in found]) < 0.07
    assert 0.93 < np.mean([one.low <= 0 <= one.high for one in found]) < 0.98


@pytest.mark.parametrize("metric", ["accuracy", "mAP", "auc_roc"])
def test_an_interval_is_as_wide_as_that_of_resampled_clips(metric: str) -> None:
    one, two = (replace(kept(metric, seed, clips=300), folds=np.full(300, "a")) for seed in (1, 2))

    def difference(rows: np.ndarray) -> float:
        return metrics.compute(metric, one.targets[rows], one.scores[rows]) - metrics.compute(
            metric, two.targets[rows], two.scores[rows]
        )

    resampled = bootstrap(
        (np.arange(300),), difference, n_resamples=500, vectorized=False, method="basic",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    found = compare(metric, one, two)
    assert (found.high - found.low) / 3.92 == pytest.approx(resampled.standard_error, rel=0.1)


def test_pairing_tells_apart_what_single_intervals_do_not() -> None:
    one = kept("accuracy", 1, clips=300)
    scores = one.scores.copy()
    right = np.flatnonzero(scores.argmax(axis=1) == one.targets)[:15]
    scores[right] = -scores[right]
    found = compare("accuracy", one, replace(one, scores=scores))
    assert found.p < 0.001
    assert found.low > 0


@given(st.integers(1, 30), st.integers(0, 10**6))
@settings(deadline=None, max_examples=10)  # statsmodels collects garbage in each
def test_holm_is_that_of_statsmodels(tests: int, seed: int) -> None:
    ps = np.round(np.random.default_rng(seed).random(tests) ** 4, 2)  # small ones, some equal
    assert paired.holm(ps.tolist()) == pytest.approx(multipletests(ps, method="holm")[1])


def test_holm_of_nothing_is_nothing() -> None:
    assert paired.holm([]) == []


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = paired.holm([0.02, math.nan, 0.01])
    assert found == pytest.approx([0.02, math.nan, 0.02], nan_ok=True)


def test_undefined_scores_have_no_difference() -> None:
    one = kept("auc_roc", 1)
    single = replace(one, targets=np.zeros_like(one.targets))
    assert np.isnan(values(compare("auc_roc", single, single))).all()
    silent = replace(kept(EVENTS[0], 1), found=np.zeros((0, 4)))
    assert np.isnan(values(compare(EVENTS[0], silent, silent))).all()


def test_results_of_other_clips_labels_classes_or_metrics_are_refused() -> None:
    one = kept("accuracy", 1)
    record, other = make_record(), make_record(task__metric="mAP")
    refused = partial(pytest.raises, paired.Unpaired)
    with refused(match="60 and 60, of which 59 are the same"):
        compare("accuracy", one, replace(one, ids=np.append(one.ids[:-1], "other")))
    twice = [replace(one, ids=np.append(one.ids[:-1], one.ids[n])) for n in (1, 4)]
    with refused(match="60 and 60, of which 59 are the same"):
        compare("accuracy", *twice)
    with refused(match="60 and 60, of which 40 are the same"):
        compare("accuracy", one, replace(one, folds=np.full(60, "b")))
    with refused(match="other ones for 60 of 60 clips"):
        compare("accuracy", one, replace(one, targets=(one.targets + 1) % 3))
    with refused(match="other ones for 60 of 60 clips"):
        compare("accuracy", one, kept("mAP", 1))
    with refused(match="found 3 and 3, not the same"):
        compare("accuracy", one, replace(one, classes=np.array(["x", "z", "y"])))
    with refused(match="found accuracy and mAP"):
        paired.compare(record, one, other, one)
    events = kept(EVENTS[0], 1)
    moved = replace(events, happened=events.happened + [[0, 0, 0, 1]] * 180)
    with refused(match="other ones for 60 of 60 clips"):
        compare(EVENTS[0], events, moved)
