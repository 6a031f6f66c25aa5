"""Scores of detected events: the overall (micro) metrics of sed_eval that HEAR reports.

Definitions are those of sed_eval 0.2.1 (Mesaros, Heittola and Virtanen, Metrics for polyphonic
sound event detection, 2016) as heareval/score.py calls it, in the same floating-point
arithmetic, so that an event exactly on a collar counts here where it counts there. sed_eval
compares every event of a file with every other, a minute for one validation of MAESTRO, and
every head is validated again and again: hence our own. Unlike there, clips without
predictions count. Every clip's counts are found once; a score is a function of their sum.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from harness.events import Events, ranges

SLACK = 1e-3  # s beyond the collar that candidates are looked for; far more than keys round
OFFSET = 0.2  # share of an event's length that its end may be off, if more than the collar


def _seconds(times: np.ndarray) -> np.ndarray:
    return times / 1000.0


def _near(reference: Events, estimated: Events, collar: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (reference, estimated) of one clip and label, onsets at most `collar` s apart."""
    truth, found = _seconds(reference.start), _seconds(estimated.start)
    starts = np.concatenate([truth, found])
    labels = 1 + max(reference.label.max(), estimated.label.max())
    # One axis for all clips and labels, each shifted beyond the reach of the one before.
    shift = starts.max() - starts.min() + 2 * (collar + SLACK)
    truth_key = (reference.clip * labels + reference.label) * shift + truth
    found_key = (estimated.clip * labels + estimated.label) * shift + found
    order = np.argsort(found_key)
    reach = collar + SLACK
    low, high = (np.searchsorted(found_key[order], truth_key + d) for d in (-reach, reach))
    left, place = ranges(low, high)
    right = order[place]
    hit = np.abs(truth[left] - found[right]) <= collar
    return left[hit], right[hit]


def _matches(
    reference: Events, estimated: Events, clips: int, *, collar: float, offset: bool
) -> np.ndarray:
    """Count, clip by clip, (matched, reference, estimated) events: (N, 3).

    A pair may match if its labels are equal and its onsets at most `collar` s apart; with
    `offset` its ends too, or 20 % of the reference's length apart. Of all matchings of one
    to one the largest counts.
    """
    matched = np.zeros(0, np.int64)
    if len(reference) and len(estimated):
        left, right = _near(reference, estimated, collar)
        if offset:
            start, end, found = map(_seconds, (reference.start, reference.end, estimated.end))
            allowed = np.maximum(collar, OFFSET * (end - start))
            hit = np.abs(end[left] - found[right]) <= allowed[left]
            left, right = left[hit], right[hit]
        shape = (len(reference), len(estimated))
        pairs = csr_array((np.ones(len(left), bool), (left, right)), shape=shape)
        matched = np.flatnonzero(maximum_bipartite_matching(pairs, perm_type="column") >= 0)
    columns = (reference.clip[matched], reference.clip, estimated.clip)
    return np.stack([np.bincount(column, minlength=clips) for column in columns], axis=1)


