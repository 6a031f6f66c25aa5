"""Records are written whole, read back equal, and refused when they are not records."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from harness import predictions, results
from harness.errors import UserError
from harness.predictions import Predictions
from tests.harness.records import make_record


def clips_kept() -> Predictions:
    return Predictions(
        ids=np.array(["a", "b"]),
        folds=np.array(["fold1", "fold2"]),
        targets=np.array([0, 1]),
        scores=np.array([[0.9, 0.1], [0.4, 0.6]], dtype=np.float32),
        classes=np.array(["dog", "cat"]),
    )


def test_round_trip(tmp_path: Path) -> None:
    file = results.write(make_record(), clips_kept(), tmp_path)
    assert file == tmp_path / "base" / "esc50" / "knn.json"
    assert results.read(file) == make_record()
    back = predictions.read(file)
    for name, value in vars(clips_kept()).items():
        np.testing.assert_array_equal(getattr(back, name), value)


def test_bytes_are_sorted_and_stable(tmp_path: Path) -> None:
    file = results.write(make_record(), clips_kept(), tmp_path)
    first = (file.read_bytes(), file.with_suffix(".npz").read_bytes())
    shuffled = dict(reversed(make_record().items()))
    results.write(shuffled, clips_kept(), tmp_path)
    assert (file.read_bytes(), file.with_suffix(".npz").read_bytes()) == first
    assert first[0].endswith(b"}\n")
    assert list(json.loads(first[0])) == sorted(make_record())


def test_an_undefined_score_is_null(tmp_path: Path) -> None:
    record = make_record(score=math.nan, scores__ci95=[-math.inf, math.inf])
    record["scores"]["floor"] = math.nan  # of an AUC, where a class has no test clip
    read = results.read(results.write(record, clips_kept(), tmp_path))
    assert read["score"] is None
    assert read["scores"]["floor"] is None
    assert read["scores"]["ci95"] == [None, None]


def test_a_record_may_say_that_remote_code_was_executed(tmp_path: Path) -> None:
    record = make_record()
    record["model"]["remote_code"] = True
    assert results.read(results.write(record, clips_kept(), tmp_path)) == record
    record["model"]["remote_code"] = "yes"
    with pytest.raises(UserError, match=r"expected model.remote_code to be bool, found 'yes'"):
        results.validate(record, "it")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 1}, "expected schema 3, found 1"),
        ({"score": "high"}, "expected score to be float or null, found 'high'"),
        ({"task__version": None}, "expected task.version to be int, found None"),
        ({"model": []}, "expected an object at model"),
        ({"model__name": "../a"}, "expected model.name to be of letters, digits and _.+-"),
        ({"task__name": 'a"b'}, "expected task.name to be of letters, digits and _.+-"),
        ({"protocol__name": "a\x1b\udcff"}, r"found 'a\x1b\udcff'"),
    ],
)
def test_wrong_fields_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        results.write(make_record(**change), clips_kept(), tmp_path)
    assert list(tmp_path.rglob("*.json")) == []


def test_a_missing_field_is_named() -> None:
    record = make_record()
    del record["n"]["skipped"]
    with pytest.raises(UserError, match=r"expected the field n\.skipped, found none"):
        results.validate(record, "x.json")


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    file = tmp_path / "knn.json"
    file.write_text("{not json")
    with pytest.raises(UserError, match=r"knn\.json: expected a record"):
        results.read(file)


def test_partial_says_fewer_clips() -> None:
    assert not results.is_partial(make_record())
    assert results.is_partial(make_record(n__limit=100))
    assert results.is_partial(make_record(n__skipped=1))
    assert results.is_partial(make_record(n__test=[1000, 999]))


def test_read_all_is_sorted(tmp_path: Path) -> None:
    for model in ("b", "a"):
        results.write(make_record(model__name=model), clips_kept(), tmp_path)
    assert [record["model"]["name"] for record in results.read_all(tmp_path)] == ["a", "b"]


def test_a_record_in_another_place_is_named(tmp_path: Path) -> None:
    """A folder renamed to keep two runs of one model would count as that model twice."""
    results.write(make_record(), clips_kept(), tmp_path)
    (tmp_path / "base").rename(tmp_path / "base-fp16")
    with pytest.raises(UserError, match=r"base-fp16.esc50.knn\.json: .* found that of base esc50"):
        list(results.read_all(tmp_path))
