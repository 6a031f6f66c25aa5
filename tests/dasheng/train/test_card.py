"""A card's numbers are filled in between its marks; its prose is let alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dasheng.train import card
from dasheng.train.config import TrainConfig
from tasks.errors import UserError
from tests.dasheng.train.test_figures import LOG
from tests.harness.records import make_record

PROSE = """# tiny

Prose with a \\1 in it.
<!-- training -->
<!-- end -->
More.
<!-- scores -->
old numbers
<!-- end -->
<!-- steps -->
<!-- end -->
The end.
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A run folder, a folder of results, a card."""
    run, results, file = tmp_path / "run", tmp_path / "results", tmp_path / "README.md"
    run.mkdir()
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LOG))
    (run / "config.yaml").write_text(TrainConfig(train_data=("a.tar",)).as_yaml())
    for name, score in (("tiny", 0.7), ("random", 0.6), ("melspec", 0.5)):
        write_record(results, name, "esc10", score=score)
    file.write_text(PROSE)
    return run, results, file


def write_record(results: Path, name: str, task: str, **changes: Any) -> None:
    path = results / name / task / "knn.json"
    path.parent.mkdir(parents=True)
    made = make_record(model__name=name, task__name=task, **changes)
    path.write_text(json.dumps(made))
    one = {"ids": np.array(["a"]), "folds": np.array(["test"]), "targets": np.array([0])}
    np.savez(path.with_suffix(".npz"), scores=np.eye(1), **one)


def test_numbers_stand_between_the_marks(folders: tuple[Path, Path, Path]) -> None:
    run, results, file = folders
    curves = card.write(run, results, file)
    text = file.read_text()
    assert curves.read_text().startswith("<svg ")
    assert "old numbers" not in text
    assert text.index("<!-- scores -->") < text.index("| esc10 knn | ") < text.index("The end.")
    prose = [line for line in PROSE.splitlines() if line not in ("", "old numbers")]
    assert [line for line in text.splitlines() if line in prose] == prose
    card.write(run, results, file)
    assert file.read_text() == text


def test_mistakes_are_one_line_and_exit_code_2(folders: tuple[Path, Path, Path]) -> None:
    run, results, file = folders
    words = [str(run), "--results", str(results), "--card", str(file)]
    file.write_text("no marks")
    done = CliRunner().invoke(card.main, words)
    assert done.exit_code == card.MISTAKE
    assert done.stderr.startswith("error: expected <!-- training -->")
    assert done.stderr.count("\n") == 1
    file.write_text(PROSE)
    assert CliRunner().invoke(card.main, words).exit_code == 0


def test_records_of_other_weights_are_refused(folders: tuple[Path, Path, Path]) -> None:
    run, results, file = folders
    write_record(results, "tiny", "fsdd", model__weights_sha256="ef" * 32)
    with pytest.raises(UserError, match="of several"):
        card.write(run, results, file)
    assert file.read_text() == PROSE
