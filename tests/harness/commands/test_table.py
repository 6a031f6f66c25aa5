"""`table`: prints, writes the pages anew, or tells which of them are stale."""

import csv
import io
import json
from pathlib import Path

import pytest

from harness import results
from harness.files import write_atomically
from tests.harness import synthetic_results
from tests.harness.command_line import ROOT, inside, one_line
from tests.harness.records import make_record

MARKS = "<!-- harness table: folder=results -->\n<!-- /harness table -->\n"


def write(folder: Path, **changes: object) -> None:
    record = make_record(task__name="fsdd", **changes)
    name = (record[part]["name"] for part in ("model", "task", "protocol"))
    write_atomically(results.path(folder, *name), results.render(record))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    write(folder)
    (tmp_path / "README.md").write_text(MARKS)
    return folder


def test_pages_are_written_and_the_tables_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("table", "--results", folder) == 0
    printed = capsys.readouterr().out
    assert "| base           | 61.90                 |" in printed
    assert printed in (folder.parent / "README.md").read_text()
    assert "61.90 [60.0, 64.0]" in (folder / "README.md").read_text()
    assert inside("table", "--results", folder, "--check") == 0


def test_check_tells_a_line_for_each_stale_page_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside("table", "--results", folder)
    pages = [folder / "README.md", folder.parent / "README.md"]
    before = [page.read_text() for page in pages]
    write(folder, model__name="tiny", score=0.5)
    capsys.readouterr()
    assert inside("table", "--results", folder, "--check") == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"FAIL {page}" for page in pages]
    assert [page.read_text() for page in pages] == before


def test_chosen_records_are_printed_and_the_pages_have_all(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, model__name="tiny", score=0.5)
    assert inside("table", "--results", folder, "--models", "tiny", "--protocols", "knn") == 0
    printed = capsys.readouterr().out
    assert "| tiny " in printed
    assert "| base " not in printed
    assert "Dasheng-Base" not in printed  # published on other tasks
    assert "| base " in (folder / "README.md").read_text()
    assert inside("table", "--results", folder, "--tasks", "esc50") == 2
    assert "expected records of the task esc50, found those of fsdd" in one_line(capsys)


def test_the_tables_of_this_repository_are_fresh() -> None:
    assert inside("table", "--results", ROOT / "results", "--check") == 0


@pytest.mark.parametrize("form", ["csv", "html", "json", "latex", "markdown"])
def test_a_format_is_printed_and_nothing_written(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("table", "--results", folder, "--format", form) == 0
    printed = capsys.readouterr().out
    assert not (folder / "README.md").exists()
    assert (folder.parent / "README.md").read_text() == MARKS
    if form == "csv":
        assert next(csv.DictReader(io.StringIO(printed)))["score"] == "61.9"
    elif form == "json":
        assert json.loads(printed)[0]["tables"][0]["scores"][0]["score"] == 61.9
    else:
        assert "61.90" in printed
        assert "[60.0, 64.0]" not in printed
        assert inside("table", "--results", folder, "--format", form, "--intervals") == 0
        assert "61.90 [60.0, 64.0]" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["csv", "html", "json", "latex", "markdown"])
@pytest.mark.parametrize("kind", ["empty", "one", "real", "synthetic"])
def test_the_same_records_give_the_same_bytes(
    form: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ROOT / "results" if kind == "real" else tmp_path / "results"
    if kind == "synthetic":
        synthetic_results.write(folder, clips=30, names=["esc50", "hear-esc50", "demo"])
    elif kind == "one":
        write(folder)
    else:
        folder.mkdir(exist_ok=True)
    printed = []
    for _ in range(2):
        assert inside("table", "--results", folder, "--format", form, "--intervals") == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert str(tmp_path) not in printed[0]


@pytest.mark.parametrize("more", [["--format", "csv"], ["--intervals"]])
def test_check_stands_alone(
    more: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("table", "--results", folder, "--check", *more) == 2
    assert "expected --check alone" in one_line(capsys)


def test_mistakes_are_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("<!-- harness table -->\n")
    for more in ([], ["--check"]):
        assert inside("table", "--results", folder, *more) == 2
        assert "mend the marks" in one_line(capsys)
    for form in ([], ["--format", "csv"], ["--check"]):
        assert inside("table", "--results", folder / "none", *form) == 2
        assert "found none" in one_line(capsys)
