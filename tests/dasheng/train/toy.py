"""A run of a few seconds, in processes of its own that do not import PyTorch anew each time."""

import json
import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
import yaml
from accelerate import DistributedType, FullyShardedDataParallelPlugin
from accelerate.state import AcceleratorState, PartialState

from dasheng.train.train import main
from tests.dasheng.train.shards_of import encoded, noise, shard

SAMPLES = 6400
STEPS = 24
SETTINGS: Mapping[str, Any] = {
    "model": "dasheng_tiny",
    "model_args": {
        "embed_dim": 16,
        "depth": 1,
        "num_heads": 2,
        "target_length": 40,
        "drop_rate": 0.1,
        "decoder": {"embed_dim": 16, "depth": 1, "num_heads": 2},
    },
    "chunk_length": SAMPLES / 16000,
    "batch_size": 2,
    "epochs": 3,
    "epoch_length": STEPS // 3,
    "optimizer": "AdamW",
    "optimizer_args": {"lr": 1e-3},
    "num_workers": 1,
    "crop_shuffle": 5,
    "augment": {"gain_db": [-6.0, 6.0]},
    "state_every": 2,
    "log_every": 1,
    "n_saved": 2,
    "trackers": [],
}

# What the log of a run says of the machine rather than of the training.
_CLOCK = {"audio_per_second", "seconds_left"}

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["dasheng.train.loop", "torch._dynamo", __name__])


def data(folder: Path) -> dict[str, list[str]]:
    """Shards of clips whose crops all begin with the clip's own number / 1024."""
    numbers = iter(range(1, 100))
    for name, clips in (("a", 9), ("b", 8), ("cv", 5)):
        members = {}
        for number in (next(numbers) for _ in range(clips)):
            audio = noise((1 + number % 3) * SAMPLES, seed=number)
            audio[::SAMPLES] = number / 1024
            members[f"{number}.flac"] = encoded(audio)
        shard(folder / f"{name}.tar", members)
    return {"train_data": [f"{folder}/{{a,b}}.tar"], "cv_data": [f"{folder}/cv.tar"]}


def write(file: Path, folder: Path, **changes: Any) -> str:
    """A configuration of the data in a folder; its runs go where the file is."""
    shards = {"train_data": [f"{folder}/{{a,b}}.tar"], "cv_data": [f"{folder}/cv.tar"]}
    settings = {**SETTINGS, **shards, "outputpath": str(file.parent / "runs"), **changes}
    file.write_text(yaml.safe_dump(settings))
    return str(file)


class Started:
    """`python -m dasheng.train` with these words, as one of `world` processes."""

    def __init__(
        self,
        output: Path,
        words: list[str],
        *,
        place: Mapping[str, str] | None = None,
        sharded: bool = False,
        file_size: int | None = None,
    ) -> None:
        self.output = output
        self.process: BaseProcess = _processes.Process(
            target=_run, args=(str(output), words, dict(place or {}), sharded, file_size)
        )
        self.process.start()

    def wait(self) -> int | None:
        """The exit code."""
        self.process.join(240)
        if self.process.is_alive():
            self.process.kill()
            raise AssertionError(f"does not end: {self.output.read_text()}")
        return self.process.exitcode

    def signal(self, number: int) -> None:
        """Send it to this process alone."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is to be seen, or the process has ended."""
        end = time.monotonic() + 240
        while self.process.is_alive() and not seen():
            assert time.monotonic() < end, self.output.read_text()
            time.sleep(0.001)

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()


def together(output: Path, words: list[str], *, sharded: bool = False) -> list[Started]:
    """Two processes that know of each other, as torchrun starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    return [
        Started(
            output.with_suffix(f".{rank}"),
            words,
            place={**common, "MASTER_PORT": port, "RANK": rank, "LOCAL_RANK": rank},
            sharded=sharded,
        )
        for rank in ("0", "1")
    ]


def run_folder(file: str) -> Path:
    """The one run of a configuration."""
    (folder,) = (Path(file).parent / "runs").glob("*/*/*/")
    return folder


def steps_logged(file: str) -> int:
    """The last step in the log of the one run of a configuration; 0 before there is any."""
    logs = list((Path(file).parent / "runs").glob("*/*/*/log.jsonl"))
    return sum('"train"' in line for line in logs[0].read_text().splitlines()) if logs else 0


def log_of(folder: Path) -> list[dict[str, Any]]:
    """The records of a log, without what differs from run to run."""
    records = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [{k: x for k, x in record.items() if k not in _CLOCK} for record in records]


def _run(
    output: str, words: list[str], place: dict[str, str], sharded: bool, file_size: int | None
) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(place)
    multiprocessing.set_start_method("fork", force=True)
    torch.set_num_threads(1)
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    if sharded:
        with _sharded():
            main(words)
    else:
        main(words)


@contextmanager
def _sharded() -> Iterator[None]:
    """FSDP2 on CPUs, which PyTorch has and Accelerate keeps to accelerators."""
    plain = AcceleratorState.__init__

    def with_plugin(self: AcceleratorState, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        if "fsdp_plugin" not in self.__dict__:
            self.__dict__["fsdp_plugin"] = FullyShardedDataParallelPlugin(fsdp_version=2)
            self.__dict__["distributed_type"] = DistributedType.FSDP
            PartialState._shared_state["distributed_type"] = DistributedType.FSDP

    AcceleratorState.__init__ = with_plugin
    try:
        yield
    finally:
        AcceleratorState.__init__ = plain
