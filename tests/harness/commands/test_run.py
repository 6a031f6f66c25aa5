"""`run` with a suite: the published order, its protocol, one question for all of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import suites
from harness.suites import Suite
from tasks import fsdd
from tests.harness import served
from tests.harness.command_line import inside, one_line


@pytest.fixture
def options(tmp_path: Path) -> list[object]:
    (tmp_path / "data").mkdir()
    folders = {"--data": "data", "--cache": "cache", "--results": "results"}
    named = [part for name, folder in folders.items() for part in (name, tmp_path / folder)]
    return [*named, "--model", "melspec", "--device", "cpu"]


def test_the_whole_suite_is_asked_for_at_once(
    options: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("run", "--suite", "knn", *options) == 2
    line = one_line(capsys)
    assert ", ".join(suites.load("knn").tasks) in line
    assert "--yes" in line
    assert list((tmp_path / "data").iterdir()) == []


def test_a_suite_has_its_protocols_which_may_be_overridden(
    server: Any,
    tone: Callable[..., bytes],
    options: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.files[served.NAME] = served.digits(tone)
    monkeypatch.setattr(fsdd, "TASK", served.task(served.archive(server.url(served.NAME))))
    small = Suite(title="in small", tasks=("fsdd", "demo"), protocols=("knn",))
    monkeypatch.setattr(suites, "SUITES", {"small": small})
    assert inside("run", "--suite", "small", *options, "--yes") == 0
    written = {path.relative_to(tmp_path) for path in (tmp_path / "results").rglob("*.json")}
    assert written == {Path(f"results/melspec/{name}/knn.json") for name in small.tasks}
    assert (
        inside("run", "--suite", "small", "--protocols", "linear", *options, "--limit", "20") == 0
    )
    assert (tmp_path / "results" / "melspec" / "demo" / "linear.json").exists()


def test_a_seed_counts_from_0(options: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("run", "--tasks", "demo", *options, "--seed", "-1") == 2
    assert "-1 is not in the range x>=0" in capsys.readouterr().err


def test_measured_beside_published(
    options: list[object],
    tone: Callable[..., bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "results" / "published").mkdir(parents=True)
    (tmp_path / "results" / "published" / "knn.csv").write_text(
        "# source: https://example.org/paper\n"
        "title,model,collapsed,demo,fsdd\nMelSpec,melspec,,50.5,\nOther,,,,12\n"
    )
    assert inside("run", "--tasks", "demo", "--protocols", "knn", *options) == 0
    printed = capsys.readouterr().out.strip()
    assert (tmp_path / "results" / "README.md").read_text().strip().endswith(printed)
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    published, measured = (
        next(line for line in lines if line.startswith(f"| {name} "))
        for name in ("MelSpec", "melspec")
    )
    assert lines.index(measured) == lines.index(published) + 1
    assert "50.5" in published
    assert "(+" in measured
    assert "missing" in measured
