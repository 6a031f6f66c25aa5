"""The question before a download, asked at a real terminal."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.commands import consent
from harness.errors import UserError
from tasks.acquire import Choice, Offer
from tests.harness import served
from tests.harness.command_line import ROOT


def at_terminal(command: list[str], answer: str) -> tuple[int, str]:
    """Run a command at a terminal where somebody types `answer`; return code and what it said."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=slave, stderr=slave, stdout=subprocess.DEVNULL
    )
    os.close(slave)
    os.write(master, answer.encode())
    said = b""
    try:
        while block := os.read(master, 1 << 16):
            said += block
    except OSError:  # Linux ends a terminal that nobody has open any more so
        pass
    os.close(master)
    return process.wait(timeout=60), said.decode()


@pytest.mark.parametrize("answer", ["n\n", "\n"])
@pytest.mark.parametrize("verb", ["prepare", "run"])
def test_declined(
    verb: str, answer: str, server: Any, tone: Callable[..., bytes], tmp_path: Path
) -> None:
    code, said = at_terminal(asking(verb, server, tone, tmp_path), answer)
    assert code == 2
    assert said.index("CC BY-SA 4.0") < said.index("Download 1.0 MB?")
    assert "nothing was changed" in said
    assert server.requests == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_agreed(server: Any, tone: Callable[..., bytes], tmp_path: Path) -> None:
    code, said = at_terminal(asking("prepare", server, tone, tmp_path), "y\n")
    assert code == 0, said
    assert f"download {served.NAME}" in said
    assert (tmp_path / "data" / "fsdd" / served.NAME).is_file()


def test_what_was_not_agreed_to_is_not_fetched(
    server: Any,
    tone: Callable[..., bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever goes wrong between the question and the download."""
    server.files[served.NAME] = served.digits(tone)
    file = served.archive(server.url(served.NAME))
    choice = Choice(source="official", missing=(file,), bytes=1, disk=1, free=2)
    offer = Offer(task="digits", folder=tmp_path / "digits", choices=(choice,))
    download = consent.ask([offer], yes=True)
    assert download(file, tmp_path / "digits", progress=silent).is_file()
    refuse = consent.ask([], yes=False)
    with pytest.raises(UserError, match=f"expected {served.NAME} in .* or agreement .* --yes"):
        refuse(file, tmp_path / "other", progress=silent)
    assert len(server.requests) == 1
    assert refuse(file, tmp_path / "digits", progress=silent).is_file()
    # --yes agrees to that as well, and is told what it is.
    capsys.readouterr()
    assert download(file, tmp_path / "other", progress=silent).is_file()
    assert f"{served.NAME}: {file.licence} ({file.page})" in capsys.readouterr().err


def silent(name: str, done: int, total: int | None) -> None:
    pass


def asking(verb: str, server: Any, tone: Callable[..., bytes], folder: Path) -> list[str]:
    server.files[served.NAME] = served.digits(tone)
    (folder / "data").mkdir()
    command = [sys.executable, "-m", "tests.harness.served", server.url(served.NAME), verb]
    command += ["--tasks", "fsdd", "--data", str(folder / "data")]
    command += ["--cache", str(folder / "cache")]
    if verb == "run":
        command += ["--model", "melspec", "--results", str(folder / "results")]
    return command
