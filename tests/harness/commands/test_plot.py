"""`plot`: files of pictures, mistakes in one line, the pictures of this repository's records."""

from pathlib import Path

import pytest

from harness import figures, results
from tests.harness.command_line import ROOT, inside, one_line
from tests.harness.figures.scored import records
from tests.harness.test_results import clips_kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for record in records({"base": [0.5, 0.6, 0.7, 0.8], "tiny": [0.4, 0.5, 0.6, 0.7]}):
        results.write(record, clips_kept(), tmp_path)
    return tmp_path


def test_all_pictures_that_there_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("plot", "--results", folder) == 0
    names = ["radar-knn.svg", "bars-knn.svg", "k-knn.svg", "size-knn.svg"]
    assert capsys.readouterr().out.splitlines() == [str(folder / "figures" / n) for n in names]
    first = {file.name: file.read_bytes() for file in (folder / "figures").iterdir()}
    assert sorted(first) == sorted(names)
    assert inside("plot", "--results", folder) == 0
    assert {file.name: file.read_bytes() for file in (folder / "figures").iterdir()} == first


def test_some_pictures_of_some_records_elsewhere(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = ("--tasks", "esc50,us8k", "--models", "base", "--protocols", "knn")
    to = tmp_path / "elsewhere"
    where = ("--results", folder, "--output", to)
    assert inside("plot", "bars", *where, "--format", "png", *some) == 0
    assert [file.name for file in to.iterdir()] == ["bars-knn.png"]
    assert (to / "bars-knn.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert inside("plot", *where, *some) == 0
    assert capsys.readouterr().err.splitlines() == [
        "left out radar-knn: expected scores on 3 tasks or more, found 2",
        "left out size-knn: expected models of 2 sizes or more, found 1",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--models", "basse"), "expected records of the model basse, found those of base, tiny"),
        (("--tasks", "fsdd"), "found those of esc50, nsynth, us8k, vox1"),
        (("--protocols", "linear"), "found those of knn"),
        (("--tasks", "esc50", "--suite", "knn"), "found both"),
        (("--suite", "hear"), "tasks of the suite hear, found none"),
        (("--suite", "knnn"), "did you mean knn?"),
        (("radar", "--tasks", "esc50"), "radar-knn: expected scores on 3 tasks or more, found 1"),
        (("--models", ","), "comma-separated"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...],
    expected: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert inside("plot", "--results", folder, *arguments) == 2
    assert expected in one_line(capsys)
    assert not (folder / "figures").exists()


def test_without_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("plot", "--results", tmp_path / "none") == 2
    assert "found none; pass --results" in one_line(capsys)


def test_committed_pictures_are_those_of_the_committed_records() -> None:
    """Where they are not: `python -m harness plot`, and remove what it no longer draws."""
    drawn, _ = figures.pictures(list(results.read_all(ROOT / "results")))
    expected = {f"{picture.name}.svg": figures.svg(picture) for picture in drawn}
    there = {file.name: file.read_text() for file in (ROOT / "results" / "figures").iterdir()}
    assert [name for name in expected | there if expected.get(name) != there.get(name)] == []
