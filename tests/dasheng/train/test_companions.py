"""Who starts the processes; that they train together is in test_processes.py."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# As Accelerate leaves it with `--cpu --num_processes 2`, but with a parent that says nothing.
LAUNCHED = {"ACCELERATE_USE_CPU": "True", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}

# The file alone, for the package imports PyTorch, which takes as long as all the rest.
SHOW = """
import importlib.util, os, sys
from tasks.errors import UserError
spec = importlib.util.spec_from_file_location("companions", "dasheng/train/companions.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
try:
    with module.companions():
        rank = os.environ.get("RANK", "alone")
        print(rank, os.environ.get("WORLD_SIZE"), flush=True)
        if FAIL:
            if rank == "1":
                sys.exit(3)
            raise RuntimeError("connection closed")
except UserError as error:
    print(error)
"""


def shown(
    environment: dict[str, str], *words: str, fail: bool = False
) -> subprocess.CompletedProcess[str]:
    """What the processes print under a launcher with these words."""
    inner = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[-2:]]))"
    return subprocess.run(
        [sys.executable, "-c", inner, *words, "-c", SHOW.replace("FAIL", str(fail))],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--cpu", "--num_processes", "2"], 2),
        (["--cpu", "--num-processes", "3"], 3),
        (["--cpu", "--num_processes=2"], 2),
        (["--cpu", "--num_processes", "1"], 1),
    ],
)
def test_as_many_are_started_as_the_launcher_was_asked_for(words: list[str], count: int) -> None:
    lines = shown(LAUNCHED, *words).stdout.splitlines()
    if count == 1:
        assert lines == ["alone None"]
    else:
        assert sorted(lines) == [f"{rank} {count}" for rank in range(count)]


@pytest.mark.parametrize(
    "environment",
    [{}, {"ACCELERATE_USE_CPU": "True"}, {**LAUNCHED, "RANK": "0", "WORLD_SIZE": "1"}],
)
def test_none_are_started_where_none_are_missing(environment: dict[str, str]) -> None:
    assert len(shown(environment, "--num_processes", "2").stdout.splitlines()) == 1


@pytest.mark.parametrize("words", [[], ["--num_processes", "4", "--num_machines", "2"]])
def test_what_cannot_be_known_is_told(words: list[str]) -> None:
    found = shown(LAUNCHED, *words).stdout
    assert found.startswith("expected accelerate launch --cpu --num_processes N on one machine")
    assert len(found.splitlines()) == 1


def test_the_code_of_one_that_failed_is_the_code_of_all() -> None:
    run = shown(LAUNCHED, "--num_processes", "2", fail=True)
    assert run.returncode == 3
    assert "connection closed" not in run.stderr
