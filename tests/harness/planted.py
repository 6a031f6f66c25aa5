"""Faults planted in a results folder, and the gate that has to find them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import metrics, predictions, results
from harness.predictions import Predictions
from tests.harness.command_line import inside

MODELS = ("melspec", "tiny")
TASKS = ("demo", "esc10", "fsdd")
PROTOCOLS = ("knn", "linear")
RECORD = "tiny/esc10/knn"


def copy_real(source: Path, folder: Path) -> Path:
    """Copy the real records that the build is held to, with their predictions."""
    for model in MODELS:
        for task in TASKS:
            for protocol in PROTOCOLS:
                for file in (source / model / task).glob(f"{protocol}.*"):
                    target = folder / model / task / file.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
    return folder


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a record as `change` does; its predictions stay."""
    record = results.read(file)
    change(record)
    file.write_bytes(results.render(record))


def turn(file: Path, lost: int, gained: int = 0) -> None:
    """Let the first rightly predicted clips be wrong, and wrong ones right; score them anew."""
    record, kept = results.read(file), predictions.read(file)
    assert isinstance(kept, Predictions)
    scores = kept.scores.copy()
    right = metrics.hits("accuracy", kept.targets, scores)
    for clip in np.flatnonzero(right)[:lost]:
        scores[clip] = np.eye(scores.shape[1])[kept.targets[clip] - 1]
    for clip in np.flatnonzero(~right)[:gained]:
        scores[clip] = np.eye(scores.shape[1])[kept.targets[clip]]
    kept = replace(kept, scores=scores)
    rescore(record, kept)
    results.write(record, kept, file.parents[2])


def rescore(record: dict[str, Any], kept: Predictions) -> None:
    """Set a record's accuracy to that of the predictions."""
    folds = [kept.folds == fold for fold in np.unique(kept.folds)]
    record["scores"]["per_fold"] = [
        metrics.compute("accuracy", kept.targets[fold], kept.scores[fold]) for fold in folds
    ]
    record["score"] = float(np.mean(record["scores"]["per_fold"]))


class Gate:
    """References and new records, and what the command says of them."""

    def __init__(self, real: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.reference, self.new = folder / "reference", folder / "new"
        shutil.copytree(real, self.reference)
        shutil.copytree(real, self.new)
        self._capsys = capsys
        capsys.readouterr()

    def __call__(self, *more: object) -> int:
        code = inside("check", "--results", self.new, "--reference", self.reference, *more)
        self.out = self._capsys.readouterr().out
        return code

    @property
    def faults(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("FAIL ")]

    @property
    def notes(self) -> list[str]:
        return [line for line in self.out.splitlines() if line.startswith("note ")]

    def file(self, record: str = RECORD) -> Path:
        return self.new / f"{record}.json"
