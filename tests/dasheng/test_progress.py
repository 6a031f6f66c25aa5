"""Download progress without a terminal: a line per tenth."""

import pytest

from dasheng.progress import Progress


def test_a_line_per_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for done in range(0, 1001):
            progress("base.pt", done * 1_000_000, 1_000_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[5] == "base.pt: 500 of 1,000 MB"


def test_unknown_size(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for done in range(0, 40 << 20, 1 << 20):
            progress("x", done, None)
    assert len(capsys.readouterr().err.splitlines()) == 4
