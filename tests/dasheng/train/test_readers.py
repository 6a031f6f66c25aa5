"""How workers end: told by their parent, with it, and never before it."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from torch.utils.data import _utils

from dasheng.train.batches import TrainingBatches
from dasheng.train.config import TrainConfig
from tests.dasheng.train.shards_of import constant, encoded, noise, shard

READING = Path(__file__).with_name("reading.py")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    file = tmp_path_factory.mktemp("shards") / "a.tar"
    shard(file, {f"{n}.flac": constant(n, 4800) for n in range(20)})
    with subprocess.Popen(
        [sys.executable, str(READING), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def started(
    reading: subprocess.Popen[str], how: str, output: Path
) -> tuple[psutil.Process, list[psutil.Process]]:
    """A process that reads batches, in a group of its own, and its workers."""
    assert reading.stdin is not None and reading.stdout is not None
    reading.stdin.write(json.dumps([how, str(output)]) + "\n")
    reading.stdin.flush()
    process = psutil.Process(int(reading.stdout.readline()))
    end = time.monotonic() + 60
    while not output.exists() or "running" not in output.read_text():
        assert process.is_running() and time.monotonic() < end
        time.sleep(0.01)
    workers = process.children()
    assert len(workers) == 2
    return process, workers


def code(reading: subprocess.Popen[str], process: psutil.Process) -> int:
    assert reading.stdout is not None
    try:
        process.wait(timeout=60)
    except psutil.TimeoutExpired:
        for left in (*process.children(), process):
            left.kill()
        raise
    finally:
        ended = int(reading.stdout.readline())
    return ended


@pytest.mark.parametrize(("number", "how"), [(signal.SIGTERM, "close"), (signal.SIGINT, "fail")])
def test_signals_to_the_group_leave_the_workers_to_the_parent(
    reading: subprocess.Popen[str], tmp_path: Path, number: signal.Signals, how: str
) -> None:
    output = tmp_path / "output"
    process, workers = started(reading, how, output)
    os.killpg(process.pid, number)
    ended, told = code(reading, process), output.read_text()
    if how == "close":
        assert (ended, told) == (0, "running\nended\n")
    else:
        assert ended == 1
        assert told.count("Traceback") == 1  # the parent's own
        assert told.endswith("RuntimeError: fails\n")
    assert not any(worker.is_running() for worker in workers)


def test_workers_do_not_outlive_a_parent_that_is_killed(
    reading: subprocess.Popen[str], tmp_path: Path
) -> None:
    process, workers = started(reading, "close", tmp_path / "output")
    process.kill()
    left = psutil.wait_procs(workers, timeout=30)[1]
    for worker in left:
        worker.kill()
    assert left == []
    assert code(reading, process) == -signal.SIGKILL


def test_a_worker_that_is_stuck_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_utils, "MP_STATUS_CHECK_INTERVAL", 0.2)  # s; else PyTorch waits for 5
    fast = shard(tmp_path / "fast.tar", {"a.wav": encoded(noise(1600), suffix="wav")})
    config = TrainConfig(
        train_data=(fast, "pipe:sleep 60"),
        num_workers=2,
        batch_size=1,
        chunk_length=0.1,
        crop_shuffle=10,
        resampled=False,
    )
    batches = TrainingBatches(config)
    next(batches)
    began = time.monotonic()
    batches.close()
    assert time.monotonic() - began < 12
    assert not multiprocessing.active_children()
