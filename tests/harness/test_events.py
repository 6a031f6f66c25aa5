"""Events against heareval's own answers (golden) and against loops over frames; their columns."""

from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from scipy.ndimage import median_filter

from harness.events import Events, active, detect, ranges

GOLDEN = np.load(Path(__file__).with_name("golden") / "events.npz")


def rows(events: Events) -> list[tuple[int, float, float, int]]:
    columns = (events.clip, events.start, events.end, events.label)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def plainly_active(
    per_clip: list[list[tuple[int, float, float]]], frames: list[np.ndarray], classes: int
) -> np.ndarray:
    """What `active` says, frame by frame and event by event."""
    found = [
        [
            any(one == label and start <= t < end + 0.0001 for one, start, end in events)
            for label in range(classes)
        ]
        for events, times in zip(per_clip, frames, strict=True)
        for t in times
    ]
    return np.array(found, bool).reshape(-1, classes)


def plainly_detected(
    probabilities: np.ndarray, times: np.ndarray, median_filter_ms: float, min_duration: float
) -> list[tuple[float, float, int]]:
    """What `detect` finds in one clip: scipy's median, then frame by frame."""
    if len(times) > 1:
        width = round(median_filter_ms / np.mean(np.diff(times)))
        if width:
            probabilities = median_filter(probabilities, size=(width, 1))
    found = []
    for label, values in enumerate(probabilities.T):
        first = None
        for frame, value in enumerate([*values, 0.0]):
            if value > 0.5 and first is None:
                first = frame
            elif value <= 0.5 and first is not None:
                if times[frame - 1] - times[first] >= min_duration:
                    found.append((times[first], times[frame - 1], label))
                first = None
    return sorted(found)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), max_size=6))
def test_ranges_are_those_of_python(bounds: list[tuple[int, int]]) -> None:
    first = np.array([low for low, _ in bounds], np.int64)
    stop = np.array([low + n for low, n in bounds], np.int64)
    expected = [(i, number) for i, (low, n) in enumerate(bounds) for number in range(low, low + n)]
    owner, number = ranges(first, stop)
    assert list(zip(owner.tolist(), number.tolist(), strict=True)) == expected


def test_events_are_sorted_by_clip_start_end_and_label() -> None:
    events = Events.of([[(1, 5, 9), (0, 5, 9), (2, 5, 8), (3, 1, 2)], [], [(4, 0, 0)]])
    assert rows(events) == [(0, 1, 2, 3), (0, 5, 8, 2), (0, 5, 9, 0), (0, 5, 9, 1), (2, 0, 0, 4)]
    assert [column.dtype for column in vars(events).values()] == [np.int64] * 2 + [np.float64] * 2
    assert len(Events.of([])) == len(Events.of([[], []])) == 0


def test_taking_clips_renumbers_them() -> None:
    per_clip = [[(0, 1.0, 2.0)], [], [(1, 3.0, 4.0), (0, 2.0, 9.0)], [(2, 5.0, 6.0)]]
    events = Events.of(per_clip)
    for chosen in ([2, 1, 0], [3], [1], [], [2, 2, 0, 1, 2]):
        taken = events.take(np.array(chosen, np.int64))
        assert rows(taken) == rows(Events.of([per_clip[i] for i in chosen]))


def test_targets_are_those_of_heareval() -> None:
    target = np.unpackbits(GOLDEN["target"], count=4 * len(GOLDEN["target_time"]))
    cases = GOLDEN["target_case"]
    per_case = [[] for _ in range(cases[-1] + 1)]
    names = ("case", "label", "start", "end")
    for case, label, *times in zip(*(GOLDEN[f"sounding_{name}"] for name in names), strict=True):
        per_case[case].append((label, *(time / 1000 for time in times)))
    offsets = np.searchsorted(cases, np.arange(len(per_case) + 1))
    found = active(Events.of(per_case), offsets, GOLDEN["target_time"] / 1000, 4)
    assert np.array_equal(found, target.reshape(-1, 4))
    assert 0 < found.mean() < 1


EVENT = st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 20))


@given(
    st.lists(st.tuples(st.lists(EVENT, max_size=5), st.sets(st.integers(0, 60))), max_size=4),
    st.sampled_from([1.0, 0.1, 12.5]),
)
@settings(deadline=None)
def test_targets_are_those_of_a_loop(
    clips: list[tuple[list[tuple[int, int, int]], set[int]]], unit: float
) -> None:
    per_clip = [
        [(label, start * unit, (start + length) * unit) for label, start, length in events]
        for events, _ in clips
    ]
    frames = [np.array(sorted(times)) * unit for _, times in clips]
    offsets = np.cumsum([0, *map(len, frames)])
    times = np.concatenate([[], *frames])
    found = active(Events.of(per_clip), offsets, times, 3)
    assert np.array_equal(found, plainly_active(per_clip, frames, 3))


