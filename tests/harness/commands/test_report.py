from pathlib import Path

import pytest

from tests.harness import synthetic_results
from tests.harness.command_line import inside, one_line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = {"one": 0.2, "other": 0.9}
    return synthetic_results.write(tmp_path_factory.mktemp("made"), models, ["esc10"], clips=30)


def test_the_page_lies_beside_the_records_and_is_the_same_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("report", "--results", folder) == 0
    file = folder / "report.html"
    assert capsys.readouterr().out == f"{file}\n"
    first = file.read_bytes()
    assert inside("report", "--results", folder) == 0
    assert file.read_bytes() == first


def test_what_is_shown_can_be_chosen(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "page.html"
    chosen = ("--models", "one", "--tasks", "esc10", "--protocols", "knn")
    assert inside("report", "--results", folder, "--output", file, *chosen) == 0
    text = file.read_text()
    assert '"model":"one"' in text
    assert '"model":"other"' not in text
    assert '"linear"' not in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--models", "oen"), "expected records of the model oen, found those of one, other"),
        (("--tasks", "esc50"), "expected records of the task esc50, found those of esc10"),
        (("--protocols", ","), "comma-separated"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path,
    arguments: tuple[str, ...],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert inside("report", "--results", folder, *arguments) == 2
    assert expected in one_line(capsys)


def test_an_empty_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("report", "--results", tmp_path) == 2
    assert "found none" in one_line(capsys)


def test_a_record_without_its_predictions_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    synthetic_results.write(tmp_path, {"one": 0.2}, ["esc10"], clips=30)
    (tmp_path / "one" / "esc10" / "knn.npz").unlink()
    assert inside("report", "--results", tmp_path) == 2
    assert "knn.npz" in one_line(capsys)
