"""Training steps: the matrix ceiling, ours, the published trainer's; and what feeding them costs.

    PEERS_PYTHON=… PUBLISHED_TRAINER=… python -m tests.bench.training [pairs]

A step is forward, backward and AdamW on crops of 10 s, of which 62 of 250 tokens are kept. The
published trainer is in no package: PUBLISHED_TRAINER is the folder `dasheng/train` of a checkout
of its repository (without it, ours alone is timed). Its model and the body of its loop run as they
are, but with as many threads as ours: its own command sets one.

Two floors stand beside the times: the products of a step (backward counts twice) at the machine's
ceiling, and the bytes that AdamW reads and writes at its bandwidth. On CUDA blocks are compiled,
as the trainer does; 1.2B computes its activations again, which is no part of its floor.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tabulate import tabulate
from torch import Tensor

from dasheng.blocks import EncoderConfig
from dasheng.mae import MaskedAutoencoder
from dasheng.train import model, optimizer
from dasheng.train.batches import TrainingBatches
from dasheng.train.config import TrainConfig
from tests.bench.encoder import DTYPES, flop
from tests.bench.measure import ceiling, pairs, seconds
from tests.dasheng.train.shards_of import encoded, noise, shard

SECONDS = 10
PEER = Path(__file__).with_name("peer.py")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
WORKERS = {"cpu": 2, "cuda": 8}[DEVICE]


@dataclass(frozen=True)
class Job:
    """What is timed: `steps` in a row, so that a GPU does not wait for each."""

    model: str
    precision: str
    clips: int
    steps: int = 1


JOBS = {
    "cpu": [Job("dasheng_base", precision, 8) for precision in DTYPES],
    "cuda": [Job("dasheng_base", "bf16", 128, 10), Job("dasheng_12B", "bf16", 32, 5)],
}[DEVICE]


class Ours:
    """The trainer's model and optimiser, and a step with them as its loop takes it."""

    def __init__(self, job: Job) -> None:
        settings = {"model": job.model, "model_args": {"group_masking": True}}
        config = TrainConfig(train_data=("none.tar",), optimizer="AdamW", **settings)
        torch.manual_seed(0)
        self.job = job
        self.model = model.build(config).to(DEVICE).train()
        self.optimizer = optimizer.build(self.model.parameters(), config, DEVICE)
        if DEVICE == "cuda":
            for block in (*self.model.encoder.blocks, *self.model.decoder.blocks):
                block.compile()
        self.audio = 0.1 * torch.randn(job.clips, SECONDS * 16000, device=DEVICE)

    def step(self, audio: Tensor) -> None:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=self.job.precision == "bf16"):
            loss = self.model(audio.to(DEVICE, non_blocking=True))
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def run(self, batch: Callable[[], Tensor]) -> None:
        for _ in range(self.job.steps):
            self.step(batch())
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    def from_memory(self) -> None:
        self.run(lambda: self.audio)


def step_flop(autoencoder: MaskedAutoencoder, tokens: int) -> float:
    """Products of one clip, forward and backward; what is removed never enters the encoder."""
    encoder, decoder = autoencoder.encoder.config, autoencoder.decoder
    width, block = decoder.input_proj.out_features, decoder.blocks[0]
    heads = block.attn.num_heads
    shape = EncoderConfig(embed_dim=width, depth=len(decoder.blocks), num_heads=heads)
    kept = int(tokens * (1 - autoencoder.mask_ratio))
    # The decoder's last layer is as large as patches embedded with its width.
    forward = flop(encoder, kept) + flop(shape, tokens) + 2 * kept * encoder.embed_dim * width
    return 3 * forward


def optimizer_bytes(autoencoder: MaskedAutoencoder) -> int:
    """AdamW reads weight, gradient and two moments, and writes all but the gradient: 7 floats."""
    return 7 * 4 * sum(parameter.numel() for parameter in autoencoder.parameters())


def bandwidth() -> float:
    """Bytes a second, read and written, of a copy too large for a cache: best of a few."""
    source = torch.zeros(2**27, device=DEVICE)
    target = torch.ones_like(source)

    def copy() -> None:
        target.copy_(source)
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    copy()
    return 2 * source.nbytes / min(seconds(copy) for _ in range(5))


