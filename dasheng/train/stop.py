"""Stopping when asked to: SIGTERM or Ctrl-C ends a run after the step it is at, on all processes.

Every process has to leave the loop at the same step, or the rest wait for it for ever. So each step
begins with a vote, over gloo even where the model's tensors travel over NCCL: it is counted on the
CPU, and the device goes on with what it has been given.
"""

from __future__ import annotations

import signal
from datetime import timedelta
from types import FrameType, TracebackType
from typing import Any

import torch
import torch.distributed as dist

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# The main process may take long over an evaluation while the others wait to vote.
PATIENCE = timedelta(hours=6)


class Stop:
    """A context in which SIGTERM and SIGINT are noted, and asked for by `agreed`.

    `asked` is whether this process was asked; others may not have been.

    A launcher passes a Ctrl-C on that its processes have had already, so that a second signal does
    not end them; a process on its own is ended by it, say where the data do not come.
    """

    def __init__(self) -> None:
        self.asked = False
        several = dist.is_initialized() and dist.get_world_size() > 1
        self._voters = dist.new_group(backend="gloo", timeout=PATIENCE) if several else None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def agreed(self) -> bool:
        """Whether any process was asked to stop; the same answer on all, which wait here."""
        if self._voters is None:
            return self.asked
        votes = torch.tensor(int(self.asked))
        dist.all_reduce(votes, dist.ReduceOp.MAX, group=self._voters)
        return bool(votes)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked and self._voters is None:
            raise KeyboardInterrupt
        self.asked = True
