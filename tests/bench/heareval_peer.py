"""Runs in heareval's own environment (heareval 2021.1.3, Python 3.8): imports nothing of ours.

    python heareval_peer.py FOLDER SEED

FOLDER holds a task's embeddings as `heareval.embeddings` leaves them. The whole prediction runner
is called on it, untouched but for two things. SEED seeds torch after heareval has seeded all with
42, so that the grid's order stays and the weights and dropout differ (42: all as published). And
the epoch that heareval sets before it tests is made to count: since PyTorch Lightning 1.6 it is
an attribute that nothing reads, and the test of an event task ends with a KeyError.

Leaves FOLDER/peer.json (scores, grid, times) and FOLDER/{fold}.predictions.npz, and for events
FOLDER/{fold}.events.json.
"""

import json
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch
from heareval.predictions import task_predictions
from heareval.predictions.runner import runner
from pytorch_lightning.loops import FitLoop


def seed_all_but_torch(seed):
    """Make heareval's seeding leave torch with another seed."""
    everything = task_predictions.seed_everything

    def seeded(*arguments, **options):
        everything(*arguments, **options)
        torch.manual_seed(seed)

    task_predictions.seed_everything = seeded


def set_epoch(loop, epoch):
    """What setting `fit_loop.current_epoch` did when heareval was written."""
    loop.epoch_progress.current.completed = epoch


def grid(log):
    """The grid points that a log tells of: validation score, epoch, layers, lr, initialisation."""
    points = []
    for line in log.splitlines():
        _, found, result = line.partition("  result: ")
        if not found:
            continue
        score, epoch, conf, postprocessing = json.loads(result)
        initialisation = "normal" if "normal_" in conf["initialization"] else "uniform"
        point = {"score": score, "epoch": epoch, "layers": conf["hidden_layers"], "lr": conf["lr"]}
        points.append(dict(point, initialisation=initialisation, post=dict(postprocessing)))
    return points


def unpack(folder):
    """Write what heareval predicted in formats that need no torch to be read."""
    for file in folder.glob("*.predictions.pkl"):
        fold = file.name.split(".")[0]
        found = pickle.loads(file.read_bytes())
        arrays = {name: each.numpy() for name, each in found.items() if torch.is_tensor(each)}
        np.savez(folder / f"{fold}.predictions.npz", **arrays)
        events = {name: each for name, each in found.items() if name.endswith("_events")}
        if events:
            (folder / f"{fold}.events.json").write_text(json.dumps(events))


def main():
    folder, seed = Path(sys.argv[1]).absolute(), int(sys.argv[2])
    if seed != 42:
        seed_all_but_torch(seed)
    FitLoop.current_epoch = property(fset=set_epoch)
    start, busy = time.perf_counter(), time.process_time()
    runner.main([str(folder)], standalone_mode=False)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - busy
    unpack(folder)
    found = {
        "seed": seed,
        "threads": torch.get_num_threads(),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "grid": grid((folder / "prediction.log").read_text()),
        "test": json.loads((folder / "test.predicted-scores.json").read_text()),
    }
    (folder / "peer.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
