"""Offsets and times of clips, end to end."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.timeline import Timeline


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=6))
def test_every_clip_finds_its_own_times(counts: list[int]) -> None:
    clips = [100.0 * number + np.arange(count) for number, count in enumerate(counts)]
    timeline = Timeline.of(clips)
    assert (timeline.offsets.dtype, timeline.times.dtype) == (np.int64, np.float64)
    assert timeline.offsets.tolist() == [sum(counts[:n]) for n in range(len(counts) + 1)]
    for clip, rows in zip(clips, timeline.spans(), strict=True):
        np.testing.assert_array_equal(timeline.times[rows], clip)
