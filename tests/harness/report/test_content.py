from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.predictions import Predictions
from harness.report import content
from tests.harness.records import make_record
from tests.harness.report import made


def judged(hits: int, clips: int = 40) -> Predictions:
    """Clips of two classes, the first `hits` of which are predicted rightly."""
    targets = np.arange(clips) % 2
    predicted = np.where(np.arange(clips) < hits, targets, 1 - targets)
    return Predictions(
        ids=np.array([f"clip {n}" for n in range(clips)]),
        folds=np.repeat("fold1", clips),
        targets=targets,
        scores=np.eye(2, dtype=np.float32)[predicted],
        classes=np.array(["cat", "dog"]),
    )


def record(model: str, score: float | None, **changes: Any) -> dict[str, Any]:
    return make_record(model__name=model, score=score, **changes)


def told(records: list[dict[str, Any]], kept: dict[str, Any]) -> dict[str, Any]:
    return dict(content.told(records, lambda record: kept[record["model"]["name"]]))


def test_models_are_ranked_and_told_apart_from_the_best() -> None:
    kept = {"good": judged(36), "near": judged(35), "bad": judged(10), "none": judged(0)}
    scores = {"bad": 0.25, "none": None, "near": 0.875, "good": 0.9}
    records = [record(model, score) for model, score in scores.items()]
    found = told(records, kept)
    ranked = found["esc50"]["protocols"]["knn"]["records"]
    assert [each["model"] for each in ranked] == ["good", "near", "bad", "none"]
    assert ranked[0]["behind"] is None
    assert ranked[1]["behind"]["verdict"] == "not told apart"
    assert ranked[2]["behind"]["verdict"] == "significantly behind"
    assert ranked[2]["behind"]["text"][0] == "-65.00"
    [row] = content.tasks(records, found)
    assert (row["best"]["model"], row["models"]) == ("good", 4)
    assert (row["significant"], row["behind"]) == (2, 3)


def test_a_partial_or_collapsed_score_is_not_the_best() -> None:
    records = [
        record("partial", 0.99, n__limit=10),
        record("collapsed", 0.98, scores__collapsed="constant"),
        record("whole", 0.75),
    ]
    kept = dict.fromkeys(("partial", "collapsed", "whole"), judged(30))
    ranked = told(records, kept)["esc50"]["protocols"]["knn"]["records"]
    assert [each["model"] for each in ranked] == ["whole", "partial", "collapsed"]


def test_a_collapsed_score_that_is_better_is_not_behind() -> None:
    records = [record("collapsed", 0.9, scores__collapsed="constant"), record("whole", 0.25)]
    found = told(records, {"collapsed": judged(36), "whole": judged(10)})
    whole, collapsed = found["esc50"]["protocols"]["knn"]["records"]
    assert (whole["model"], collapsed["behind"]["verdict"]) == ("whole", "significantly ahead")
    [row] = content.tasks(records, found)
    assert (row["significant"], row["behind"]) == (0, 1)


def test_each_record_is_told_with_its_own_classes() -> None:
    """Those of a task of somebody's own may change between two runs."""
    kept = {"a": judged(36), "b": replace(judged(20), classes=np.array(["cow", "owl"]))}
    found = told([record("a", 0.9), record("b", 0.5)], kept)["esc50"]
    names = [found["shared"][each["names"]] for each in found["protocols"]["knn"]["records"]]
    assert names == [["cat", "dog"], ["cow", "owl"]]


def test_where_lower_is_better_the_lowest_is_best() -> None:
    facts = {"task__metric": "segment_1s_er", "task__higher_is_better": False}
    records = [record("a", 0.9, **facts), record("b", 0.4, **facts)]
    kept = {"a": made.detections(1), "b": made.detections(1)}
    found = told(records, kept)
    assert [each["model"] for each in found["esc50"]["protocols"]["knn"]["records"]] == ["b", "a"]
    [row] = content.tasks(records, found)
    assert row["best"]["score"] == "0.400"
    assert row["metric"] == "segment_1s_er, lower is better"


def test_an_undefined_score_is_said_to_be_none() -> None:
    undefined = record("a", None, scores__ci95=[None, None], scores__floor=None)
    found = told([undefined], {"a": judged(30)})
    [told_of] = found["esc50"]["protocols"]["knn"]["records"]
    assert told_of["score"] == "undefined"
    assert told_of["interval"] is None
    assert told_of["floor"] is None
    [row] = content.tasks([undefined], found)
    assert row["best"] is None


def test_models_on_other_clips_are_not_compared() -> None:
    found = told([record("a", 0.9), record("b", 0.5)], {"a": judged(36), "b": judged(20, 30)})
    assert found["esc50"]["protocols"]["knn"]["records"][1]["behind"] is None


def test_neighbours_of_knn_are_told_beside_another_protocol() -> None:
    plain = judged(30)
    near = np.array([["clip 1", "clip 2"]] * 40)
    labels = np.array([["cat", "dog"]] * 40)
    kept = {
        "knn": Predictions(**{**vars(plain), "neighbours": near, "neighbour_labels": labels}),
        "linear": plain,
    }
    records = [record("a", 0.75), record("a", 0.75, protocol__name="linear")]
    found = dict(content.told(records, lambda record: kept[record["protocol"]["name"]]))
    [linear] = found["esc50"]["protocols"]["linear"]["records"]
    assert linear["hardest"][0]["neighbours"] == [["clip 1", [0]], ["clip 2", [1]]]


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, ""),
        ({"task__synthetic": True}, "°"),
        ({"n__limit": 10}, "†"),
        ({"task__synthetic": True, "n__skipped": 1, "scores__collapsed": "constant"}, "°†‡"),
    ],
)
def test_marks_are_those_of_the_tables(changes: dict[str, Any], marks: str) -> None:
    [told_of] = told([record("a", 0.75, **changes)], {"a": judged(30)})["esc50"]["protocols"][
        "knn"
    ]["records"]
    assert told_of["marks"] == marks
    assert list(content.meanings([make_record(**changes)])) == list(marks)


def test_what_records_share_is_told_once() -> None:
    found = told([record("a", 0.9), record("b", 0.5)], {"a": judged(36), "b": judged(20)})
    one, other = (each["provenance"] for each in found["esc50"]["protocols"]["knn"]["records"])
    assert one["task"] == other["task"]
    assert one["model"] != other["model"]
    assert found["esc50"]["shared"][other["model"]][0] == "b"
