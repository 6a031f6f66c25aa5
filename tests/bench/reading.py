"""Reading clips: from a folder, a tar and zips, WAV and FLAC, beside plain soundfile.

python -m tests.bench.reading [rounds]

Ours is the decoder as `harness/embed.py` drives it, at the clips' own rate. Plain is
`soundfile.read(path, dtype="float32")`, file by file in one thread, of the same clips in a
folder. They take turns; a ratio is the median over the rounds. All files are in the page cache.
The floor is what one thread needs for the bytes alone (and to inflate them) and for decoding
alone, shared among the workers.
"""

import statistics
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import soundfile
from tabulate import tabulate

from harness import audio
from harness.encoder import embed_batch, load
from harness.shards import LOOKAHEAD, SHARD_SECONDS
from tasks.archive import Place, Tree, read_bytes
from tests.bench.measure import seconds

CLIPS = {"5 s, 44.1 kHz": (5, 44_100, 240), "1 s, 16 kHz": (1, 16_000, 2400)}  # s, Hz, clips
DIFFERENT = 24  # sounds; the clips repeat them
WORKERS = (1, 2)
BAR = 0.9  # of plain soundfile, times workers


def noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of a falling spectrum, which FLAC and deflate compress about as they do sounds."""
    frequency = np.fft.rfftfreq(n)
    spectrum = rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))
    sound = np.fft.irfft(spectrum / (frequency + 0.01), n)
    return 0.5 * sound / np.abs(sound).max()


def write(root: Path, extension: str, length: int, rate: int, clips: int) -> None:
    """The same clips in a folder, in a tar and in two zips, which `root` then holds."""
    rng = np.random.default_rng(0)
    sounds = [noise(length * rate, rng) for _ in range(DIFFERENT)]
    folder = root / "folder"
    folder.mkdir()
    for number in range(clips):
        file = folder / f"{number:05d}.{extension}"
        soundfile.write(file, sounds[number % DIFFERENT], rate, subtype="PCM_16")
    with tarfile.open(root / "clips.tar", "w") as tar:
        tar.add(folder, "set")
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(root / f"{name}.zip", "w", method) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"set/{file.name}")


def plain(files: Sequence[str]) -> None:
    for file in files:
        soundfile.read(file, dtype="float32")


def ours(places: Sequence[Place], length: int, rate: int, workers: int) -> None:
    """Shard by shard, as the encoder asks for them."""
    each = int(SHARD_SECONDS / length)
    waiting = [places[start : start + each] for start in range(0, len(places), each)]
    with audio.Decoder(rate, workers) as decoder:
        ahead: list[audio.Decoded] = []
        while waiting or ahead:
            while waiting and len(ahead) <= LOOKAHEAD:
                ahead.append(decoder.start(waiting.pop(0)))
            assert all(len(clip) == length * rate for clip in ahead.pop(0))


def bytes_only(places: Sequence[Place]) -> None:
    for place in places:
        read_bytes(place)


def decode_only(encoded: Sequence[bytes], place: Place) -> None:
    for clip in encoded:
        audio._by_numpy(clip) or audio._by_libsndfile(clip, place)


def layouts(root: Path) -> dict[str, list[Place]]:
    """Where the clips lie, for each way of keeping them."""
    tree = Tree(root, 1 << 40)
    first = {"folder": "folder/", "tar": "clips.tar/"}
    first |= {f"zip, {method}": f"{method}.zip/" for method in ("stored", "deflated")}
    return {
        layout: [tree.place(name) for name in tree.names if name.startswith(start)]
        for layout, start in first.items()
    }


def rows(name: str, extension: str, rounds: int) -> Iterator[list[str]]:
    length, rate, clips = CLIPS[name]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), extension, length, rate, clips)
        places = layouts(Path(folder))
        files = [place.path for place in places["folder"]]
        encoded = [read_bytes(place) for place in places["folder"][:DIFFERENT]]
        jobs: dict[object, Callable[[], None]] = {
            "plain": lambda: plain(files),
            "decode": lambda: decode_only(encoded * (clips // DIFFERENT), places["folder"][0]),
        }
        for layout, some in places.items():
            jobs[layout] = partial(bytes_only, some)
            jobs |= {(layout, n): partial(ours, some, length, rate, n) for n in WORKERS}
        times = {job: [] for job in jobs}
        for _ in range(rounds):
            for job, work in jobs.items():
                times[job].append(seconds(work))
    for layout, workers in product(places, WORKERS):
        taken = times[layout, workers]
        ratio = statistics.median(p / t for p, t in zip(times["plain"], taken, strict=True))
        lows = [min(times[layout]), min(times["decode"])]
        middles = [statistics.median(taken), statistics.median(times["plain"])]
        each = [value / clips * 1e6 for value in (*lows, sum(lows) / workers, *middles)]
        yield [
            *(name, extension, layout, str(workers), *(f"{value:.0f}" for value in each)),
            *(f"{ratio:.2f}", f"{BAR * workers:.1f}", f"{clips * length / middles[0]:.0f}"),
        ]


def main() -> None:
    """Print a row per kind of clip, encoding, layout and number of workers."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    # Until something large has been freed, the allocator hands every clip's memory back to the
    # system. In a run that is an encoder's first batch.
    embed_batch(load("melspec", "cpu"), np.full((64, 16_000), 0.1, np.float32))
    heads = ["clips", "as", "from", "workers", "bytes µs", "decode µs", "floor µs", "ours µs"]
    heads += ["plain µs", "plain / ours", "bar", "audio-s/s"]
    table = [row for name in CLIPS for ext in ("wav", "flac") for row in rows(name, ext, rounds)]
    print("reading clips, µs per clip; plain is soundfile.read in one thread")
    print(tabulate(table, heads, disable_numparse=True))


if __name__ == "__main__":
    main()
