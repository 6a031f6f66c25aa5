"""How often intervals hold what they are to hold, and tests find what is not there.

python -m tests.bench.coverage [samples]

The tables of docs/STATISTICS.md, in about six minutes. A made-up model is measured on many samples
of clips; what intervals are to hold is the mean of its scores over them, or the true share.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.stats import binom
from tabulate import tabulate

from harness import event_scores, intervals, metrics, paired
from harness.events import Events
from harness.predictions import Detections, Predictions
from tests.harness.records import make_record

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
FOLDS = {
    "1 fold": (1,),
    "2 equal": (1, 1),
    "5 equal": (1, 1, 1, 1, 1),
    "10 of 0.85 to 1.15": tuple(np.linspace(0.85, 1.15, 10)),
    "5 of 1 to 8": (1, 2, 4, 5, 8),
}
# Clips, classes, clips of several classes, share of clips in the rarest class and the commonest.
RANKED = (
    *((100, 2, False, 0.4, 0.6), (576, 2, False, 0.4, 0.6), (100, 5, True, 0.05, 0.3)),
    *((300, 10, True, 0.05, 0.3), (300, 20, False, 0.03, 0.08), (1000, 20, True, 0.05, 0.3)),
)
PULLS = (0.5, 1.5, 3.0)  # how far apart the scores of a class lie from the others


def said(rates: Sequence[float]) -> list[str]:
    """Mean, least and greatest, in percent."""
    return [f"{100 * rate:.1f}" for rate in (np.mean(rates), min(rates), max(rates))]


def shares(samples: int) -> Iterator[list[str]]:
    """Wilson's interval with the effective number of clips, and percentiles of resamples."""
    rng = np.random.default_rng(0)
    for n in (100, 300, 1000, 2000):
        for name, parts in FOLDS.items():
            sizes = np.round(n * np.array(parts) / sum(parts)).astype(int)
            ours, theirs = [], []
            for share in SHARES:
                drawn = rng.binomial(sizes, share, (samples, len(sizes))) / sizes
                score = drawn.mean(axis=1)
                count = intervals.clips([np.zeros(size) for size in sizes])
                ends = np.array([intervals.wilson(value, count) for value in score])
                ours.append(np.mean((ends[:, 0] <= share) & (share <= ends[:, 1])))
                again = rng.binomial(sizes, drawn, (1000, *drawn.shape)) / sizes
                low, high = np.quantile(again.mean(axis=2), [0.025, 0.975], axis=0)
                theirs.append(np.mean((low <= share) & (share <= high)))
            yield [str(n), name, *said(ours), *said(theirs)]


