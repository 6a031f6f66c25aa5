"""HEAR directories of every kind, from a server or a folder to a record, by the command line.

What is heard is real: digits of ../shared/data, alone, in a row, or laid into noise at known
times. Heads are narrow and train briefly: whether they are heareval's is asked elsewhere.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tasks.hear
from dasheng import checkpoint
from dasheng.blocks import EncoderConfig
from dasheng.encoder import Dasheng
from harness import predictions, results
from harness.cli import main
from tests.tasks.miniature import hear
from tests.tasks.miniature.mixtures import Mixture, mixtures
from tests.tasks.server import Server

BRIEF = {"hidden_dim": [64], "max_epochs": [12], "check_val_every_n_epoch": [2]}
EVALUATION = {"task_specific_param_grid": BRIEF}
KINDS = ["train-valid-test", "folds", "several labels", "events"]


def harness(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    return int(done.value.code or 0)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the base model's shapes, drawn at random."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "random.safetensors"
    checkpoint.save(Dasheng(EncoderConfig()), file)
    return file


@pytest.fixture
def install(
    shared_data: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """Put a miniature of a kind where it can be had; return what to call it."""

    def put(kind: str) -> str:
        digits = hear.digits(shared_data / "fsdd")
        if kind == "several labels":  # a person's own, in a folder
            own = hear.tags(digits, each=2)
            own = replace(own, metadata=own.metadata | {"evaluation_params": EVALUATION})
            return f"hear:{written(own.unpacked(16_000), tmp_path / 'own')}"
        name, small = {
            "train-valid-test": ("hear-speech-commands-5h", lambda: hear.commands(digits)),
            "folds": ("hear-libricount", lambda: hear.voices(digits)),
            "events": (
                "hear-dcase2016-task2",
                lambda: hear.office(mixtures(shared_data / "fsdd", rate=48_000, seconds=4)),
            ),
        }[kind]
        task = small().served(tasks.hear.TASKS[name], server)
        made = replace(task, evaluation=EVALUATION)
        monkeypatch.setitem(tasks.hear.TASKS, name, made)
        return name

    return put


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def measured(task: str, model: str | Path, folder: Path, *options: str) -> dict[str, Any]:
    places = ("--data", folder / "data", "--cache", folder / "cache")
    (folder / "data").mkdir(exist_ok=True)
    arguments = ("--tasks", task, "--model", model, "--results", folder / "results", *options)
    assert harness("run", *arguments, *places, "--yes") == 0
    (file,) = (folder / "results").rglob("hear2021*.json")
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", ["melspec", "base"])
def test_from_a_directory_to_a_record(
    kind: str, model: str, install: Callable[[str], str], base: Path, tmp_path: Path
) -> None:
    task = install(kind)
    record = measured(task, base if model == "base" else model, tmp_path)
    divisions = 1 if kind in ("train-valid-test", "events") else 3
    assert len(record["scores"]["per_fold"]) == divisions
    assert (record["scores"]["std"] is None) == (divisions == 1)
    assert len(record["selection"]["chosen"]) == len(record["scores"]["valid"]) == divisions
    assert record["selection"]["on"] == "valid"
    assert record["protocol"]["params"]["differs from heareval"]
    assert record["model"]["embedding_size"] == (768 if model == "base" else 64)
    rate = 16_000 if kind == "several labels" else 48_000
    assert record["task"]["source"] == f"HEAR, {rate} Hz"
    clips = sum(record["n"][split][0] for split in ("train", "valid", "test"))
    assert record["n"]["resampled"] == (0 if rate == 16_000 else clips)
    assert record["n"]["expected_test"] == sum(record["n"]["test"])
    assert record["task"]["evaluation"] == EVALUATION


def test_int_labels_keep_the_order_of_their_numbers_and_a_class_may_miss_a_fold(
    install: Callable[[str], str], tmp_path: Path
) -> None:
    record = measured(install("folds"), "melspec", tmp_path)
    (file,) = (tmp_path / "results").rglob("hear2021.json")
    stored = predictions.read(file)
    assert isinstance(stored, results.Predictions)
    assert stored.classes.tolist() == ["0", "1", "2"]
    assert set(stored.targets[stored.folds == "fold01"]) == {0, 1}
    assert set(record["scores"]) >= {"accuracy", "mAP", "d_prime", "auc_roc"}
    assert record["scores"]["auc_roc"] is None  # of a class without a clip it is undefined


def test_strict_chooses_for_each_division_and_says_so(
    install: Callable[[str], str], tmp_path: Path
) -> None:
    record = measured(
        install("several labels"), "melspec", tmp_path, "--protocols", "hear2021-strict"
    )
    assert record["protocol"]["name"] == "hear2021-strict"
    assert len(record["selection"]["grid"]) == record["protocol"]["params"]["grid points"] == 16
    assert record["scores"]["top1_acc"] is not None


def test_archives_at_the_encoders_own_rate_are_taken_first(
    install: Callable[[str], str], shared_data: Path, tmp_path: Path
) -> None:
    name = install("folds")
    small = hear.voices(hear.digits(shared_data / "fsdd"))
    folder = tmp_path / "data" / name
    folder.mkdir(parents=True)
    (file, data), *_ = small.archive(16_000, "hear-2021.1.1/tasks/").items()
    (folder / file).write_bytes(data)
    record = measured(name, "melspec", tmp_path)
    assert record["task"]["source"] == "HEAR, 16000 Hz"
    assert record["n"]["resampled"] == 0


def test_events_are_found_where_they_are(shared_data: Path, tmp_path: Path) -> None:
    """Files of two lengths; half of the starts within a token of 40 ms, F above 0.9."""
    lengths = {4: {"train": 20, "valid": 3, "test": 3}, 12: {"train": 14, "valid": 3, "test": 3}}
    mixed: dict[str, dict[str, Mixture]] = {"train": {}, "valid": {}, "test": {}}
    for seconds, splits in lengths.items():
        made = mixtures(shared_data / "fsdd", splits=splits, seconds=seconds, events=seconds)
        for split, files in made.items():
            mixed[split] |= {f"{seconds}s-{file}": mixture for file, mixture in files.items()}
    own = hear.office(mixed)
    grid = {"hidden_dim": [128], "max_epochs": [32], "check_val_every_n_epoch": [4]}
    evaluation = {"task_specific_param_grid": grid, **POSTPROCESSING}
    own = replace(own, metadata=own.metadata | {"evaluation_params": evaluation})
    task = f"hear:{written(own.unpacked(16_000), tmp_path / 'own')}"
    record = measured(task, "melspec", tmp_path)
    assert record["score"] > 0.9
    (file,) = (tmp_path / "results").rglob("hear2021.json")
    stored = predictions.read(file)
    assert isinstance(stored, results.Detections)
    off = np.array([_nearest(stored.found, event) for event in stored.happened])
    assert np.median(off) <= 40
    events = sum(seconds * sum(splits.values()) for seconds, splits in lengths.items())
    assert (record["n"]["events"], record["n"]["past_end"]) == (events, 0)


# Digits last 200 to 600 ms: HEAR's default, made for longer sounds, would drop some.
POSTPROCESSING = {
    "event_postprocessing_grid": {"median_filter_ms": [100], "min_duration": [50, 100]}
}


def _nearest(found: np.ndarray, event: np.ndarray) -> float:
    """By how many ms the nearest found start misses that of an event; inf if there is none."""
    same = found[(found[:, 0] == event[0]) & (found[:, 1] == event[1])]
    return float(np.abs(same[:, 2] - event[2]).min(initial=np.inf))