def _segments(reference: Events, estimated: Events, clips: int, *, length: float) -> np.ndarray:
    """Count, clip by clip, (substituted, deleted, inserted, reference) labels: (N, 4).

    A label is active in a segment of `length` s if one of its events touches it.
    """
    bounds = [
        (
            np.floor(_seconds(events.start) / length).astype(np.int64),
            np.ceil(_seconds(events.end) / length).astype(np.int64),
        )
        for events in (reference, estimated)
    ]
    segments = max(stop.max(initial=0) for _, stop in bounds)
    labels = 1 + max(events.label.max(initial=0) for events in (reference, estimated))
    cells = []
    for events, (first, stop) in zip((reference, estimated), bounds, strict=True):
        event, segment = ranges(first, stop)
        where = events.clip[event] * segments + segment
        cells.append(np.unique(where * labels + events.label[event]))
    cells.append(np.intersect1d(cells[0], cells[1], assume_unique=True))
    truth, found, both = (
        np.bincount(cell // labels, minlength=clips * segments).reshape(clips, segments)
        for cell in cells
    )
    counts = (
        np.minimum(truth, found) - both,
        np.maximum(truth - found, 0),
        np.maximum(found - truth, 0),
        truth,
    )
    return np.stack([count.sum(axis=1) for count in counts], axis=1)


def _rates(totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of (…, 3) counts, NaN without estimated or reference events."""
    matched, reference, estimated = np.moveaxis(totals.astype(np.float64), -1, 0)
    with np.errstate(invalid="ignore"):  # 0 / 0: without events nothing can match
        return matched / estimated, matched / reference


def _f_measure(totals: np.ndarray) -> np.ndarray:
    precision, recall = _rates(totals)
    none = (precision == 0) & (recall == 0)
    return np.where(none, 0.0, 2.0 * precision * recall / np.where(none, 1.0, precision + recall))


def _error_rate(totals: np.ndarray) -> np.ndarray:
    substituted, deleted, inserted, reference = np.moveaxis(totals.astype(np.float64), -1, 0)
    reference = reference + np.spacing(1)  # as sed_eval: without reference labels it is huge
    return substituted / reference + deleted / reference + inserted / reference


def _twice_matched_of_all(per_clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 2 * per_clip[:, 0], per_clip[:, 1] + per_clip[:, 2]


def _wrong_of_reference(per_clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return per_clip[:, :3].sum(axis=1), per_clip[:, 3]


class _Metric(NamedTuple):
    """Counts of each clip, (N, K), and the score of their sums: (K,) → ().

    ratio: what each clip adds to the two sums, (N,) each, whose ratio the score is.
    """

    tally: Callable[[Events, Events, int], np.ndarray]
    score: Callable[[np.ndarray], np.ndarray]
    ratio: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


_F = (_f_measure, _twice_matched_of_all)


_METRICS = {
    "event_onset_200ms_fms": _Metric(partial(_matches, collar=0.2, offset=False), *_F),
    "event_onset_50ms_fms": _Metric(partial(_matches, collar=0.05, offset=False), *_F),
    "event_onset_offset_50ms_20perc_fms": _Metric(partial(_matches, collar=0.05, offset=True), *_F),
    "segment_1s_er": _Metric(partial(_segments, length=1.0), _error_rate, _wrong_of_reference),
}
EVENT_METRICS = tuple(_METRICS)


def counts(metric: str, reference: Events, estimated: Events, clips: int) -> np.ndarray:
    """Count what `metric` is made of, clip by clip: (N, K) int64.

    Of an F-measure: matched, reference and estimated events. Of the error rate: substituted,
    deleted, inserted and reference labels, summed over segments. Raises ValueError for an
    unknown metric.
    """
    if metric not in _METRICS:
        raise ValueError(f"expected a metric of {', '.join(EVENT_METRICS)}, found {metric!r}")
    return _METRICS[metric].tally(reference, estimated, clips)


def compute(metric: str, reference: Events, estimated: Events, clips: int) -> float:
    """Score the events estimated in `clips` clips against the reference.

    An F-measure is NaN without estimated or without reference events, and 0 if none match.
    The error rate may be above 1. Raises ValueError for an unknown metric.
    """
    total = counts(metric, reference, estimated, clips).sum(axis=0)
    return float(_METRICS[metric].score(total))


def precision_recall(
    metric: str, reference: Events, estimated: Events, clips: int
) -> tuple[float, float]:
    """Return the precision and the recall that an F-measure is made of; NaN as in `compute`."""
    precision, recall = _rates(counts(metric, reference, estimated, clips).sum(axis=0))
    return float(precision), float(recall)


def influence(metric: str, reference: Events, estimated: Events, clips: int) -> np.ndarray:
    """Each clip's influence on the score: (N,); as harness.metrics.influence.

    Scores are ratios of sums over clips: what a clip adds to the one, less the score times what
    it adds to the other, as a share of that sum.
    """
    per_clip = counts(metric, reference, estimated, clips).astype(np.float64)
    above, below = _METRICS[metric].ratio(per_clip)
    with np.errstate(invalid="ignore", divide="ignore"):  # without events there is no score
        gain = (above - above.sum() / below.sum() * below) / below.sum()
    return gain * np.sqrt(clips / max(clips - 1, 1))
