"""Reports of made-up results, and a real browser to look at them."""

import importlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import predictions, report, results
from tests.harness import synthetic_results

NAMES = ("chromium", "chromium-browser", "google-chrome")

Page = Callable[[Path], str]


@pytest.fixture(scope="session")
def page_of() -> Page:
    """Makes the page of a folder's records."""

    def make(folder: Path) -> str:
        def kept(record: Mapping[str, Any]) -> Any:
            names = (record[part]["name"] for part in ("model", "task", "protocol"))
            return predictions.read(results.path(folder, *names))

        return report.html(list(results.read_all(folder)), kept)

    return make


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models on a task of each kind: classes, several labels, events; do not change it."""
    return synthetic_results.write(
        tmp_path_factory.mktemp("few"),
        models={"one": 0.2, "other": 0.9},
        names=["esc10", "hear-fsd50k", "hear-dcase2016-task2"],
        clips=60,
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium or Chrome, as the machine has it."""
    sync_api = importlib.import_module("playwright.sync_api")  # the extra [browser]
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(f"expected one of {', '.join(NAMES)} on the PATH, found none", pytrace=False)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
