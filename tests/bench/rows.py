"""Every row of the tables: seconds of audio per second, and memory, float32 and bf16.

    python -m tests.bench.rows [row…]

Random weights in the published architecture and form; clips of 10 s of noise, 8 in a batch, the
front end included. Each row and precision has a process of its own: its peak of memory is what
that process held at most, weights and loading included; on a GPU, what lay on the GPU.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from tabulate import tabulate

from dasheng.blocks import EncoderConfig
from dasheng.configuration import SIZES
from harness.encoder import embed_batch, load
from tests.bench.measure import seconds
from tests.dasheng.miniature import miniature, write_published
from tests.harness.encoders.rows import ROWS
from tests.harness.long_clip import peak

CLIPS, SECONDS = 8, 10
BEST_OF = 2
DTYPES = {"float32": None, "bf16": torch.bfloat16}
DASHENG = tuple(SIZES)


def write(row: str, folder: Path) -> str:
    """Random weights of a row as large as published; what `--model` is to be told."""
    if row == "melspec":
        return row
    if row in DASHENG:
        return str(write_published(miniature(EncoderConfig(**SIZES[row])), folder / f"{row}.pt"))
    return f"{ROWS[row].opens}:{ROWS[row].write(folder)}"


def measure(spec: str, precision: str) -> None:
    """Print what one row needs, as JSON."""
    encoder = load(spec)
    generator = torch.Generator().manual_seed(0)
    audio = 0.1 * torch.randn(CLIPS, SECONDS * encoder.sample_rate, generator=generator)
    device, dtype = encoder.device.type, DTYPES[precision]
    with torch.autocast(device, dtype or torch.bfloat16, enabled=dtype is not None):
        embed_batch(encoder, audio)
        best = min(seconds(lambda: embed_batch(encoder, audio)) for _ in range(BEST_OF))
    held = torch.cuda.max_memory_allocated() if device == "cuda" else peak()
    facts = {"parameters": encoder.parameters, "rate": CLIPS * SECONDS / best, "held": held}
    print(json.dumps({**facts, "device": device}))


def rows(names: list[str]) -> list[list[str]]:
    """The table's, one row after the other, so that none is disturbed and the disk holds one."""
    found = []
    for row in names:
        with tempfile.TemporaryDirectory() as folder:
            spec, line = write(row, Path(folder)), [row]
            for precision in DTYPES:
                command = [sys.executable, "-m", "tests.bench.rows", "--measure", spec, precision]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                facts = json.loads(done.stdout.splitlines()[-1])
                line += [f"{facts['rate']:.1f}", f"{facts['held'] / 1e9:.2f}"]
            published = ROWS[row].parameters if row in ROWS else None
            shown = f"{facts['parameters'] / 1e6:.1f}"
            told = "" if published is None else f"{published / 1e6:.1f}"
            found.append([line[0], shown, told, *line[1:]])
            print(f"{time.strftime('%H:%M:%S')} {found[-1]}", file=sys.stderr, flush=True)
    return found


def main(names: list[str] | None = None) -> None:
    """Print a line per row."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    heads = ["row", "parameters M", "published M"]
    heads += [f"{what} {precision}" for precision in DTYPES for what in ("audio-s/s", "GB")]
    table = rows(names or ["melspec", *DASHENG, *ROWS])
    print(f"rows of the tables, {CLIPS} × {SECONDS} s, {device}, {torch.get_num_threads()} threads")
    print(tabulate(table, heads, disable_numparse=True))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main(sys.argv[1:])
