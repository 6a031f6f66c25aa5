"""Facts for programs: the same in JSON and CSV, and what the records and tests say."""

import csv
import io
import json
from pathlib import Path

import pytest

from harness import comparison, predictions, results
from tests.harness import synthetic_results

NAMES = ["esc10", "hear-dcase2016-task2"]


def test_facts_are_the_scores_and_tests_unrounded(tmp_path: Path) -> None:
    synthetic_results.write(tmp_path, names=NAMES)
    models = comparison.read(["base", "melspec"], tmp_path)
    facts = json.loads(comparison.as_json(models, (), ()))
    assert [(one["protocol"], one["task"]) for one in facts] == [
        ("hear2021", "hear-dcase2016-task2"),
        ("knn", "esc10"),
        ("linear", "esc10"),
    ]
    for one in facts:
        record = results.read(results.path(tmp_path, "base", one["task"], one["protocol"]))
        assert one["score"] == record["score"]
        assert one["difference"] == pytest.approx(one["score"] - one["other_score"])
        assert one["ci95_low"] < one["difference"] < one["ci95_high"]
        assert one["p"] == one["p_holm"]  # one task by each protocol
        assert one["significant"] == (one["p"] < 0.05)
    rows = list(csv.DictReader(io.StringIO(comparison.as_csv(models, (), ()))))
    assert [float(row["p"]) for row in rows] == [one["p"] for one in facts]
    assert list(rows[0]) == list(facts[0])


def test_what_was_not_tested_is_null(tmp_path: Path) -> None:
    synthetic_results.write(tmp_path, names=["esc10"])
    predictions.beside(results.path(tmp_path, "base", "esc10", "knn")).unlink()
    models = comparison.read(["base", "melspec"], tmp_path)
    [one] = json.loads(comparison.as_json(models, ["knn"], ()))
    assert one["difference"] is not None
    assert {one[name] for name in ("p", "p_holm", "ci95_low", "clips", "test")} == {None}
    assert not one["significant"]
    assert one["remark"] == "no paired test, since predictions are missing"
