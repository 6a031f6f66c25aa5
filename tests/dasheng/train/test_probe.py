"""The harness measures the encoder in training: real processes on the synthetic task."""

import json
import logging
from pathlib import Path

import pytest
import torch

from dasheng import checkpoint
from dasheng.train.config import TrainConfig
from dasheng.train.probe import probe, scores
from dasheng.train.stop import Stop
from tests.dasheng.miniature import miniature
from tests.harness.command_line import inside

ENCODER = miniature()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the synthetic clips are made, once."""
    return tmp_path_factory.mktemp("data")


def config(data: Path, **changes: object) -> TrainConfig:
    given = {"eval_tasks": ("demo",), "eval_protocols": ("knn",), "eval_data": str(data)}
    return TrainConfig(**{"train_data": ("a.tar",), **given, **changes})


def test_the_score_is_what_the_command_line_gives(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stale = tmp_path / "probe" / "step_500" / "step_500-0123abcd" / "esc10" / "knn.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("of this step, before the run was stopped and resumed")
    random = torch.get_rng_state()
    found = probe(ENCODER, tmp_path, 500, config(data), Stop())
    assert torch.equal(torch.get_rng_state(), random)
    assert caplog.messages == []

    checkpoint.save(ENCODER, tmp_path / "same.safetensors")
    code = inside(
        *("run", "--tasks", "demo", "--protocols", "knn", "--model", tmp_path / "same.safetensors"),
        *("--data", data, "--cache", tmp_path / "cache", "--results", tmp_path / "results"),
    )
    assert code == 0
    assert found == scores(tmp_path / "results")
    assert list(found) == ["demo knn"]
    assert 1 / 12 < found["demo knn"] <= 1

    records = list((tmp_path / "probe" / "step_500").glob("step_500-*/demo/knn.json"))
    assert len(records) == 1
    assert scores(tmp_path / "probe" / "step_500") == found
    assert not list((tmp_path / "probe").rglob("*.safetensors"))  # neither weights nor embeddings


def test_a_mistake_is_one_warning_and_nothing_is_downloaded(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert probe(ENCODER, tmp_path, 3, config(data, eval_tasks=("spc1",)), Stop()) == {}
    [line] = caplog.messages
    assert caplog.records[0].levelno == logging.WARNING
    assert line.startswith("no evaluation at step 3: expected --yes")
    assert "\n" not in line
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_folder_that_cannot_be_made_is_one_warning(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "probe").write_text("in the way")
    assert probe(ENCODER, tmp_path, 3, config(data), Stop()) == {}
    assert len(caplog.messages) == 1


def test_asked_to_stop_nothing_goes_on(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = Stop()
    stop.asked = True
    assert probe(ENCODER, tmp_path, 3, config(data), stop) == {}
    assert caplog.messages == ["no evaluation at step 3: stopped, as the run is"]
    assert not list(tmp_path.rglob("*.safetensors"))


def test_without_tasks_nothing_is_done(tmp_path: Path) -> None:
    assert probe(ENCODER, tmp_path, 0, config(tmp_path, eval_tasks=()), Stop()) == {}
    assert list(tmp_path.iterdir()) == []


def test_undefined_scores_are_left_out(tmp_path: Path) -> None:
    for task, score in (("a", 0.25), ("b", None)):
        file = tmp_path / "model" / task / "knn.json"
        file.parent.mkdir(parents=True)
        named = {"task": {"name": task}, "protocol": {"name": "knn"}, "score": score}
        file.write_text(json.dumps(named))
    assert scores(tmp_path) == {"a knn": 0.25}
