"""Event scores against heareval's own (golden) and against plain definitions; clips' influence."""

import math
import time
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from harness import event_scores
from harness.events import Events

GOLDEN = np.load(Path(__file__).with_name("golden") / "events.npz")
F_MEASURES = event_scores.EVENT_METRICS[:3]
NONE = Events.of([])


def golden(side: str) -> list[Events]:
    """The events of every golden case, one Events each."""
    case, clip, label, start, end = (
        GOLDEN[f"{side}_{name}"].astype(np.int64)
        for name in ("case", "clip", "label", "start", "end")
    )
    bounds = np.searchsorted(case, np.arange(len(GOLDEN["clips"]) + 1))
    return [
        Events.in_order(clip[mine], label[mine], start[mine] / 1000, end[mine] / 1000)
        for mine in map(slice, bounds[:-1], bounds[1:])
    ]


def scores(reference: Events, estimated: Events, clips: int) -> list[float]:
    """All scores in the order of the golden file."""
    found = []
    for metric in F_MEASURES:
        found.append(event_scores.compute(metric, reference, estimated, clips))
        found += event_scores.precision_recall(metric, reference, estimated, clips)
    return [*found, event_scores.compute("segment_1s_er", reference, estimated, clips)]


def test_scores_are_those_of_heareval_to_the_last_bit() -> None:
    cases = zip(golden("reference"), golden("estimated"), GOLDEN["clips"].tolist(), strict=True)
    found = np.array([scores(*case) for case in cases])
    np.testing.assert_array_equal(found, GOLDEN["scores"])  # NaN equals NaN here
    assert np.isnan(found).any()
    assert len(found) == 2000


Clip = list[tuple[int, float, float]]
EVENT = st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(0, 20)).map(
    lambda event: (event[0], event[1] * 50.0, (event[1] + event[2]) * 50.0)
)
CLIPS = st.lists(st.tuples(st.lists(EVENT, max_size=7), st.lists(EVENT, max_size=7)), max_size=3)


def plainly_matched(reference: Clip, estimated: Clip, collar: float, *, offset: bool) -> int:
    """Size of the largest matching, by looking for augmenting paths one after the other."""

    def hit(truth: tuple[int, float, float], found: tuple[int, float, float]) -> bool:
        (label, start, end), (other, onset, last) = truth, found
        near = abs(start / 1000 - onset / 1000) <= collar
        allowed = max(collar, 0.2 * (end / 1000 - start / 1000))
        return label == other and near and (not offset or abs(end / 1000 - last / 1000) <= allowed)

    partner: dict[int, int] = {}

    def augment(truth: int, seen: set[int]) -> bool:
        for found, event in enumerate(estimated):
            if found not in seen and hit(reference[truth], event):
                seen.add(found)
                if found not in partner or augment(partner[found], seen):
                    partner[found] = truth
                    return True
        return False

    return sum(augment(truth, set()) for truth in range(len(reference)))


def plainly_segmented(reference: Clip, estimated: Clip) -> tuple[int, int, int, int]:
    """Substituted, deleted, inserted and reference labels, second by second."""
    total = np.zeros(4, np.int64)
    for second in range(3):
        truth, found = (
            {
                label
                for label, start, end in events
                if start // 1000 <= second < math.ceil(end / 1000)
            }
            for events in (reference, estimated)
        )
        total += (
            min(len(truth), len(found)) - len(truth & found),
            max(0, len(truth) - len(found)),
            max(0, len(found) - len(truth)),
            len(truth),
        )
    return tuple(total.tolist())


@given(CLIPS)
@settings(deadline=None, max_examples=200)
def test_counts_are_those_of_the_definitions(clips: list[tuple[Clip, Clip]]) -> None:
    reference, estimated = (Events.of([clip[side] for clip in clips]) for side in (0, 1))
    rules = zip(F_MEASURES, ((0.2, False), (0.05, False), (0.05, True)), strict=True)
    for metric, (collar, offset) in rules:
        expected = [
            (plainly_matched(truth, found, collar, offset=offset), len(truth), len(found))
            for truth, found in clips
        ]
        counts = event_scores.counts(metric, reference, estimated, len(clips))
        assert list(map(tuple, counts.tolist())) == expected
    counts = event_scores.counts("segment_1s_er", reference, estimated, len(clips))
    assert list(map(tuple, counts.tolist())) == [plainly_segmented(*clip) for clip in clips]


