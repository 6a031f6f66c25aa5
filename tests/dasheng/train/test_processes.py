"""Two processes: started by the real launcher, stopped, gone on with, and sharing out the model."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dasheng import checkpoint
from tests.dasheng.train import launched, toy


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    toy.data(folder)
    return folder


def done(processes: list[toy.Started]) -> None:
    assert [process.wait() for process in processes] == [0, 0], [p.lines for p in processes]


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of two processes that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    file = toy.write(folder / "toy.yaml", data)
    done(toy.together(folder / "out", [file]))
    return toy.run_folder(file)


def test_accelerate_launch_on_cpus_shares_out_the_data(data: Path, tmp_path: Path) -> None:
    file = toy.write(tmp_path / "toy.yaml", data, augment={}, epochs=1, epoch_length=20)
    launcher = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--cpu"]
    run = subprocess.run(
        [*launcher, "--num_processes", "2", launched.__file__, file],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr

    def fed(kind: str) -> list[set[int]]:
        return [set(map(int, (tmp_path / f"{kind}.{rank}").read_text().split())) for rank in "01"]

    first, second = fed("train")
    assert len(first) > 3
    assert len(second) > 3
    assert not first & second
    first, second = fed("valid")  # five clips: not as many for one as for the other
    assert not first & second
    assert first | second == {18, 19, 20, 21, 22}
    (valid,) = [r for r in toy.log_of(toy.run_folder(file)) if r["kind"] == "valid"]
    assert valid["crops"] == sum(1 + number % 3 for number in range(18, 23))
    lines = [line for line in run.stderr.splitlines() if line.startswith("step ")]
    assert len(lines) == 21  # said once, by the main process
    encoder = checkpoint.load(toy.run_folder(file) / "last.safetensors")
    assert encoder.config.embed_dim == 16


def test_one_process_asked_to_stop_stops_both_and_they_go_on(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    file = toy.write(tmp_path / "toy.yaml", data, state_every=1000)
    processes = toy.together(tmp_path / "out", [file])
    processes[1].until(lambda: toy.steps_logged(file) >= 2)
    processes[1].signal(signal.SIGINT)
    done(processes)
    assert processes[0].lines[-1].startswith("stopped at step ")
    assert processes[1].lines == []
    done(toy.together(tmp_path / "out", [file, "--resume"]))
    folder = toy.run_folder(file)
    for name in ("last", "averaged"):
        one, other = (run / f"{name}.safetensors" for run in (folder, whole))
        assert one.read_bytes() == other.read_bytes()
    assert toy.log_of(folder) == toy.log_of(whole)


def test_a_model_that_is_shared_out_is_trained_kept_and_resumed_as_a_whole_one(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    """FSDP2 over gloo, against DDP: the same encoder, under the same names."""
    file = toy.write(tmp_path / "toy.yaml", data, state_every=1000)
    processes = toy.together(tmp_path / "out", [file], sharded=True)
    processes[0].until(lambda: toy.steps_logged(file) >= 2)
    processes[0].signal(signal.SIGTERM)
    done(processes)
    folder = toy.run_folder(file)
    assert len(list(folder.glob("states/step_*/optimizer_0/*.distcp"))) == 2  # a part of each
    done(toy.together(tmp_path / "out", [file, "--resume"], sharded=True))
    got, expected = (load_file(run / "last.safetensors") for run in (folder, whole))
    assert got.keys() == expected.keys()
    for name, x in expected.items():
        assert (got[name] - x).abs().max() <= 1e-4 * max(1.0, x.abs().max()), name
    checkpoint.load(folder / "averaged.safetensors")


def test_another_number_of_processes_does_not_go_on(whole: Path, tmp_path: Path) -> None:
    words = [str(whole / "config.yaml"), "--resume", str(whole)]
    run = toy.Started(tmp_path / "out", words)
    assert run.wait() == 2
    (error,) = run.lines
    assert "expected 2 processes as in the run so far, found 1" in error
