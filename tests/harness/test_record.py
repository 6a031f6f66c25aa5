"""A record's numbers, against hand counts and scikit-learn."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

import tasks
from harness import record, results
from harness.embed import Embeddings
from harness.encoder import load
from harness.problem import Fold, Outcome, Problem, Protocol
from tasks.prepare import Index


@pytest.fixture
def index() -> Index:
    task = replace(tasks.load("esc50"), expected={"fold1": 3, "fold2": 3}, classes=2)
    clips = pd.DataFrame(
        {
            "id": list("abcdef"),
            "sha256": list("123456"),
            "labels": [["x"], ["x"], ["y"], ["x"], ["y"], ["y"]],
            "split": ["fold1"] * 3 + ["fold2"] * 3,
            "sample_rate": [16000] * 4 + [44100, 8000],
        }
    )
    return Index(task=task, clips=clips, classes=("x", "y"), source="test", data_sha256="00")


def embeddings(values: np.ndarray) -> Embeddings:
    return Embeddings(
        values=values.astype(np.float32),
        kept=np.arange(len(values)),
        skipped={},
        padded=1,
        audio_seconds=30.0,
        seconds=1.0,
        computed=6,
        computed_seconds=6.0,
    )


@pytest.fixture
def problem(index: Index) -> Problem:
    one, two, none = np.arange(3), np.arange(3, 6), np.arange(0)
    return Problem(
        embeddings=np.eye(6, dtype=np.float32),
        targets=index.targets(),
        folds=(Fold("fold1", two, none, one), Fold("fold2", one, none, two)),
        classes=2,
        metric="accuracy",
        device="cpu",
        seed=0,
    )


OUTCOME = Outcome(
    scores=(
        np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]], np.float32),
        np.array([[0.5, 0.5], [0.1, 0.9], [0.4, 0.6]], np.float32),
    ),
    extra={"by_k": {"1": 0.5}},
)
PROTOCOL = Protocol(name="knn", version=3, params={"k": 10}, solve=lambda _: OUTCOME)
RUN = record.Run(seed=0, precision="float32", limit=None, prepare_seconds=0.1, fit_seconds=0.2)


def test_record_is_valid_and_counts_right(index: Index, problem: Problem) -> None:
    encoder = load("harness.encoders.melspec", "cpu")
    rows = embeddings(np.random.default_rng(0).normal(size=(6, 64)))
    found = record.build(encoder, index, rows, problem, PROTOCOL, OUTCOME, RUN)
    results.validate(found, "test")
    expected = np.mean([accuracy_score([0, 0, 1], [0, 1, 1]), accuracy_score([0, 1, 1], [0, 1, 1])])
    assert found["score"] == found["scores"]["accuracy"] == pytest.approx(expected)
    assert found["scores"]["per_fold"] == pytest.approx([2 / 3, 1.0])
    assert found["scores"]["std"] == pytest.approx(np.sqrt(1 / 18))
    low, high = found["scores"]["ci95"]
    assert low <= found["score"] <= high
    assert found["scores"]["floor"] == pytest.approx(
        1 / 3
    )  # the majority of one fold is the other's minority
    assert found["scores"]["by_k"] == {"1": 0.5}
    assert found["n"] == {
        "train": [3, 3],
        "valid": [0, 0],
        "test": [3, 3],
        "expected_test": 6,
        "classes": 2,
        "skipped": 0,
        "padded": 1,
        "resampled": 2,
        "limit": None,
    }
    assert found["protocol"] == {"name": "knn", "version": 3, "params": {"k": 10}}
    again = record.build(encoder, index, rows, problem, PROTOCOL, OUTCOME, RUN)
    assert {k: v for k, v in again.items() if k != "run"} == {
        k: v for k, v in found.items() if k != "run"
    }


def test_each_record_tells_the_memory_held_until_then(
    index: Index, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = iter([1000, 3000])
    monkeypatch.setattr(record.sys, "platform", "linux")
    monkeypatch.setattr(
        record.resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=next(held))
    )
    encoder = load("harness.encoders.melspec", "cpu")
    rows = embeddings(np.random.default_rng(0).normal(size=(6, 64)))
    arguments = (encoder, index, rows, problem, PROTOCOL, OUTCOME, RUN)
    peaks = [record.build(*arguments)["run"]["peak_bytes"]["process"] for _ in range(2)]
    assert peaks == [1000 * 1024, 3000 * 1024]


def test_an_infinite_score_has_no_spread(index: Index, problem: Problem) -> None:
    """Warnings are errors here."""
    encoder = load("harness.encoders.melspec", "cpu")
    right = [np.eye(2, dtype=np.float32)[problem.targets[fold.test]] for fold in problem.folds]
    outcome = Outcome(scores=(right[0], 1 - right[1]))
    faultless = replace(problem, metric="d_prime")
    rows = embeddings(np.random.default_rng(0).normal(size=(6, 64)))
    scores = record.build(encoder, index, rows, faultless, PROTOCOL, outcome, RUN)["scores"]
    assert scores["per_fold"] == [np.inf, -np.inf]
    assert np.isnan(scores["std"])
    assert np.isnan(scores["d_prime"])


def test_collapsed_embeddings_are_named(index: Index) -> None:
    healthy = np.random.default_rng(0).normal(size=(6, 8))
    constant = np.ones((6, 8)) + 1e-9 * healthy
    repeated = healthy.copy()
    repeated[3] = repeated[2]
    assert record.collapsed(embeddings(healthy), index) is None
    assert record.collapsed(embeddings(constant), index) == "constant"
    assert record.collapsed(embeddings(np.zeros((6, 8))), index) == "constant"
    assert record.collapsed(embeddings(repeated), index) == "duplicate"


def test_one_recording_under_two_names_may_share_an_embedding(index: Index) -> None:
    repeated = np.random.default_rng(0).normal(size=(6, 8))
    repeated[3] = repeated[2]
    index.clips.loc[3, "sha256"] = index.clips.loc[2, "sha256"]
    assert record.collapsed(embeddings(repeated), index) is None


def test_git_is_silent_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "__file__", str(tmp_path / "record.py"))
    record._git.cache_clear()
    assert record._git() == {"git_sha": None, "dirty": None}
    record._git.cache_clear()
