"""`compare` as a person runs it: every format, the same bytes twice, mistakes in one line."""

import json
from pathlib import Path

import pytest

from tests.harness import synthetic_results
from tests.harness.command_line import inside, one_line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    return synthetic_results.write(folder, names=["esc10", "fsdd", "hear-fsd50k"])


@pytest.mark.parametrize("form", ["markdown", "csv", "json", "latex", "html"])
def test_every_format_gives_the_same_bytes_twice(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ("base", "melspec", "ced-base")
    told = []
    for _ in range(2):
        assert inside("compare", *models, "--results", folder, "--format", form) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert told[0].endswith("\n")
    assert all(name in told[0] for name in (*models, "esc10", "hear-fsd50k"))


def test_tasks_and_protocols_are_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ("--tasks", "fsdd", "--protocols", "knn,hear2021", "--format", "json")
    assert inside("compare", "base", str(folder / "melspec"), "--results", folder, *chosen) == 0
    [one] = json.loads(capsys.readouterr().out)
    assert (one["task"], one["protocol"]) == ("fsdd", "knn")
    assert (one["model"], one["other"]) == ("base", "melspec")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["base"], "expected two models or more"),
        (["base", "nobody"], "found 'nobody'"),
        (["base", "melspec", "--tasks", "esc50"], "found esc50; they have esc10, fsdd"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("compare", *arguments, "--results", folder) == 2
    assert told in one_line(capsys)


def test_an_empty_folder_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("compare", "a", "b", "--results", tmp_path) == 2
    assert "the models are none" in one_line(capsys)
