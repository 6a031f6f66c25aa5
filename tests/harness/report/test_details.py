"""What is told of a record as a whole: its parts, in JSON, short enough and soon enough."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from harness import predictions, results
from harness.predictions import Predictions
from harness.report import details
from harness.report.details import LONG, SHORT
from tests.harness import synthetic_results
from tests.harness.records import make_record
from tests.harness.report import made

PARTS = {"clips", "kind", "classes", "confusion", "magnets", "hardest", "map"}
PARTS |= {"resources", "provenance"}


def size(told: Any) -> int:
    """Bytes of JSON; what JSON cannot hold is an error."""
    text = json.dumps(told, separators=(",", ":"), allow_nan=False)
    assert json.loads(text) == told
    return len(text)


@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([SHORT, LONG]))
@settings(deadline=None, max_examples=60)
def test_the_order_of_clips_does_not_matter(
    seed: int, several: bool, length: details.Length
) -> None:
    kept = made.predictions(seed, several=several)
    record = make_record(task__metric="mAP")
    told = details.of(record, kept, length)
    assert details.of(record, made.shuffled(kept, seed), length) == told
    size(told)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_its_parts_agree(seed: int) -> None:
    kept = made.predictions(seed)
    told = details.of(make_record(), kept, LONG)
    confusion, scores = told["confusion"], told["classes"]
    assert np.sum(confusion["matrix"]) == told["clips"] == sum(scores["support"]) == len(kept.ids)
    assert np.trace(confusion["matrix"]) == told["right"]
    assert told["map"] is None or told["map"]["right"].count("1") == told["right"]
    assert sum(confusion["top"]["count"]) == told["clips"] - told["right"]
    assert len(told["hardest"]) == min(LONG.clips, told["clips"] - told["right"])
    assert sorted(confusion["order"]) == scores["class"] == list(range(len(kept.classes)))


def test_a_matrix_is_told_of_few_classes_and_average_precision_where_it_is_the_metric() -> None:
    kept = made.predictions(5)
    short = details.of(make_record(), kept)
    assert short["confusion"]["matrix"] is short["confusion"]["order"] is None
    assert short["classes"]["by"] == "f1"
    ranked = details.of(make_record(task__metric="mAP"), kept)
    assert ranked["classes"]["by"] == "average_precision"
    assert {"average_precision", "recall", "precision", "f1"} < ranked["classes"].keys()


def test_knn_lends_its_neighbours_to_other_protocols() -> None:
    kept = made.predictions(5)
    nobody = np.zeros((0, 0), str)
    linear = replace(kept, neighbours=nobody, neighbour_labels=nobody)
    alone, lent = (details.of(make_record(), linear, near=near) for near in (None, kept))
    assert alone["magnets"] is lent["magnets"] is None
    assert not any("neighbours" in clip for clip in alone["hardest"])
    assert lent["hardest"] == details.of(make_record(), kept)["hardest"]
    assert lent["hardest"]


@given(st.integers(0, 10**6), st.sampled_from(["event_onset_50ms_fms", "segment_1s_er"]))
@settings(deadline=None, max_examples=40)
def test_of_events_it_is_told_which_measure_matched_them(seed: int, metric: str) -> None:
    kept = made.detections(seed)
    told = details.of(make_record(task__metric=metric), kept)
    size(told)
    assert told["kind"] == "events"
    f_measure = {"segment_1s_er": "event_onset_200ms_fms"}.get(metric, metric)
    assert told["classes"]["metric"] == f_measure
    assert sum(told["classes"]["support"]) == len(kept.happened)
    assert all(clip["missed"] + clip["false"] > 0 for clip in told["hardest"])


def test_every_task_comes_out_short_and_soon(tmp_path: Path) -> None:
    synthetic_results.write(tmp_path, models={"base": 0.7}, clips=60, classes=6)
    kinds = set()
    start = time.perf_counter()
    records = list(results.read_all(tmp_path))
    total = 0
    for record in records:
        file = results.path(tmp_path, "base", record["task"]["name"], record["protocol"]["name"])
        told = details.of(record, predictions.read(file))
        assert told.keys() - {"right"} == PARTS
        total += size(told)
        kinds.add(told["kind"])
    assert kinds == {"multiclass", "multilabel", "events"}
    assert total / len(records) < 4000
    assert time.perf_counter() - start < 0.02 * len(records)


@pytest.mark.parametrize(("length", "limit"), [(SHORT, 5000), (LONG, 30_000)])
def test_a_task_as_large_as_voxceleb_comes_out_short_and_soon(
    length: details.Length, limit: int
) -> None:
    rng = np.random.default_rng(0)
    n, classes = 8251, 1251
    targets = rng.integers(classes, size=n)
    scores = rng.random((n, classes), dtype=np.float32)
    scores[np.arange(n), targets] += 0.6 * rng.random(n, dtype=np.float32)
    names = np.array([f"id1{number:04}" for number in range(classes)])
    ids = np.array([f"{names[true]}/{row:011}/00001" for row, true in enumerate(targets)])
    near = rng.integers(n, size=(n, 5))
    kept = Predictions(
        ids=ids,
        folds=np.repeat("test", n),
        targets=targets,
        scores=scores,
        classes=names,
        plane=rng.integers(-1000, 1000, size=(n, 2)).astype(np.int16),
        neighbours=ids[near],
        neighbour_labels=names[targets[near]],
    )
    start = time.perf_counter()
    told = details.of(make_record(), kept, length)
    assert time.perf_counter() - start < 2
    assert size(told) < limit
    assert told["classes"]["total"] == classes
    assert len(told["map"]["x"]) == length.points