@contextmanager
def published(job: Job) -> Iterator[Callable[[], object] | None]:
    """The published trainer in its environment, started and warm; None where it is not to be had.

    A call takes its steps.
    """
    if not os.environ.get("PUBLISHED_TRAINER"):
        yield None
        return
    python = str(Path(os.environ["PEERS_PYTHON"]).absolute())
    source = Path(os.environ["PUBLISHED_TRAINER"]).absolute()
    words = [PEER, "train", source, job.model, job.precision, job.clips, job.steps]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [python, *map(str, words)]
    with subprocess.Popen(command, **pipes) as peer:  # type: ignore[call-overload]
        if peer.stdout.readline() != "ready\n":
            raise RuntimeError("the published trainer did not start")

        def steps() -> None:
            peer.stdin.write("\n")
            peer.stdin.flush()
            peer.stdout.readline()

        yield steps
        peer.stdin.close()


def compare(job: Job, n: int) -> list[str]:
    """A row: ours and the published in turns, between their floors."""
    ours = Ours(job)
    ours.from_memory()
    with published(job) as theirs:
        if theirs is None:
            took = sorted(seconds(ours.from_memory) for _ in range(n))[n // 2] / job.steps
            peer = ["no PUBLISHED_TRAINER", ""]
        else:
            timed = pairs(ours.from_memory, theirs, n)
            took = timed.a / job.steps
            peer = [f"{timed.b / job.steps:.3f}", f"{timed.ratio:.2f}"]
    rate = ceiling(DTYPES[job.precision], device=DEVICE)
    floor = job.clips * step_flop(ours.model, 25 * SECONDS) / rate / 1e9
    moved = optimizer_bytes(ours.model)
    moving = moved / bandwidth()
    return [
        *(job.model, job.precision, str(job.clips), f"{rate:.0f}", f"{floor:.3f}"),
        *(f"{moved / 1e9:.1f}", f"{moving:.3f}", f"{took:.3f}", f"{floor / took:.2f}"),
        *(f"{(floor + moving) / took:.2f}", *peer, f"{job.clips * SECONDS / took:.0f}"),
    ]


def write_shards(folder: Path, rate: int, channels: int) -> str:
    """Eight shards of 12 files of 12 s, FLAC; noise, which takes the longest to decode."""
    audio = noise(12 * rate * channels).reshape(-1, channels)
    file = encoded(audio, rate)
    for number in range(8):
        shard(folder / f"{rate}_{number}.tar", {f"{n}.flac": file for n in range(12)})
    return f"{folder}/{rate}_{{0..7}}.tar"


def feed(job: Job, shards: str, what: str, n: int) -> list[str]:
    """A row: steps from a constant batch and from the loader in turns, then the loader alone."""
    ours = Ours(job)
    config = TrainConfig(train_data=(shards,), batch_size=job.clips, num_workers=WORKERS)
    batches = TrainingBatches(config)
    try:
        ours.run(partial(next, batches))
        timed = pairs(ours.from_memory, lambda: ours.run(partial(next, batches)), n)
        for _ in range(2 * WORKERS):  # what lies ready
            next(batches)
        count = 3 * WORKERS
        alone = seconds(lambda: [next(batches) for _ in range(count)]) / count
    finally:
        batches.close()
    memory, loader = timed.a / job.steps, timed.b / job.steps
    return [
        *(job.model, job.precision, what, str(WORKERS), f"{1 / memory:.2f}", f"{1 / loader:.2f}"),
        *(f"{1 / timed.ratio:.2f}", f"{1 / alone:.1f}", f"{job.clips * SECONDS / alone:.0f}"),
    ]


def main() -> None:
    """Print a row per model and precision, then one per kind of data."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    heads = ["model", "precision", "clips", "ceiling GFLOP/s", "floor s", "AdamW GB", "its s"]
    heads += ["ours s", "of ceiling", "of both", "published s", "published / ours", "audio-s/s"]
    print(f"training, {SECONDS} s, {DEVICE}, {torch.get_num_threads()} threads")
    print(tabulate([compare(job, n) for job in JOBS], heads, disable_numparse=True))
    with tempfile.TemporaryDirectory() as name:
        kinds = {"16 kHz": (16000, 1), "44.1 kHz stereo": (44100, 2)}
        rows = [
            feed(JOBS[0], write_shards(Path(name), *kind), what, n) for what, kind in kinds.items()
        ]
    heads = ["model", "precision", "flac", "workers", "steps/s from memory", "from the loader"]
    heads += ["loader / memory", "loader alone", "its audio-s/s"]
    print("feeding")
    print(tabulate(rows, heads, disable_numparse=True))


if __name__ == "__main__":
    main()
