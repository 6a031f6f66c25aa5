"""The size of VoxCeleb1 and NSynth: time and peak memory against the number of clips.

    python -m tests.bench.scale [whole]

`clips`: many small clips in a tar, through prepare, embed and knn to a record, embeddings as wide
as those of the 1.2B; then prepared and embedded again. A tenth is tested: knn is their product.
`bank`: knn and all that a record says of it, against 300,000 embeddings of 768 numbers and, as
in VoxCeleb1, 1251 classes. Each row is a process of its own; peak is its resident memory, with
PyTorch and what is measured in it. The floor is the products, 2 · queries · bank · 768, at this
machine's own rate. Without `whole` a thirtieth is measured: what is whole takes half an hour.
"""

import io
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import soundfile
from torch import Tensor
from torch.nn import Module

from harness import intervals, metrics
from harness.cache import Cache
from harness.embed import embed
from harness.encoder import load
from harness.encoders import melspec
from harness.problem import Fold, Problem
from harness.protocols import knn
from harness.runner import Plan, measure, prepared
from tests.bench import scale_index
from tests.bench.harness import Silent
from tests.bench.measure import ceiling, seconds

CLIPS = (76_500, 153_000, 306_000)
QUERIES = (75_000, 150_000, 300_000)
BANK, D, CLASSES = 300_000, 768, 1251
RATE, SAMPLES = 16_000, 4_000  # clips of a quarter of a second
TIMES = 24  # 64 numbers of melspec are 1536
ROWS = 10_000  # embeddings made at once


def write(folder: Path, clips: int) -> None:
    """A tar of clips that all differ: a tone that belongs to the class, in noise."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    time = np.arange(SAMPLES) / RATE
    tones = [np.sin(2 * np.pi * 200 * 1.3**n * time) for n in range(scale_index.CLASSES)]
    with tarfile.open(folder / "set.tar", "w") as tar:
        for number in range(clips):
            label = number % scale_index.CLASSES
            file = io.BytesIO()
            sound = 0.1 * tones[label] + rng.normal(scale=0.1, size=SAMPLES)
            soundfile.write(file, sound, RATE, format="WAV", subtype="PCM_16")
            entry = tarfile.TarInfo(f"set/audio/synth_{label:02d}-{number:06d}.wav")
            entry.size = file.tell()
            file.seek(0)
            tar.addfile(entry, file)


class Wide(ModuleType):
    """melspec, its numbers repeated until an embedding is as wide as the 1.2B's."""

    @staticmethod
    def get_scene_embeddings(audio: Tensor, model: Module, lengths: Tensor | None = None) -> Tensor:
        return melspec.get_scene_embeddings(audio, model, lengths).repeat(1, TIMES)


def straight_line(folder: Path, clips: int) -> dict[str, float]:
    """From a tar to a record, from an empty cache; then the embeddings once more, from there."""
    plan = Plan(
        model="melspec",
        tasks=[],
        protocols=["knn"],
        data=folder,
        cache=folder / "cache",
        results=folder / "results",
        device="cpu",
    )
    task = replace(scale_index.task(clips, 1), footprint=4 * SAMPLES * clips)
    narrow = load("melspec", "cpu")
    encoder = replace(narrow, module=Wide("wide"), embedding_size=TIMES * narrow.embedding_size)
    (record,) = measure(encoder, task, plan, Silent())
    found = record["run"]["seconds"]

    def again() -> None:
        index = prepared(task, plan.data, plan.cache, Silent(), plan.download)
        embed(index, encoder, Cache(plan.cache), plan.settings, lambda *_: None)

    return {
        "prepare s": found["prepare"],
        "embed s": found["embed"],
        "knn s": found["fit"],
        "again s": seconds(again),
    }


def posed(queries: int) -> Problem:
    """Embeddings as encoders give them, made in place: means of classes, and noise around."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, CLASSES, BANK + queries)
    spectrum = np.arange(1, D + 1, dtype=np.float32) ** -0.5
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0].astype(np.float32)
    means = 0.3 * rng.standard_normal((CLASSES, D), dtype=np.float32)
    embeddings = np.empty((BANK + queries, D), np.float32)
    for start in range(0, len(embeddings), ROWS):
        rows = slice(start, start + ROWS)
        latent = means[targets[rows]]
        latent += rng.standard_normal(latent.shape, dtype=np.float32)
        embeddings[rows] = (latent * spectrum) @ turn + 0.5
    rows = np.arange(len(embeddings))
    return Problem(
        embeddings=embeddings,
        targets=targets,
        folds=(Fold("test", rows[:BANK], rows[:0], rows[BANK:]),),
        classes=CLASSES,
        metric="accuracy",
        device="cpu",
        seed=0,
    )


def bank(queries: int) -> dict[str, float]:
    """Search and vote, then what a record says of the scores."""
    problem = posed(queries)
    rate = ceiling()
    scores: list[np.ndarray] = []
    solved = seconds(lambda: scores.extend(knn.solve(problem).scores))
    targets = problem.targets[problem.folds[0].test]

    def said() -> None:
        found = metrics.compute_all(metrics.METRICS, targets, scores[0])
        influences = [metrics.influence("accuracy", targets, scores[0])]
        intervals.interval("accuracy", [found["accuracy"]], influences)
        metrics.floor("accuracy", problem.targets[:BANK], targets, CLASSES)

    return {
        "floor s": 2 * queries * BANK * D / rate / 1e9,
        "knn s": solved,
        "record s": seconds(said),
        "GFLOP/s": rate,
    }


def job(what: str, n: int) -> dict[str, float]:
    """One row, in this process."""
    if what == "bank":
        found = bank(n)
    else:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name) / "scale", n)
            found = straight_line(Path(name), n)
    return found | {"peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def apart(what: str, n: int) -> dict[str, float]:
    """One row, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.scale", what, str(n)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Print a row per size, as soon as it is measured."""
    share = 1 if "whole" in sys.argv else 30
    for what, sizes in (("clips", CLIPS), ("bank", QUERIES)):
        for number, n in enumerate(size // share for size in sizes):
            found = apart(what, n)
            if number == 0:
                heads = ["clips" if what == "clips" else "queries", *found]
                print("".join(head.rjust(11) for head in heads), flush=True)
            print(f"{n:11,}" + "".join(f"{value:11.2f}" for value in found.values()), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(job(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
