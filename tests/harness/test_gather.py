"""Shards in any order come to the rows of the clips that are kept, in the index's order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import gather
from harness.cache import Shard
from harness.gather import Gathering, Scenes, Timestamps
from harness.timeline import Timeline


def gathered(
    kind: type[Gathering], rows: list[np.ndarray], skipped: set[int], order: list[int], each: int
) -> tuple[np.ndarray, Timeline, np.ndarray]:
    """What comes of clips with so many rows each, shard by shard of `each` clips in an order."""
    shards = []
    for start in range(0, len(order), each):
        clips = np.array(order[start : start + each])
        own = [rows[clip] for clip in clips]
        why = {row: "bad" for row, clip in enumerate(clips) if clip in skipped}
        times = [10.0 * np.arange(len(values)) for values in own]
        timeline = {"timeline": Timeline.of(times)} if kind is Timestamps else {}
        shards.append((clips, Shard(np.concatenate(own), why, 1, **timeline)))
    found = kind(len(rows), 2)
    for clips, shard in shards:
        found.add(clips, shard)
    assert set(found.skipped) == skipped
    assert found.padded == len(shards)
    return *found.finish(lambda: iter(shards)), found.kept()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=9),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_gathered_in_the_order_of_the_index(
    clips: list[tuple[int, bool]], random: object, each: int
) -> None:
    order = list(range(len(clips)))
    random.shuffle(order)  # type: ignore[attr-defined]
    skipped = {number for number, (_, bad) in enumerate(clips) if bad}
    kept = [number for number in range(len(clips)) if number not in skipped]

    own = [number + np.zeros((1, 2), np.float32) for number in range(len(clips))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "_AT_ONCE", 2)
        values, timeline, found = gathered(Scenes, own, skipped, order, each)
    assert values[:, 0].tolist() == found.tolist() == kept
    assert len(timeline.offsets) == len(timeline.times) == 0

    many = [
        number + np.zeros((0 if bad else rows, 2), np.float32)
        for number, (rows, bad) in enumerate(clips)
    ]
    values, timeline, found = gathered(Timestamps, many, skipped, order, each)
    assert found.tolist() == kept
    assert len(timeline.offsets) == len(kept) + 1
    for number, span in zip(kept, timeline.spans(), strict=True):
        np.testing.assert_array_equal(values[span], many[number])
        assert timeline.times[span].tolist() == [10.0 * i for i in range(clips[number][0])]
