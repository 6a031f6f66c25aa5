"""The whole line, on the synthetic task: same records every time, faults stay where they are."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import predictions, results, runner
from harness.embed import Settings
from harness.errors import UserError
from harness.runner import Plan, run


class Quiet:
    """A display that remembers."""

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self.results: list[dict[str, Any]] = []

    def download(self, name: str, done: int, total: int | None) -> None:
        raise AssertionError(f"nothing to download, asked for {name}")

    def expand(self, name: str, done: int, total: int | None) -> None:
        raise AssertionError(f"nothing to expand, found {name}")

    def prepare(self, task: str, done: int, total: int) -> None:
        assert 0 <= done <= total

    def embed(self, task: str, done: float, total: float) -> None:
        assert 0 <= done <= total

    def fit(self, task: str, protocol: str, done: float, total: float) -> None:
        pass

    def result(self, record: dict[str, Any]) -> None:
        self.results.append(record)

    def failure(self, task: str, error: Exception) -> None:
        self.failures[task] = error


@pytest.fixture
def plan(demo_data: Path, tmp_path: Path) -> Plan:
    return Plan(
        model="melspec",
        tasks=["demo"],
        protocols=["knn"],
        data=demo_data,
        cache=tmp_path / "cache",
        results=tmp_path / "results",
        device="cpu",
    )


def without_run(file: Path) -> bytes:
    record = json.loads(file.read_bytes())
    del record["run"]
    return results.render(record)


def test_two_runs_write_the_same_bytes_but_for_run(plan: Plan) -> None:
    plan = replace(plan, protocols=["knn", "linear"])
    files = [results.path(plan.results, "melspec", "demo", name) for name in plan.protocols]
    assert run(plan, Quiet()).failures == {}
    first = [(without_run(f), f.with_suffix(".npz").read_bytes()) for f in files]
    shutil.rmtree(plan.cache)
    again = replace(plan, settings=Settings(batch_seconds=3.0, workers=3))
    assert run(again, Quiet()).failures == {}
    second = [(without_run(f), f.with_suffix(".npz").read_bytes()) for f in files]
    assert first == second


def test_scores_stand_above_the_floor_and_predictions_beside_the_record(plan: Plan) -> None:
    (record,) = run(plan, Quiet()).records
    assert record["score"] > 3 * record["scores"]["floor"]
    assert record["task"]["synthetic"]
    assert not results.is_partial(record)
    stored = predictions.read(results.path(plan.results, "melspec", "demo", "knn"))
    assert len(stored.ids) == record["n"]["expected_test"] == 480
    hits = stored.scores.argmax(axis=1) == stored.targets
    folds = [hits[stored.folds == name].mean() for name in np.unique(stored.folds)]
    assert record["score"] == pytest.approx(np.mean(folds))


def test_limit_is_partial_and_never_replaces_a_whole_record(plan: Plan) -> None:
    limited = replace(plan, limit=120)
    (record,) = run(limited, Quiet()).records
    assert sum(record["n"]["test"]) == record["n"]["limit"] == 120
    assert results.is_partial(record)
    run(plan, Quiet())
    whole = results.path(plan.results, "melspec", "demo", "knn").read_bytes()
    (error,) = run(limited, Quiet()).failures.values()
    assert isinstance(error, UserError)
    assert "whole task" in str(error)
    assert results.path(plan.results, "melspec", "demo", "knn").read_bytes() == whole


def test_a_failing_task_costs_only_itself(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    real = runner.prepare

    def breaks(task: Any, *arguments: Any, **options: Any) -> Any:
        if task.name == "fsdd":
            raise ZeroDivisionError("planted")
        return real(task, *arguments, **options)

    monkeypatch.setattr(runner, "prepare", breaks)
    display = Quiet()
    summary = run(replace(plan, tasks=["fsdd", "demo"]), display)
    assert [record["task"]["name"] for record in summary.records] == ["demo"]
    assert isinstance(summary.failures["fsdd"], ZeroDivisionError)
    assert display.failures == summary.failures
    assert display.results == summary.records


def test_a_place_for_records_that_is_none_is_found_before_any_work(plan: Plan) -> None:
    plan.results.write_text("a file")
    with pytest.raises(NotADirectoryError):
        run(plan, Quiet())
    assert not plan.cache.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ["dmo"]}, "demo"),
        ({"model": "melspek"}, "melspec"),
        ({"tasks": ["demo", "fsdd", "demo"]}, "different names, found 2 called demo"),
        ({"protocols": ["knm"]}, "knn"),
        ({"data": Path("/nonexistent")}, "expected the data folder /nonexistent to exist"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_mistakes_in_the_plan_stop_it_before_any_work(
    plan: Plan, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run(replace(plan, **change), Quiet())
    assert not plan.results.exists()
