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
import importlib.util, os, signal, sys, time
from tasks.errors import UserError
spec = importlib.util.spec_from_file_location("companions", "dasheng/train/companions.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
try:
    with module.companions():
        rank = os.environ.get("RANK", "alone")
        print(rank, os.environ.get("WORLD_SIZE"), flush=True)
        if rank != "alone":
            THEN[rank]()
except UserError as error:
    print(error)
"""


def shown(
    environment: dict[str, str], *words: str, then: str = "{'0': int, '1': int, '2': int}"
) -> subprocess.CompletedProcess[str]:
    """What the processes print under a launcher with these words, by what each does `then`."""
    inner = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[-2:]]))"
    return subprocess.run(
        [sys.executable, "-c", inner, *words, "-c", SHOW.replace("THEN", then)],
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


def ended(main: str, other: str) -> subprocess.CompletedProcess[str]:
    """Two processes, one of which begins when the other is doing what it does."""
    raised = f"(_ for _ in ()).throw({main})"
    then = f"{{'0': lambda: (time.sleep(0.5), {raised}), '1': lambda: {other}}}"
    return shown(LAUNCHED, "--num_processes", "2", then=then)


def test_the_code_of_one_that_failed_is_the_code_of_all() -> None:
    run = ended("RuntimeError('gloo: Connection closed by peer')", "sys.exit(3)")
    assert run.returncode == 3
    assert "Connection" not in run.stderr


def test_one_that_was_killed_is_told() -> None:
    run = ended("RuntimeError('gloo: Connection closed by peer')", "os.kill(os.getpid(), 9)")
    assert run.stdout.splitlines()[-1] == (
        "expected process 1 of 2 to train to the end, it was ended by SIGKILL; "
        "is there memory for so many?"
    )


def test_the_main_ones_own_fault_is_its_own_to_tell() -> None:
    run = ended("RuntimeError('shapes differ')", "(time.sleep(1), sys.exit(3))")
    assert run.returncode == 1
    assert run.stderr.endswith("RuntimeError: shapes differ\n")


def test_one_that_cannot_be_asked_to_end_is_killed() -> None:
    deaf = "(signal.signal(signal.SIGTERM, signal.SIG_IGN), time.sleep(100), print('awake'))"
    run = ended("setattr(module, 'PATIENCE', 1.0) or UserError('a mistake')", deaf)
    assert run.stdout.splitlines()[-1] == "a mistake"
    assert "awake" not in run.stdout


def test_the_others_end_with_a_main_one_that_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    other = f"(open({str(pid)!r}, 'w').write(str(os.getpid())), time.sleep(1000))"
    main = f"[time.sleep(0.01) for _ in iter(lambda: os.path.exists({str(pid)!r}), True)]"
    then = f"{{'0': lambda: ({main}, os.kill(os.getpid(), 9)), '1': lambda: {other}}}"
    shown(LAUNCHED, "--num_processes", "2", then=then)
