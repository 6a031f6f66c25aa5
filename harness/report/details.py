"""What a report tells of one record, as plain data that JSON can hold.

    of(record, kept, length=SHORT, near=None) → a dictionary

Classes are numbers: their place in `kept.classes`, which is not repeated here: the records of a
task usually share it. Rates, scores and places are whole thousandths (712 is 71.2 %), null where
undefined. Folds are pooled: every test clip counts once, so that the share of clips that are right
may differ from the record's score, the mean over folds, where folds differ in size.

    kind         "multiclass", "multilabel" or "events"
    clips        tested clips, all folds
    right        multiclass: clips predicted rightly
    classes      columns of equal length, a row per class: all in stored order, or of more than
                 `length.classes` the worst, worst first
        class        numbers of the classes
        recall precision f1 support           multiclass: thousandths, clips
        average_precision base_rate support   multilabel; multiclass too, beside the others, if
                                              mAP is the metric: thousandths, clips
        f precision recall support found      events: thousandths, events that happened, found
        by           the column by which classes are worst
        total        how many classes there are
        quartiles    least, lower quartile, median, upper quartile and most of the column `by`
                     over all classes for which it is defined; null if there are none
        metric       events: the F-measure that says what matches
    confusion    multiclass, else null
        top          columns true, predicted, count (clips), share (of the true class,
                     thousandths), most frequent mistake first; left_out: clips of the others
        matrix       up to `length.matrix` classes: counts, a row per true class; else null
        order        with the matrix: the classes, those taken for each other side by side
    magnets      null, or the clips that mislead kNN most: (id, classes, wrong, all), how many
                 tested clips without any of their classes they are among the neighbours of, how
                 many in all
    hardest      clips that went wrong, worst first: a list of
        id fold      names
        true predicted    multiclass: classes. multilabel: the label of the clip that is scored
                          least, and the label scored most of those it does not have
        scores       of predicted and of true, thousandths
        labels above      multilabel: the clip's labels; how many it does not have are scored
                          above `true`, an equal one counting ½
        events missed false classes       events: that happened, that were missed, false alarms;
                          the three classes most in error as (class, missed, false)
        neighbours   nearest first, (id, classes), where they are known
    map          null, or the clips on the first two principal components of their embeddings
        x y          thousandths of the farthest
        class        number in `named`; the length of `named` for all other classes
        right        "1" for a clip whose predicted class is right, or the first of several labels;
                     else "0": a character per clip
        named        at most twelve classes, in stored order: those most involved in mistakes;
                     the most frequent ones of several labels
        clips        how many there are, of which some may not be drawn
    resources    `harness.report.provenance.resources`
    provenance   `harness.report.provenance.of`: values, whose labels are LABELS there
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.predictions import Detections, Predictions
from harness.report import classes, confusion, hardest, neighbours, provenance, scatter


@dataclass(frozen=True, kw_only=True)
class Length:
    """How much is told: mistakes, classes and clips listed, points drawn, classes of a matrix."""

    mistakes: int
    classes: int
    clips: int  # and of magnets
    points: int
    matrix: int


SHORT = Length(mistakes=5, classes=8, clips=5, points=100, matrix=0)
LONG = Length(mistakes=200, classes=100, clips=20, points=1000, matrix=60)


def of(
    record: Mapping[str, Any],
    kept: Predictions | Detections,
    length: Length = SHORT,
    near: Predictions | None = None,
) -> dict[str, Any]:
    """Return what is told of a record.

    near: the predictions of kNN for the same model and task, for neighbours that the record's own
    protocol does not look at.
    """
    if isinstance(kept, Detections):
        told = _of_events(record, kept, length)
    elif kept.targets.ndim == 2:
        told = _of_several(kept, length, near)
    else:
        told = _of_one(record, kept, length, near)
    return {
        "clips": len(kept.ids),
        **told,
        "resources": provenance.resources(record),
        "provenance": provenance.of(record),
    }


def _of_one(
    record: Mapping[str, Any], kept: Predictions, length: Length, near: Predictions | None
) -> dict[str, Any]:
    counts = confusion.Confusion.of(kept)
    columns, by = classes.of_labels(counts), "f1"
    if record["task"]["metric"] == "mAP":
        columns, by = {**classes.of_rankings(kept), **columns}, "average_precision"
    whole = counts.classes <= length.matrix
    return {
        "kind": "multiclass",
        "right": int(counts.hits.sum()),
        "classes": classes.table(columns, by, length.classes),
        "confusion": {
            "top": confusion.top(counts, length.mistakes),
            "matrix": counts.matrix.tolist() if whole else None,
            "order": confusion.neighbourly(counts) if whole else None,
        },
        "magnets": neighbours.magnets(kept, length.clips),
        "hardest": hardest.of_labels(kept, length.clips, near),
        "map": scatter.of(kept, length.points),
    }


def _of_several(kept: Predictions, length: Length, near: Predictions | None) -> dict[str, Any]:
    columns, by = classes.of_rankings(kept), "average_precision"
    return {
        "kind": "multilabel",
        "classes": classes.table(columns, by, length.classes),
        "confusion": None,
        "magnets": neighbours.magnets(kept, length.clips),
        "hardest": hardest.of_rankings(kept, length.clips, near),
        "map": scatter.of(kept, length.points),
    }


def _of_events(record: Mapping[str, Any], kept: Detections, length: Length) -> dict[str, Any]:
    metric = classes.judged_by(record["task"]["metric"])
    counts = classes.tally(kept, metric)
    return {
        "kind": "events",
        "classes": {
            **classes.table(classes.of_events(counts), "f", length.classes),
            "metric": metric,
        },
        "confusion": None,
        "magnets": None,
        "hardest": hardest.of_events(kept, counts, length.clips),
        "map": None,
    }
