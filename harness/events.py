"""Sound events: as a column store, as frames that are active, and found among frames.

Frames judge a head moment by moment, events judge what was detected. Both directions follow
heareval 2021.1.3 (embeddings/task_embeddings.py: get_labels_for_timestamps;
predictions/task_predictions.py: create_events_from_prediction), so that its scores can be
compared. Times are milliseconds; those of a clip's frames strictly increase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

THRESHOLD = 0.5  # a frame is active above it, not at it
END = 1e-4  # ms added to an event's end, so that a frame exactly there still belongs to it


def ranges(first: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spell out the integers first[i] … stop[i] - 1 of every i, one range after the other.

    Returns (i, integer), both int64 and as long as all ranges together.
    """
    lengths = stop - first
    owner = np.repeat(np.arange(len(first)), lengths)
    before = np.cumsum(lengths) - lengths
    return owner, np.arange(len(owner)) - before[owner] + first[owner]


@dataclass(frozen=True)
class Events:
    """Events of some clips, sorted by clip, then start, end and label.

    clip: (E,) int64 position of the clip. label: (E,) int64 class. start, end: (E,) float64
    in ms, 0 <= start <= end.
    """

    clip: np.ndarray
    label: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, per_clip: Sequence[Sequence[tuple[int, float, float]]]) -> "Events":
        """Take the (label, start, end) of each clip."""
        label, start, end = np.array(
            [event for events in per_clip for event in events], np.float64
        ).reshape(-1, 3).T  # fmt: skip
        clip = np.repeat(np.arange(len(per_clip)), [len(events) for events in per_clip])
        return cls.in_order(clip, label.astype(np.int64), start, end)

    @classmethod
    def in_order(
        cls, clip: np.ndarray, label: np.ndarray, start: np.ndarray, end: np.ndarray
    ) -> "Events":
        """Take the columns of events in any order."""
        order = np.lexsort((label, end, start, clip))
        return cls(clip[order], label[order], start[order], end[order])

    def __len__(self) -> int:
        return len(self.clip)

    def take(self, rows: np.ndarray) -> "Events":
        """Return the events of the clips `rows`, which become clips 0 … len(rows) - 1."""
        first, stop = (np.searchsorted(self.clip, rows, side) for side in ("left", "right"))
        clip, kept = ranges(first, stop)
        return Events(clip, self.label[kept], self.start[kept], self.end[kept])

    def lasting(self, duration: float) -> "Events":
        """Return the events that last at least `duration` ms."""
        kept = self.end - self.start >= duration
        return Events(self.clip[kept], self.label[kept], self.start[kept], self.end[kept])


def active(events: Events, offsets: np.ndarray, times: np.ndarray, classes: int) -> np.ndarray:
    """Say which classes sound at each frame: (F, C) bool.

    An event sounds at a frame of time t where start <= t < end + 0.0001 ms; one of no length
    thus sounds at a frame exactly there. offsets: (N + 1,), rows offsets[i]:offsets[i + 1]
    are the frames of clip i. times: (F,) float64.
    """
    frames = np.zeros((len(times), classes), bool)
    bounds = np.searchsorted(events.clip, np.arange(len(offsets)))
    for clip, (begin, end) in enumerate(pairwise(offsets)):
        mine = slice(bounds[clip], bounds[clip + 1])
        first = begin + np.searchsorted(times[begin:end], events.start[mine])
        stop = begin + np.searchsorted(times[begin:end], events.end[mine] + END)
        columns = (events.label[mine], first, stop)
        for label, low, high in zip(*(column.tolist() for column in columns), strict=True):
            frames[low:high, label] = True
    return frames


def detect(
    probabilities: np.ndarray,
    offsets: np.ndarray,
    times: np.ndarray,
    *,
    median_filter_ms: float,
    min_duration: float,
) -> Events:
    """Find events in the probabilities (F, C) of each class at each frame.

    Each class's median over `median_filter_ms` (rounded to frames of the clip's mean hop; none
    where that is 0) must be above 0.5. Frames in a row are one event, from the time of the
    first to the time of the last, kept if that is at least `min_duration` ms. A clip of one
    frame has no hop and is not filtered (heareval fails on it); its event lasts 0 ms.
    `detect(…, min_duration=0).lasting(m)` is `detect(…, min_duration=m)`.
    """
    labels, firsts, lasts, found = [], [], [], []
    for begin, end in pairwise(offsets):
        above = probabilities[begin:end] > THRESHOLD
        label, first, last = _runs(_median(above, _width(times[begin:end], median_filter_ms)))
        labels.append(label)
        firsts.append(begin + first)
        lasts.append(begin + last)
        found.append(len(label))
    clip = np.repeat(np.arange(len(found)), found)
    start, end = times[np.concatenate(firsts)], times[np.concatenate(lasts)]
    return Events.in_order(clip, np.concatenate(labels), start, end).lasting(min_duration)


def _width(times: np.ndarray, median_filter_ms: float) -> int:
    """Frames in the window of the median filter over one clip; 1 filters nothing."""
    if len(times) < 2:
        return 1
    return max(1, round(median_filter_ms / float(np.mean(np.diff(times)))))


def _median(above: np.ndarray, width: int) -> np.ndarray:
    """Say where the running median is above a threshold, given where values are: (T, C) bool.

    scipy.ndimage.median_filter takes the value of rank width // 2; it is above the threshold
    where at most that many values of the window are not. So counting will do. As there, an
    even window reaches further back than ahead, and a clip is reflected at both ends
    (d c b a | a b c d | d c b a), again and again where the window is longer. (scipy itself
    reads memory beyond a clip whose frames are an eighth of the window or fewer.)
    """
    if width == 1 or len(above) == 0:
        return above
    back = width // 2
    # One more in front, so that differences of the running count are those of whole windows.
    reflected = np.pad(above, ((back + 1, width - 1 - back), (0, 0)), mode="symmetric")
    count = np.cumsum(reflected, axis=0, dtype=np.int32)
    return count[width:] - count[:-width] >= width - back


def _runs(on: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, first and last frame of each run of (T, C) frames that are on."""
    closed = np.pad(on.T, ((0, 0), (1, 1)))  # off before the first frame and after the last
    change = np.flatnonzero(closed[:, 1:] != closed[:, :-1])  # on, off, on, off, class by class
    label, frame = np.divmod(change, len(on) + 1)
    return label[::2], frame[::2], frame[1::2] - 1
