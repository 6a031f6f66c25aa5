"""The processes that `accelerate launch --cpu --num_processes N` leaves out.

With `--cpu` Accelerate leaves it to MPI to start processes; without an MPI host file it starts one,
without a word, and N is lost but for the launcher's own command line. So the one process reads it
there, starts the others as itself and becomes the main one. torchrun and MPI need none of this.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread

from tasks.errors import UserError

# What tells that whoever started this process has started the others too.
_STARTED = ("RANK", "LOCAL_RANK", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")

# Tells another process which one is the main one, and how often it looks for it, in seconds.
_MAIN = "DASHENG_MAIN_PROCESS"
_LOOK = 1.0

# What an error says of a connection to another process.
_LOST = re.compile("gloo|connection", re.IGNORECASE)

# Seconds in which the other processes end after the main one, and say why they failed.
PATIENCE = 20.0


@contextmanager
def companions() -> Iterator[None]:
    """Have the other processes run while this one does, where Accelerate did not start them.

    Raises:
        UserError: how many there should be cannot be known; or another was ended from outside.
        SystemExit: with the code of another process that failed, which has said why.
    """
    if main := os.environ.get(_MAIN):
        Thread(target=_end_with, args=(int(main),), daemon=True).start()
    count = _missing(os.environ)
    os.environ.update(_place(0, count))
    here = str(os.getpid())
    others = [
        subprocess.Popen(sys.orig_argv, env={**os.environ, **_place(rank, count), _MAIN: here})
        for rank in range(1, count)
    ]
    try:
        yield
    except BaseException as error:
        if isinstance(error, RuntimeError) and _LOST.search(str(error)):
            _blame(others)
        for other in others:  # which have met the same, or wait for this one: it speaks for all
            other.terminate()
        raise
    finally:
        for other in others:
            _ended(other)


def _missing(environment: Mapping[str, str]) -> int:
    """How many processes to run as: 1 where the others have been started, or there are none."""
    launched = environment.get("ACCELERATE_USE_CPU", "").lower() in ("true", "1")
    # Accelerate sets the address only where it was asked for more than one process.
    if not launched or "MASTER_ADDR" not in environment or {*_STARTED} & environment.keys():
        return 1
    try:
        words = Path(f"/proc/{os.getppid()}/cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        words = []
    options = dict(pairwise(words)) | dict(
        word.split("=", 1) for word in words if word.startswith("--num") and "=" in word
    )
    named = {name.replace("-", "_"): value for name, value in options.items()}
    count, machines = named.get("__num_processes", ""), named.get("__num_machines", "1")
    if not count.isdecimal() or machines != "1":
        raise UserError(
            "expected accelerate launch --cpu --num_processes N on one machine, found another "
            "way to ask for several processes on the CPU; start them with torchrun or MPI"
        )
    return int(count)


def _place(rank: int, count: int) -> dict[str, str]:
    """What tells a process which of them it is, as torchrun does."""
    if count == 1:
        return {}
    place = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    place |= {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    if rank == 0:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            place["MASTER_PORT"] = str(free.getsockname()[1])
    return place


def _end_with(main: int) -> None:
    """End as soon as the main process is gone: killed, it leaves the others waiting for hours."""
    while os.getppid() == main:
        time.sleep(_LOOK)
    os._exit(1)


def _blame(others: Sequence[subprocess.Popen[bytes]]) -> None:
    """End as the one did to which the connection was lost: its message is the one to read."""
    for rank, code in enumerate(map(_ended, others), start=1):
        if code < 0:
            raise UserError(
                f"expected process {rank} of {len(others) + 1} to train to the end, it was ended "
                f"by {signal.Signals(-code).name}; is there memory for so many?"
            ) from None
        if code:
            raise SystemExit(code) from None


def _ended(other: subprocess.Popen[bytes]) -> int:
    """The exit code of a process; 0 where it did not end by itself and had to be killed."""
    try:
        return other.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        other.kill()  # SIGTERM would be noted, and looked at after a step that never ends
        other.wait()
        return 0
