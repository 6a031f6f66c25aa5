"""`hear2021` beside heareval 2021.1.3 on the same embeddings: scores, their spread, and time.

    HEAREVAL_PYTHON=… HARNESS_DATA=… python -m tests.bench.hear2021 [seeds] [case …]

HEAREVAL_PYTHON is a Python 3.8 with heareval; without it ours runs alone. HARNESS_DATA holds fsdd
and esc10 (the folder `data/` by default). With HEAREVAL_RUNS=DIR heareval's runs stay in DIR and
are not repeated: five seeds of all cases take it an hour and a half on one core. Processor times
tell more than the wall's where others use the machine too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from harness import event_scores, metrics
from harness.events import Events, detect
from harness.problem import Fold
from harness.protocols import hear2021
from harness.scoring import score
from tests.bench import hear_embeddings
from tests.bench.hear_cases import CASES, Case
from tests.bench.measure import seconds

PEER = Path(__file__).with_name("heareval_peer.py")
WIDTHS = (6, 8, 28, 6, 6, 0)
SEEDS = (42, 1, 2, 3, 4)  # 42 is heareval's own
MISSING = (
    "HEAREVAL_PYTHON is not set, so ours runs alone; for the comparison: in a Python 3.8 "
    "environment, pip install heareval==2021.1.3 torch==1.12.1 pytorch-lightning==1.9.5 "
    "torchmetrics==0.11.4 tensorflow==2.7.4 numpy==1.19.2 numba==0.48.0 pandas==1.4.4 "
    "protobuf==3.19.6 setuptools==59.8.0 sed-eval==0.2.1"
)


@dataclass(frozen=True)
class Run:
    """One whole evaluation: mean test score over folds, the head chosen, time it took in s."""

    score: float
    chosen: str
    wall: float
    processor: float


def ours(case: Case, seed: int) -> Run:
    """Our protocol, from the embeddings to the answers."""
    found: list[Any] = []
    problem = replace(case.problem, seed=seed)
    busy = time.process_time()
    wall = seconds(lambda: found.append(hear2021.solve(problem, strict=False)))
    busy = time.process_time() - busy
    (outcome,) = found
    per_fold = score(problem, outcome, [], seed=0).per_fold[problem.metric]
    point = outcome.selection["chosen"][0]
    chosen = _point(point["hidden_layers"], point["lr"], point["initialization"])
    return Run(float(np.mean(per_fold)), chosen, wall, busy)


def theirs(case: Case, seed: int, runs: Path) -> tuple[Run, Path]:
    """heareval, from the embeddings on disk to its scores; and where it left them."""
    folder = (runs / f"{case.name}-{seed}").resolve()
    if not (folder / "peer.json").exists():
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was interrupted
        hear_embeddings.write(case, folder)
        python = str(Path(os.environ["HEAREVAL_PYTHON"]).absolute())
        command = [python, "-W", "ignore", str(PEER), str(folder), str(seed)]
        with (folder / "output.txt").open("w") as output:
            subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=True)
    found = json.loads((folder / "peer.json").read_text())
    primary = next(iter(case.metrics))
    scores = [found["test"][fold][f"test_{primary}"] for fold in _folds(case)]
    best = max(found["grid"], key=lambda point: point["score"])
    chosen = _point(best["layers"], best["lr"], best["initialisation"])
    run = Run(float(np.mean(scores)), chosen, found["seconds"], found["cpu_seconds"])
    return run, folder


def _point(layers: int, rate: float, initialisation: str) -> str:
    return f"{layers} {rate:g} {initialisation[0].upper()}"


def _folds(case: Case) -> dict[str, Fold]:
    """heareval's names of the folds: those of their test splits."""
    names = ["test"] if "test" in case.splits else list(case.splits)
    return dict(zip(names, case.problem.folds, strict=True))


def differences(case: Case, folder: Path) -> Iterator[tuple[str, float]]:
    """Our metrics on heareval's predictions: (name, distance from heareval's own score)."""
    scored = json.loads((folder / "peer.json").read_text())["test"]
    for name in _folds(case):
        arrays = np.load(folder / f"{name}.predictions.npz")
        if case.problem.moments is None:
            targets = arrays["target"].argmax(axis=1)
            found = metrics.compute_all(list(case.metrics.values()), targets, arrays["prediction"])
        else:
            truth, predicted, files = _told(case, folder / f"{name}.events.json")
            found = {
                metric: event_scores.compute(metric, truth, predicted, files)
                for metric in case.metrics.values()
            }
        for other, metric in case.metrics.items():
            told = scored[name][f"test_{other}"]
            same = np.array_equal(found[metric], told, equal_nan=True)  # two infinities too
            yield metric, 0.0 if same else abs(found[metric] - told)


