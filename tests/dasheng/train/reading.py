"""Processes that read batches until a signal comes, for a test of how they and their workers end.

They are forked one after the other, so that PyTorch is imported once, and end as any interpreter
does. Takes the shards as its argument and, from its input, a line for each process: how it ends and
where its output goes. Prints the process's number, then its exit code.
"""

import json
import os
import signal
import sys
import time

from torch.utils.data._utils import worker

from dasheng.train.batches import TrainingBatches
from dasheng.train.config import TrainConfig

worker.MP_STATUS_CHECK_INTERVAL = 0.2  # s; how often a worker looks for its parent, else 5


def read(shards: str, how: str) -> None:
    config = TrainConfig(
        train_data=(shards,), num_workers=2, batch_size=4, chunk_length=0.1, crop_shuffle=10
    )
    batches = TrainingBatches(config)
    next(batches)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):  # after the workers are there: it is not theirs
        signal.signal(number, lambda number, _: asked.append(number))
    left = 20  # batches after the signal
    for step, _ in enumerate(batches):
        if step == 3:
            print("running", flush=True)
        left -= bool(asked)
        if not left:
            break
        time.sleep(0.005)
    if how == "fail":
        raise RuntimeError("fails")
    batches.close()
    print("ended", flush=True)


def main() -> None:
    for line in sys.stdin:
        how, output = json.loads(line)
        child = os.fork()
        if not child:
            os.setsid()
            file = os.open(output, os.O_WRONLY | os.O_CREAT)
            os.dup2(file, 1)
            os.dup2(file, 2)
            read(sys.argv[1], how)
            return
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
