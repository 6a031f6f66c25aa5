"""Every task in the folder describes itself fully; the page on adding one is true."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import soundfile

import tasks
from tasks import hear
from tasks.archive import Place
from tasks.errors import UserError
from tasks.prepare import prepare
from tasks.spec import Archive, Clip, Labels

ROOT = Path(__file__).parents[2]


def no_download(archive: Archive, folder: Path) -> Path:
    raise AssertionError(f"{archive.filename} is not to be downloaded into {folder}")


@pytest.mark.parametrize("name", tasks.names())
def test_task_is_complete(name: str) -> None:
    task = tasks.load(name)
    assert task.name == name
    assert task.version >= 1
    assert task.title
    assert task.domain in ("environment", "speech", "music", "mixed")
    assert task.classes > 1
    assert task.footprint > 0
    assert len({task.metric, *task.further_metrics}) == 1 + len(task.further_metrics)
    sources = [source.name for source in task.sources]
    if name in hear.TASKS:
        assert task.expected == {}  # the data set lists its files itself
        assert sources == [f"HEAR, {source.sample_rate} Hz" for source in task.sources]
    else:
        folds = {f"fold{k + 1}" for k in range(len(task.expected))}
        assert set(task.expected) in (folds, {"train", "test"}, {"train", "valid", "test"})
        assert sources in (["official"], ["official", "X-ARES"], ["synthesised"])
    for source in task.sources:
        told = [source.listing] if source.listing else []
        only_looked_for = task.synthetic or source.sample_rate not in (None, 48_000)
        assert only_looked_for != bool(told or source.archives)
        for archive in (*told, *source.archives):
            assert bool(archive.urls) != bool(archive.registration)
            for url in archive.urls:
                assert url.startswith("https://" if archive.checksum is None else "http")
            assert archive.licence
            assert archive.page.startswith("https://")


def test_names_are_those_of_the_files() -> None:
    found = set(tasks.names())
    assert {"demo", "esc10", "esc50", "fsdd", "fsdd-speaker"} <= found
    table = {"esc50", "fsdkaggle18", "nsynth", "spc1", "spc2", "us8k", "vox1", "ravdess", "fsc"}
    assert {*table, "fsc-transcript"} <= found


@pytest.mark.parametrize(
    ("typed", "meant"), [("esc5", "esc50"), ("fsd", "fsdd"), ("dem", "demo"), ("ESC-50", "esc50")]
)
def test_unknown_task_gets_a_suggestion(typed: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"did you mean {meant}"):
        tasks.load(typed)


@pytest.fixture
def documented(tmp_path: Path) -> ModuleType:
    """The module that docs/ADDING_A_TASK.md shows."""
    page = (ROOT / "docs" / "ADDING_A_TASK.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    file = tmp_path / "coins.py"
    file.write_text(block)
    spec = importlib.util.spec_from_file_location("coins", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_classes_without_numbers_are_in_the_order_of_their_names() -> None:
    names = (("b",), ("a", "c"), ("b", "a"), ())
    clips = [Clip(id="", place=Place(path=""), labels=n, split="", group="") for n in names]
    assert Labels.alphabetical(clips) == Labels(clips=clips, classes=("a", "b", "c"))


def test_the_example_of_the_page_prepares(documented: ModuleType, tmp_path: Path) -> None:
    for split, numbers in (("train", range(4)), ("test", range(4, 6))):
        folder = tmp_path / "data" / "coins" / split
        folder.mkdir(parents=True)
        for coin in ("penny", "dime"):
            for number in numbers:
                soundfile.write(folder / f"{coin}_{number}.wav", [0.1, 0.2] * 400, 8000)
    found = prepare(documented.TASK, tmp_path / "data", index=tmp_path / "index", fetch=no_download)
    assert found.classes == ("dime", "penny")
    assert found.clips["split"].value_counts().to_dict() == {"train": 8, "test": 4}


def test_sources_at_the_encoders_rate_come_first_then_those_to_be_resampled() -> None:
    esc50, of_any_rate = hear.TASKS["hear-esc50"], tasks.load("nsynth")
    for rate, rates in {16_000: [16_000, 48_000], 48_000: [48_000], 24_000: [48_000]}.items():
        assert [source.sample_rate for source in esc50.at(rate).sources] == rates
        assert of_any_rate.at(rate) == of_any_rate
