"""A small real run that several tests of the harness start from."""

from pathlib import Path

import pytest

import tasks
from tasks.prepare import prepare
from tasks.spec import Archive


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