def test_an_event_ends_just_after_its_end() -> None:
    events = Events.of([[(0, 40.0, 80.0), (1, 120.0, 120.0), (1, 10.0, 20.0)]])
    times = np.array([0.0, 40.0, 80.0, 80.0002, 120.0, 160.0])
    found = active(events, np.array([0, 6]), times, 2)
    assert np.flatnonzero(found[:, 0]).tolist() == [1, 2]
    assert np.flatnonzero(found[:, 1]).tolist() == [4]


def test_detections_are_those_of_heareval() -> None:
    names = ("case", "clip", "start", "end", "label")
    columns = (GOLDEN[f"detected_{name}"] for name in names)
    expected = sorted(zip(*(column.tolist() for column in columns), strict=True))
    found = []
    for case, (median_filter_ms, min_duration) in enumerate(GOLDEN["settings"].tolist()):
        mine = GOLDEN["frames_case"] == case
        clip = GOLDEN["frames_clip"][mine]
        events = detect(
            GOLDEN["eighths"][mine].astype(np.float32) / 8,
            np.searchsorted(clip, np.arange(clip[-1] + 2)),
            GOLDEN["frames_time"][mine] / 1000,
            median_filter_ms=median_filter_ms,
            min_duration=min_duration,
        )
        found += [(case, i, round(1e3 * a), round(1e3 * b), c) for i, a, b, c in rows(events)]
    assert found == expected
    assert len(found) > 2000


@given(
    seed=st.integers(0, 10**6),
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    hop=st.sampled_from([40.0, 20.0, 33.3]),
    median_filter_ms=st.sampled_from([0, 19, 30, 40, 62, 125, 150, 250, 1000]),
    min_duration=st.sampled_from([0, 40, 125]),
)
@example(seed=0, lengths=[4, 1, 7], hop=40.0, median_filter_ms=1000, min_duration=0)
@example(seed=1, lengths=[12, 0, 12], hop=20.0, median_filter_ms=150, min_duration=0)  # 7.5 → 8
@settings(deadline=None, max_examples=300)
def test_detections_are_those_of_a_loop(
    seed: int, lengths: list[int], hop: float, median_filter_ms: float, min_duration: float
) -> None:
    # Where the window is eight times as long as a clip, scipy reads memory beyond the clip.
    assume(all(median_filter_ms < 7 * n * hop for n in lengths if n > 1))
    random = np.random.default_rng(seed)
    offsets = np.cumsum([0, *lengths])
    times = np.concatenate([np.arange(n) * hop for n in lengths])
    probabilities = random.choice(
        np.array([0, 0.3, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0.9], np.float32),
        size=(len(times), 3),
    )
    found = detect(
        probabilities,
        offsets,
        times,
        median_filter_ms=median_filter_ms,
        min_duration=min_duration,
    )
    expected = [
        (clip, *event)
        for clip, (a, b) in enumerate(pairwise(offsets))
        for event in plainly_detected(
            probabilities[a:b], times[a:b], median_filter_ms, min_duration
        )
    ]
    assert rows(found) == expected


def test_a_clip_is_reflected_as_often_as_the_window_asks_for() -> None:
    # a b b a a b b a …: 13 of the 25 places round the first frame are a, 12 round the second.
    found = detect(
        np.array([[0.9], [0.1]]),
        np.array([0, 2]),
        np.array([0.0, 40.0]),
        median_filter_ms=1000,
        min_duration=0,
    )
    assert rows(found) == [(0, 0, 0, 0)]


def test_a_longer_duration_is_a_choice_among_the_events_of_a_shorter() -> None:
    random = np.random.default_rng(3)
    arguments = (random.random((60, 2)), np.array([0, 25, 60]), np.arange(60) * 40.0)
    found = detect(*arguments, median_filter_ms=100, min_duration=0)
    for duration in (0, 40, 80, 200):
        direct = detect(*arguments, median_filter_ms=100, min_duration=duration)
        assert rows(found.lasting(duration)) == rows(direct)
    assert len(found) > len(found.lasting(80)) > 0


@pytest.mark.parametrize(("min_duration", "events"), [(0, [(0, 0, 0, 1)]), (1, [])])
def test_a_clip_of_one_frame_is_not_filtered(
    min_duration: float, events: list[tuple[int, float, float, int]]
) -> None:
    probabilities = np.array([[0.5, 0.6]])
    found = detect(
        probabilities,
        np.array([0, 1]),
        np.array([0.0]),
        median_filter_ms=250,
        min_duration=min_duration,
    )
    assert rows(found) == events
