"""Progress: plain lines where there is no terminal."""

import re
import threading

import pytest

from harness import display
from harness.display import Display
from harness.errors import UserError
from tests.harness.records import make_record


def test_plain_lines_say_how_far_how_fast_and_how_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 5.0, 20.0, 40.0])
    monkeypatch.setattr(display.time, "monotonic", lambda: next(clock))
    with Display() as shown:
        for done in (0.0, 10.0, 40.0, 80.0):
            shown.embed("esc10", done, 80.0)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "embed esc10: 40 of 80 audio-s, 2 audio-s/s, 20 s left",
        "embed esc10: 80 of 80 audio-s, 2 audio-s/s",
    ]


def test_what_is_cached_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as shown:
        shown.embed("esc10", 80.0, 80.0)
    assert capsys.readouterr().err == "embed esc10: 80 audio-s, all there already\n"


def test_unknown_length_of_a_download(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as shown:
        shown.download("a.zip", 0, None)
        shown.download("a.zip", 2_000_000, None)
        shown.download("a.zip", 5_000_000, 5_000_000)
    assert "download a.zip: 5 of 5 MB" in capsys.readouterr().err


def test_result_and_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as shown:
        shown.result(make_record())
        shown.result(make_record(score=None, scores__collapsed="constant"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "base esc50 knn: accuracy 61.90 [60.0, 64.0]"
    assert lines[1] == "base esc50 knn: accuracy undefined‡"
    assert lines[2].startswith("warning: constant embeddings")


def test_mistake_is_one_line_and_a_fault_keeps_its_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Display() as shown:
        shown.failure("esc10", UserError("expected [this], found that"))
        shown.failure("esc10", UserError("esc10: named by itself"))
        try:
            raise ZeroDivisionError("no")
        except ZeroDivisionError as error:
            shown.failure("esc10", error)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: esc10: expected [this], found that"
    assert lines[1] == "error: esc10: named by itself"
    assert lines[2].startswith("Traceback")
    assert lines[-1] == "ZeroDivisionError: no"


def test_what_was_done_at_once_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Display() as shown:
        for _ in range(2):
            shown.prepare("esc10", 400, 400)
            shown.verify("esc10", 400, 400)
    assert capsys.readouterr().err.splitlines() == [
        "prepare esc10: 400 clips",
        "verify esc10: 400 clips",
    ]


def test_a_download_that_starts_over(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(display.time, "monotonic", lambda: float(next(clock)))
    with Display() as shown:
        for done in (0, 10**6, 0, 10**6):
            shown.download("a.zip", done, 10**6)
    lines = [line.split(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == [f"download a.zip: {done} of 1 MB" for done in (1, 0, 1)]


@pytest.mark.parametrize("terminal", [False, True])
def test_downloads_from_many_threads(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file's end is told once, on a line of its own."""
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "200")

    def download(shown: Display, name: str) -> None:
        for done in range(0, 51):
            shown.download(name, done * 10**6, 50 * 10**6)

    with Display() as shown:
        threads = [
            threading.Thread(target=download, args=(shown, f"part{n}.zip")) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = capsys.readouterr().err.splitlines()
    ends = [line for line in lines if re.search(r"download part\d.zip: 50 (of 50 )?MB", line)]
    assert len(ends) == 8
    assert terminal or len(lines) == 8