def undetected(case: Case, folder: Path) -> int:
    """How many events only one of heareval and our `detect` finds in heareval's probabilities."""
    file = folder / "test.events.json"
    arrays = np.load(folder / "test.predictions.npz")
    post = dict(json.loads((folder / "peer.json").read_text())["test"]["postprocessing"])
    names = [name for name, _ in json.loads((folder / "test.filename-timestamps.json").read_text())]
    starts = np.flatnonzero([a != b for a, b in zip([None, *names], names, strict=False)])
    mine = detect(arrays["prediction"], np.append(starts, len(names)), arrays["timestamp"], **post)
    told = json.loads(file.read_text())["predicted_events"]
    here, there = set(), set()
    columns = (mine.clip, mine.label, mine.start, mine.end)
    for clip, label, start, end in zip(*(column.tolist() for column in columns), strict=True):
        here.add((names[starts[clip]], case.classes[label], start, end))
    for name, events in told.items():
        there |= {(name, event["label"], event["start"], event["end"]) for event in events}
    return len(here ^ there)


def _told(case: Case, file: Path) -> tuple[Events, Events, int]:
    """Reference and predicted events as heareval tells them, and how many files there are."""
    told = json.loads(file.read_text())
    position = {name: i for i, name in enumerate(case.classes)}
    both = [
        Events.of(
            [
                [(position[e["label"]], e["start"], e["end"]) for e in told[kind][name]]
                for name in told["predicted_events"]
            ]
        )
        for kind in ("target_events", "predicted_events")
    ]
    return both[0], both[1], len(told["predicted_events"])


def _spread(runs: list[Run]) -> str:
    scores = 100 * np.array([run.score for run in runs])
    if len(scores) == 1:
        return f"{scores[0]:.2f}"
    return f"{scores.mean():.2f} ± {scores.std(ddof=1):.2f} ({scores.min():.2f}–{scores.max():.2f})"


def _chosen(runs: list[Run]) -> str:
    names = [run.chosen for run in runs]
    return ", ".join(f"{name} ×{names.count(name)}" for name in dict.fromkeys(names))


def _row(case: Case, who: str, runs: list[Run]) -> list[str]:
    wall, processor = (
        f"{np.median([getattr(run, kind) for run in runs]):.0f}" for kind in ("wall", "processor")
    )
    return [case.name, who, _spread(runs), wall, processor, _chosen(runs)]


def rows(case: Case, seeds: tuple[int, ...], runs: Path) -> Iterator[list[str]]:
    """Yield a row for ours and, with heareval, one for theirs and one for the agreement."""
    yield _row(case, "ours", mine := [ours(case, seed) for seed in range(len(seeds))])
    if "HEAREVAL_PYTHON" not in os.environ:
        return
    both = [theirs(case, seed, runs) for seed in seeds]
    yield _row(case, "heareval", other := [run for run, _ in both])
    faster = np.median([run.wall for run in other]) / np.median([run.wall for run in mine])
    apart = max(distance for _, folder in both for _, distance in differences(case, folder))
    note = f"{faster:.1f} × as fast; our metrics on heareval's predictions: {apart:.0e} apart"
    if case.problem.moments is not None:
        unlike = sum(undetected(case, folder) for _, folder in both)
        note += f"; events that only one of us finds in its probabilities: {unlike}"
    yield [case.name, "", note]


def main() -> None:
    """Print the rows of every case, as soon as they are there."""
    data = Path(os.environ.get("HARNESS_DATA", "data"))
    if not data.is_dir():
        sys.exit(f"expected fsdd and esc10 in {data}, found no folder; set HARNESS_DATA")
    seeds = SEEDS[: int(sys.argv[1]) if len(sys.argv) > 1 else 1]
    if "HEAREVAL_PYTHON" not in os.environ:
        print(MISSING)
    heads = ["case", "", "test score, %", "wall s", "CPU s", "chosen: layers, rate, init"]
    with tempfile.TemporaryDirectory() as name:
        runs = Path(os.environ.get("HEAREVAL_RUNS", f"{name}/runs"))
        made = (CASES[each](data, Path(name)) for each in sys.argv[2:] or CASES)
        for cells in chain([heads], chain.from_iterable(rows(case, seeds, runs) for case in made)):
            line = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False))
            print("  ".join(line).rstrip(), flush=True)


if __name__ == "__main__":
    main()
