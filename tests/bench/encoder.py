"""Base and 0.6B, 8 clips of 10 s: the matrix ceiling, ours, the published package, in turns.

PEERS_PYTHON=… python -m tests.bench.encoder [pairs]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from tabulate import tabulate

from dasheng import checkpoint
from dasheng.blocks import EncoderConfig
from dasheng.configuration import SIZES
from dasheng.encoder import Dasheng
from tests.bench.measure import ceiling, pairs
from tests.dasheng.miniature import write_published

CLIPS, SECONDS = 8, 10
PEER = Path(__file__).with_name("peer.py")
DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}


def flop(config: EncoderConfig, tokens: int) -> float:
    """Products of one clip of at most one block: linear layers, attention, patches."""
    D = config.embed_dim
    linear = 2 * tokens * config.depth * (4 + 2 * config.mlp_ratio) * D * D
    attention = 4 * tokens * tokens * config.depth * D
    return linear + attention + 2 * tokens * 256 * D


def compare(size: str, precision: str, python: str, folder: Path, n: int) -> list[str]:
    torch.manual_seed(0)
    config = EncoderConfig(**SIZES[size])
    file = folder / f"{size}.pt"
    if not file.exists():
        write_published(Dasheng(config), file)
    model = checkpoint.load(file).eval()
    audio = torch.randn(CLIPS, SECONDS * 16000, generator=torch.Generator().manual_seed(0))
    command = [python, str(PEER), "forward", str(file), precision]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, **pipes) as peer:  # type: ignore[call-overload]
        peer.stdout.readline()

        def theirs() -> None:
            peer.stdin.write("\n")
            peer.stdin.flush()
            peer.stdout.readline()

        enabled = precision == "bf16"
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            model(audio)
            timed = pairs(lambda: model(audio), theirs, n)
        peer.stdin.close()
    rate = ceiling(DTYPES[precision])
    floor = CLIPS * flop(config, 25 * SECONDS) / rate / 1e9
    return [
        *(size, precision, f"{rate:.0f}", f"{floor:.2f}", f"{timed.a:.2f}", f"{timed.b:.2f}"),
        *(f"{floor / timed.a:.2f}", f"{timed.ratio:.2f}", f"{CLIPS * SECONDS / timed.a:.1f}"),
    ]


def main() -> None:
    """Print a row per size and precision."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    python = str(Path(os.environ["PEERS_PYTHON"]).absolute())
    with tempfile.TemporaryDirectory() as name:
        rows = [
            compare(size, precision, python, Path(name), n)
            for size in ("base", "0.6B")
            for precision in DTYPES
        ]
    heads = ["size", "precision", "ceiling GFLOP/s", "floor s", "ours s", "published s"]
    heads += ["of ceiling", "published / ours", "audio-s/s"]
    print(f"encoder, {CLIPS} × {SECONDS} s")
    print(tabulate(rows, heads, disable_numparse=True))


if __name__ == "__main__":
    main()
