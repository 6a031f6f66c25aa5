"""The README names what there is, and its tables are those of the paper, cell by cell."""

import re
from pathlib import Path

import pytest

import tasks
from harness.cli import cli
from harness.suites import SUITES
from harness.targets import ALIASES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_task_suite_and_command_is_named() -> None:
    assert [name for name in tasks.names() if f"`{name}`" not in README] == []
    assert [name for name in SUITES if f"--suite {name}" not in README] == []
    assert [name for name in cli.commands if f"python -m harness {name}" not in README] == []


def test_every_row_and_training_configuration_is_named() -> None:
    configurations = (ROOT / "dasheng" / "train" / "config").glob("*.yaml")
    for name in (*ALIASES, *(file.stem for file in configurations)):
        assert f"`{name}`" in README, name


# How the authors' README and the notes on the benchmarks name the columns of the paper's tables.
COLUMNS = {
    **{"Environment Sounds": "environment", "Speech": "speech", "Music": "music"},
    **{"ESC50": "esc50", "FSDKaggle18": "fsdkaggle18", "NSynth Instrument": "nsynth"},
    **{"Speech Commands 1": "spc1", "Speech Commands 2": "spc2", "US8k": "us8k"},
    **{"VoxCeleb1": "vox1", "RAVDESS-Speech": "ravdess", "FluentSpeechCommands": "fsc"},
    **{"FSD18": "fsdkaggle18", "NSynth-I": "nsynth", "SPC1": "spc1", "SPC2": "spc2"},
    **{"VC1": "vox1", "RAVDESS": "ravdess", "FSC": "fsc", "Parameters (M)": "parameters"},
}
SHORT = {"WavLM-L": "WavLM-Large", "Wav2vec-L": "Wav2vec-large-100k-voxpopuli"}
SHORT |= {"Dasheng-B": "Dasheng-Base"}


def scores(text: str, after: str) -> dict[tuple[str, str], str]:
    """(Model, column) → the cell, of the published rows of the first table after some words."""
    found = re.search(r"(?:^\|.*\n?)+", text[text.index(after) :], re.MULTILINE)
    assert found
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub("[*‡–]", "", found[0]))
    heads, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in plain.splitlines()
    )
    heads = [COLUMNS.get(head, head.split(" ")[0]) for head in heads]
    kinds = [row[heads.index("scores")] if "scores" in heads else "published" for row in rows]
    return {
        (SHORT.get(row[0], row[0]), head): cell
        for row, kind in zip(rows, kinds, strict=True)
        for head, cell in zip(heads[1:], row[1:], strict=True)
        if kind == "published" and head != "scores"
    }


@pytest.mark.parametrize("page", ["README.md", "results/README.md"])
def test_published_rows_are_those_of_the_authors_and_the_notes(
    page: str, shared_data: Path
) -> None:
    ours = (ROOT / page).read_text()
    authors = (shared_data.parent / "OWNER_README.md").read_text()
    notes = (shared_data.parent / "BENCHMARKS.md").read_text()
    hear, knn = scores(ours, "Averages by domain"), scores(ours, "Published tasks")
    assert (len(hear), len(knn)) == (8 * 4, 9 * 9)
    assert hear == scores(authors, "averaged across different domains")
    assert knn == scores(authors, "K-Nearest Neighbor results") == scores(notes, "### 3.5")
