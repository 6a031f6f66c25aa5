"""What several tests of the harness start from: a small real run, real records and their gate."""

from pathlib import Path

import pytest

import tasks
from tasks.prepare import prepare
from tasks.spec import Archive
from tests.harness import planted
from tests.harness.command_line import ROOT, inside


def _no_download(archive: Archive, folder: Path) -> Path:
    raise AssertionError(f"{archive.filename} must not be downloaded into {folder}")


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the synthesised task `demo`; do not change it."""
    data = tmp_path_factory.mktemp("data")
    prepare(tasks.load("demo"), data, index=data / ".index", fetch=_no_download)
    return data


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where transformers copies the code of repositories to: a folder of the test's own."""
    folder = tmp_path / "modules"
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(folder))
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture(scope="session")
def real_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records that the build is held to, with their tables; do not change them."""
    folder = planted.copy_real(ROOT / "results", tmp_path_factory.mktemp("real"))
    assert inside("table", "--results", folder) == 0
    return folder


@pytest.fixture
def gate(real_records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> planted.Gate:
    """The gate on two copies of these."""
    return planted.Gate(real_records, tmp_path, capsys)
