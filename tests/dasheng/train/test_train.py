"""`dasheng/train/train.py` as it is started: a script of a clone, or a module."""

import subprocess
import sys
from pathlib import Path

import pytest

from dasheng.train import command, train

ROOT = Path(__file__).parents[3]
SCRIPT = "dasheng/train/train.py"


def started(*words: object) -> subprocess.CompletedProcess[str]:
    command_line = [sys.executable, *map(str, words)]
    return subprocess.run(command_line, capture_output=True, text=True, cwd=ROOT, check=False)


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as error:
        train.main(words)
    return int(error.value.code or 0)


def test_the_readmes_command_ends_at_the_shards_that_nobody_has(tmp_path: Path) -> None:
    done = started(SCRIPT, "dasheng/train/config/dasheng_base.yaml", "--outputpath", tmp_path)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and "shards" in last
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("start", [[SCRIPT], ["-m", "dasheng.train"]])
def test_a_mistake_is_one_line(start: list[str]) -> None:
    done = started(*start, "dasheng_tiny", "--batchsize", "3")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "error: unknown setting batchsize: did you mean batch_size?\n"


MISSING = """\
import runpy, sys

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name == "webdataset":
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Gone())
sys.argv[1:] = ["dasheng_tiny"]
runpy.run_path("dasheng/train/train.py", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("package", "start"),
    [("torch", ["-S", SCRIPT]), ("webdataset", ["-c", MISSING])],  # -S: none is installed
)
def test_a_package_of_the_extra_that_is_missing(package: str, start: list[str]) -> None:
    done = started(*start)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: expected {package} for training, found no such package; "
        "run: pip install 'dasheng[train]'\n"
    )


def test_other_missing_modules_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(words: list[str]) -> None:
        raise ModuleNotFoundError("No module named 'accelerate.gone'", name="accelerate.gone")

    monkeypatch.setattr(command, "run", run)
    with pytest.raises(ModuleNotFoundError):
        train.main(["dasheng_tiny"])


def test_interrupted_before_there_is_a_state(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(words: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", run)
    assert ended("dasheng_tiny") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_processes_let_the_main_one_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(train.time, "sleep", waits.append)
    monkeypatch.setenv("RANK", "0")
    assert ended("nothing.yaml") == 2
    assert waits == []
    monkeypatch.setenv("RANK", "1")
    assert ended("nothing.yaml") == 2
    assert waits == [train._PATIENCE]


def test_a_script_imports_from_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own folder holds names, like `config`, that others' modules have too."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "dasheng" / "train"), "elsewhere"])
    train._leave_folder()
    assert sys.path == [str(ROOT), "elsewhere"]
    monkeypatch.setattr(sys, "path", ["", "elsewhere"])
    train._leave_folder()
    assert sys.path == ["", "elsewhere"]