def test_on_the_collar_is_within_it_as_floats_have_it() -> None:
    reference = Events.of([[(0, 300.0, 400.0)], [(0, 900.0, 950.0)]])
    estimated = Events.of([[(0, 500.0, 600.0)], [(0, 1100.0, 1200.0)]])  # 1.1 - 0.9 > 0.2
    counts = event_scores.counts("event_onset_200ms_fms", reference, estimated, 2)
    assert counts.tolist() == [[1, 1, 1], [0, 1, 1]]


def test_the_largest_matching_counts_not_the_nearest() -> None:
    reference = Events.of([[(0, 0.0, 10.0), (0, 150.0, 160.0)]])
    estimated = Events.of([[(0, 140.0, 150.0), (0, 340.0, 350.0)]])
    assert event_scores.compute("event_onset_200ms_fms", reference, estimated, 1) == 1.0


def test_without_events_on_a_side() -> None:
    some = Events.of([[(0, 100.0, 200.0)], []])
    for metric in F_MEASURES:
        for reference, estimated in ((NONE, NONE), (some, NONE), (NONE, some)):
            assert math.isnan(event_scores.compute(metric, reference, estimated, 2))
        assert event_scores.precision_recall(metric, some, NONE, 2)[1] == 0
        other = Events.of([[(1, 100.0, 200.0)], []])
        assert event_scores.compute(metric, some, other, 2) == 0
    assert event_scores.compute("segment_1s_er", NONE, NONE, 2) == 0
    assert event_scores.compute("segment_1s_er", some, NONE, 2) == pytest.approx(1)
    assert event_scores.compute("segment_1s_er", NONE, some, 2) > 1e15


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="found 'mAP'"):
        event_scores.compute("mAP", NONE, NONE, 1)


@pytest.mark.parametrize("metric", event_scores.EVENT_METRICS)
def test_influences_tell_how_far_scores_of_resampled_clips_are_apart(metric: str) -> None:
    random = np.random.default_rng(5)
    per_clip = [
        [(int(random.integers(2)), start, start + 300.0) for start in random.random(4) * 5000]
        for _ in range(60)
    ]
    near = [
        [(label, start + 30.0, end) for label, start, end in clip[i % 4 :]]
        + [(1, 7000.0 + 1000 * n, 7300.0 + 1000 * n) for n in range(i % 3)]  # which are none
        for i, clip in enumerate(per_clip)
    ]
    reference, estimated = Events.of(per_clip), Events.of(near)
    drawn = [
        event_scores.compute(metric, reference.take(rows), estimated.take(rows), 60)
        for rows in random.integers(60, size=(1000, 60))
    ]
    influence = event_scores.influence(metric, reference, estimated, 60)
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    assert np.linalg.norm(influence) == pytest.approx(np.std(drawn), rel=0.1)


def test_without_events_there_is_no_influence() -> None:
    some = Events.of([[(0, 100.0, 200.0)], []])
    assert np.isnan(event_scores.influence(F_MEASURES[0], NONE, NONE, 2)).all()
    assert event_scores.influence(F_MEASURES[0], some, some, 2) == pytest.approx([0, 0])


@pytest.mark.parametrize("metric", event_scores.EVENT_METRICS)
def test_fifty_thousand_events_are_scored_within_a_second(metric: str) -> None:
    random = np.random.default_rng(0)
    clip, label = random.integers(37, size=50_000), random.integers(88, size=50_000)
    start = random.random(50_000) * 119_000
    reference = Events.in_order(clip, label, start, start + 500)
    estimated = Events.in_order(clip, label, start + 40, start + 580)
    begun = time.process_time()  # of a loaded machine too
    score = event_scores.compute(metric, reference, estimated, 37)
    assert time.process_time() - begun < 1
    assert 0 < score <= 1
