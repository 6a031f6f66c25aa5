"""Makes golden/events.npz: what heareval itself says of random events and frames.

    PYTHON_WITH_HEAREVAL tests/harness/make_event_golden.py

That is Python 3.8 with heareval 2021.1.3 and sed_eval 0.2.1. Imports nothing of this project.
Times are stored as integers (µs; heareval was given them as ms), probabilities as eighths, so
that many fall on a collar, on a frame or on the threshold exactly.
"""

from pathlib import Path

import numpy as np
import torch
from heareval.embeddings.task_embeddings import get_labels_for_timestamps
from heareval.predictions.task_predictions import get_events_for_all_files
from heareval.score import available_scores

GOLDEN = Path(__file__).with_name("golden") / "events.npz"
METRICS = (
    "event_onset_200ms_fms",
    "event_onset_50ms_fms",
    "event_onset_offset_50ms_20perc_fms",
    "segment_1s_er",
)
LABELS = 4


def event(random, grid, span):
    """One (label, start, end) in µs; one in ten has no length."""
    start = random.randint(span // grid) * grid
    length = 0 if random.rand() < 0.1 else random.randint(1_500_000 // grid + 1) * grid
    return random.randint(LABELS), start, start + length


def shifted(random, label, start, end):
    """An event like a given one: on a collar, next to it, or anywhere near."""
    edges = (0, 50_000, 200_000, 49_999, 50_001, 199_999, 200_001, random.randint(300_000))
    length = (end - start) // 5
    ends = (0, 50_000, length, length + 1, 50_001, random.randint(500_000))
    start = max(0, start + random.choice((-1, 1)) * random.choice(edges))
    end = max(start, end + random.choice((-1, 1)) * random.choice(ends))
    return (random.randint(LABELS) if random.rand() < 0.1 else label), start, end


def pair(random):
    """Reference and estimated events of one to four files, some of them without any."""
    grid = random.choice((1, 1_000, 10_000, 25_000, 50_000))
    span = random.choice((500_000, 2_000_000, 5_000_000))
    silent = random.rand() < 0.05
    reference, estimated = [], []
    for _ in range(random.randint(1, 5)):
        there = random.randint(1, 8) if random.rand() < 0.8 else 0
        truth = [event(random, grid, span) for _ in range(there)]
        found = [shifted(random, *one) for one in truth for _ in range(random.choice((0, 1, 1, 2)))]
        found += [event(random, grid, span) for _ in range(random.randint(3))]
        reference.append(truth)
        estimated.append([] if silent or random.rand() < 0.1 else found)
    return reference, estimated


def named(files):
    """Events as heareval has them: by file name, in ms."""
    return {
        f"{i}.wav": [
            {"label": str(label), "start": start / 1000.0, "end": end / 1000.0}
            for label, start, end in events
        ]
        for i, events in enumerate(files)
    }


def scored(reference, estimated):
    """Every number that the four metrics give, F-measure, precision and recall of three."""
    vocabulary = {str(label): label for label in range(LABELS)}
    functions = [available_scores[name](label_to_idx=vocabulary) for name in METRICS]
    return [
        value for function in functions for _, value in function(named(estimated), named(reference))
    ]


def frames(random):
    """Hop (µs) and frames of one to three files: file, time (µs), probabilities in eighths."""
    hop = random.choice((12_500, 20_000, 40_000, 50_000, 33_300))
    counts = [random.randint(1, 30) for _ in range(random.randint(1, 4))]
    files = np.repeat(np.arange(len(counts)), counts)
    jitter = random.choice((1, 10))
    times = [np.cumsum(hop + random.randint(jitter, size=n)) - hop for n in counts]
    eighths = random.randint(0, 9, (len(files), LABELS))
    if random.rand() < 0.5:
        eighths = eighths[np.arange(len(files)) // 3 * 3]  # longer events
    return hop, files, np.concatenate(times), eighths


def detected(files, times, eighths, median_filter_ms, min_duration):
    """Events (file, label, start, end) that heareval finds in frames, times in µs."""
    postprocessing = (("median_filter_ms", median_filter_ms), ("min_duration", min_duration))
    found = get_events_for_all_files(
        torch.from_numpy(eighths.astype(np.float32) / 8),
        [f"{i}.wav" for i in files],
        torch.from_numpy(times / 1000.0),
        dict(enumerate(range(LABELS))),
        {},
        postprocessing,
    )[postprocessing]
    return [
        (int(name[:-4]), event["label"], round(event["start"] * 1000), round(event["end"] * 1000))
        for name, events in found.items()
        for event in events
    ]


def sounding(events, times):
    """The (T, LABELS) targets that heareval makes of one file's events and frames."""
    labelled = [dict(one, label=int(one["label"])) for one in named([events])["0.wav"]]
    target = np.zeros((len(times), LABELS), bool)
    for row, labels in enumerate(get_labels_for_timestamps([labelled], times[None] / 1000.0)[0]):
        target[row, labels] = True
    return target


def columns(name, rows):
    """Rows of (case, file, label, start, end) as compact arrays."""
    case, clip, label, start, end = np.array(rows, np.int64).reshape(-1, 5).T
    return {
        f"{name}_case": case.astype(np.uint16),
        f"{name}_clip": clip.astype(np.uint8),
        f"{name}_label": label.astype(np.uint8),
        f"{name}_start": start.astype(np.int32),
        f"{name}_end": end.astype(np.int32),
    }


def score_cases(random, cases):
    """Score `cases` random pairs of event lists."""
    truth, found, clips, scores = [], [], [], []
    for case in range(cases):
        reference, estimated = pair(random)
        truth += [(case, i, *one) for i, events in enumerate(reference) for one in events]
        found += [(case, i, *one) for i, events in enumerate(estimated) for one in events]
        clips.append(len(reference))
        scores.append(scored(reference, estimated))
    return {
        "clips": np.array(clips, np.uint8),
        "scores": np.array(scores),
        **columns("reference", truth),
        **columns("estimated", found),
    }


def filters(frames, hop):
    """Median filters (ms) for files of at least `frames` frames, `hop` µs apart.

    None for a file of one frame, on which heareval fails. Of a window eight times as long as a
    file or longer, scipy reads memory beyond the file.
    """
    return [
        ms
        for ms in (0, 62, 125, 150, 250, 1000)
        if ms == 0 or (frames > 1 and ms * 1000 < 7 * frames * hop)
    ]


def detection_cases(random, cases):
    """Find events in `cases` random sets of frames."""
    rows, events, settings = [], [], []
    for case in range(cases):
        hop, files, times, eighths = frames(random)
        median_filter_ms = int(random.choice(filters(np.bincount(files).min(), hop)))
        min_duration = int(random.choice((0, 50, 100, 125, 250)))
        settings.append((median_filter_ms, min_duration))
        rows.append(np.column_stack([np.full(len(files), case), files, times, eighths]))
        events += [(case, *one) for one in detected(files, times, eighths, *settings[-1])]
    table = np.concatenate(rows)
    return {
        "settings": np.array(settings, np.int16),
        "frames_case": table[:, 0].astype(np.uint16),
        "frames_clip": table[:, 1].astype(np.uint8),
        "frames_time": table[:, 2].astype(np.int32),
        "eighths": table[:, 3:].astype(np.uint8),
        **columns("detected", events),
    }


def target_cases(random, cases):
    """Say which labels sound at frames, some exactly where an event begins or ends."""
    rows, case_of, time_of, targets = [], [], [], []
    for case in range(cases):
        events = [event(random, 1_000, 2_000_000) for _ in range(random.randint(8))]
        edges = [time for _, start, end in events for time in (start, end, end + 1)]
        times = np.union1d(np.arange(0, 4_000_000, 80_000), np.array(edges, np.int64))
        rows += [(case, 0, *one) for one in events]
        case_of += [case] * len(times)
        time_of.append(times)
        targets.append(sounding(events, times))
    return {
        "target_case": np.array(case_of, np.uint16),
        "target_time": np.concatenate(time_of).astype(np.int32),
        "target": np.packbits(np.concatenate(targets)),
        **columns("sounding", rows),
    }


def main():
    random = np.random.RandomState(2021)
    cases = {
        **score_cases(random, 2000),
        **detection_cases(random, 400),
        **target_cases(random, 100),
    }
    GOLDEN.parent.mkdir(exist_ok=True)
    part = GOLDEN.with_name("part-" + GOLDEN.name)
    np.savez_compressed(part, **cases)
    part.replace(GOLDEN)


if __name__ == "__main__":
    main()