def ranked(
    rng: np.random.Generator, n: int, classes: int, several: bool, rarest: float, commonest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, how hard clips are for whichever model, and what it shares with others: (N, …)."""
    often = np.linspace(rarest, commonest, classes)
    if several:
        truth = rng.random((n, classes)) < often
    else:
        truth = np.eye(classes, dtype=bool)[rng.choice(classes, n, p=often / often.sum())]
    return truth, 0.7 * rng.normal(size=(n, 1)), rng.normal(size=(n, classes))


def of_ranked(metric: str, samples: int) -> Iterator[list[str]]:
    """Intervals of one model and of the difference of two as good; false positives."""
    rng = np.random.default_rng(1)
    record = make_record(task__metric=metric)
    for n, classes, several, rarest, commonest in RANKED:
        ids, folds = np.arange(n).astype(str), np.full(n, "a")
        held, apart, far = [], [], []
        for pull in PULLS:
            ends, found = [], []
            for _ in range(samples):
                truth, ease, shared = ranked(rng, n, classes, several, rarest, commonest)
                two = [
                    0.7 * shared + 0.7 * rng.normal(size=truth.shape) + (pull + ease) * truth
                    for _ in range(2)
                ]
                value = metrics.compute(metric, truth, two[0])
                if not np.isfinite(value):
                    continue  # undefined, for want of a positive; d′ also of a class without fault
                influences = [metrics.influence(metric, truth, two[0])]
                ends.append((value, *intervals.interval(metric, [value], influences)))
                kept = [Predictions(ids, folds, truth, one, np.arange(classes)) for one in two]
                found.append(paired.compare(record, kept[0], record, kept[1]))
            value, low, high = np.array(ends).T
            held.append(np.mean((low <= value.mean()) & (value.mean() <= high)))
            apart.append(np.mean([one.low <= 0 <= one.high for one in found if one.p >= 0]))
            far.append(np.mean([one.p < 0.05 for one in found if one.p >= 0]))
        kind = f"{n} clips, {classes} classes{', several each' if several else ''}"
        rare = f"{n * rarest:.0f}"
        yield [metric, kind, rare, *said(held), *said(apart), *said(far)]


def happenings(rng: np.random.Generator, clips: int) -> tuple[Events, list[Events]]:
    """Events of clips some of which are hard, and what two models as good find of them."""
    clip = np.repeat(np.arange(clips), rng.poisson(4, clips))
    start = rng.random(len(clip)) * 9000
    label = rng.integers(5, size=len(clip))
    chance = 1 / (1 + np.exp(-1 - rng.normal(size=clips)[clip]))
    found = []
    for _ in range(2):
        heard = rng.random(len(clip)) < chance
        late = start + np.abs(rng.normal(scale=60, size=len(clip)))
        found.append(Events.in_order(clip[heard], label[heard], late[heard], late[heard] + 300))
    return Events.in_order(clip, label, start, start + 300), found


def of_events(metric: str, samples: int) -> Iterator[list[str]]:
    """As `of_ranked`, of the metrics of events."""
    rng = np.random.default_rng([2, event_scores.EVENT_METRICS.index(metric)])
    record = make_record(task__metric=metric)
    for clips in (30, 100, 300):
        ids, folds = np.arange(clips).astype(str), np.full(clips, "a")
        ends, found = [], []
        for _ in range(samples):
            truth, two = happenings(rng, clips)
            value = event_scores.compute(metric, truth, two[0], clips)
            influences = [event_scores.influence(metric, truth, two[0], clips)]
            ends.append((value, *intervals.interval(metric, [value], influences)))
            kept = [Detections(ids, folds, np.arange(5), rows(truth), rows(one)) for one in two]
            found.append(paired.compare(record, kept[0], record, kept[1]))
        value, low, high = np.array(ends).T
        rates = (
            np.mean((low <= value.mean()) & (value.mean() <= high)),
            np.mean([one.low <= 0 <= one.high for one in found]),
            np.mean([one.p < 0.05 for one in found]),
        )
        yield [metric, f"{clips} clips", *(f"{100 * rate:.1f}" for rate in rates)]


def rows(events: Events) -> np.ndarray:
    """Events as they are kept: (E, 4)."""
    return np.column_stack([events.clip, events.label, events.start, events.end])


def discordant(samples: int) -> Iterator[list[str]]:
    """McNemar's tests and the interval of the difference, by how many clips only one gets right."""
    rng = np.random.default_rng(3)
    several = np.arange(700)
    mid, exact = (np.array([rejected(both, whole) for both in several]) for whole in (0, 1))
    for n in (100, 300, 1000):
        for share in (0.02, 0.05, 0.1, 0.2, 0.4):
            chance = binom.pmf(several, n, share)
            held = []
            for lean in (0.0, 0.3, 0.7, 1.0):
                odds = [share * (1 + lean) / 2, share * (1 - lean) / 2]
                counts = rng.multinomial(n, [*odds, 1 - sum(odds)], samples)[:, :2]
                ends = [intervals.of_difference(*pair, n) for pair in counts / n]
                low, high = np.array(ends).T
                held.append(np.mean((low <= odds[0] - odds[1]) & (odds[0] - odds[1] <= high)))
            rates = [f"{100 * chance @ each:.1f}" for each in (mid, exact)]
            yield [str(n), f"{100 * share:.0f}", *rates, *said(held)]


def rejected(both: int, whole: int) -> float:
    """How often McNemar's test rejects at 5 %, given the discordant clips; mid-p or exact."""
    gained = np.arange(both + 1)
    chance = binom.pmf(gained, both, 0.5)
    ps = np.array([paired.mcnemar(one, both - one) for one in gained])
    ps += whole * np.where(2 * gained == both, 0, chance)
    return float(chance @ (ps < 0.05))


def show(title: str, rows: Iterable[list[str]], heads: Sequence[str]) -> None:
    """Print a table."""
    print(f"{title}\n")
    print(tabulate(list(rows), heads, tablefmt="github", disable_numparse=True), flush=True)
    print()


def main() -> None:
    """Print all tables."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    three = ("mean", "least", "most")
    show(
        "Coverage of intervals of shares, %: ours, and percentiles of resamples",
        shares(samples),
        ["clips", "folds", *three, *(f"percentile {name}" for name in three)],
    )
    show(
        "Two models as good; how many % of clips only one gets right; false positives, %",
        discordant(10 * samples),
        ["clips", "discordant", "mid-p", "exact", *(f"coverage {name}" for name in three)],
    )
    ranks = [row for metric in ("mAP", "auc_roc", "d_prime") for row in of_ranked(metric, samples)]
    heads = [f"{what} {name}" for what in ("coverage", "of difference", "false") for name in three]
    show("Ranked clips, %", ranks, ["metric", "clips", "fewest of a class", *heads])
    events = [
        row for metric in event_scores.EVENT_METRICS for row in of_events(metric, 4 * samples)
    ]
    show("Events, %", events, ["metric", "clips", "coverage", "of difference", "false"])


if __name__ == "__main__":
    main()
