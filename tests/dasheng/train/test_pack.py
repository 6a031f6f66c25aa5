"""Shards appear whole or not at all, and always the same."""

import os
import signal
import tarfile
import time
from pathlib import Path

import pytest

from dasheng.train.filelist import Entry
from dasheng.train.pack import Interrupted, Shard, write
from tasks.errors import UserError


def shards_of(folder: Path, count: int, *, suffix: str = ".tar", size: int = 2) -> list[Shard]:
    """Shards of small files that are written first."""
    (folder / "audio").mkdir(exist_ok=True)
    entries = []
    for number in range(count * size):
        file = folder / "audio" / f"{number}.wav"
        file.write_bytes(b"sound %d" % number)
        entries.append(Entry(line=number + 1, file=file, key=f"key{number}", columns='{"n": 1}'))
    return [
        Shard(file=folder / f"{number}{suffix}", entries=entries[number * size :][:size])
        for number in range(count)
    ]


def nothing() -> None:
    """For progress that nobody looks at."""


def left(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file())


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_members(suffix: str, tmp_path: Path) -> None:
    counted: list[None] = []
    write(shards_of(tmp_path, 3, suffix=suffix), 2, lambda: counted.append(None))
    assert len(counted) == 6
    assert left(tmp_path) == [f"{number}{suffix}" for number in range(3)]
    with tarfile.open(tmp_path / f"1{suffix}") as tar:
        assert tar.getnames() == ["key2.wav", "key2.json", "key3.wav", "key3.json"]
        found = tar.extractfile("key3.wav")
        assert found is not None and found.read() == b"sound 3"


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_the_same_to_the_byte(suffix: str, tmp_path: Path) -> None:
    shards = shards_of(tmp_path, 1, suffix=suffix)
    write(shards, 1, nothing)
    before = shards[0].file.read_bytes()
    for entry in shards[0].entries:
        os.utime(entry.file, (1, 1))
    elsewhere = Shard(file=tmp_path / f"other{suffix}", entries=shards[0].entries)
    write([elsewhere], 1, nothing)
    assert elsewhere.file.read_bytes() == before


def test_a_file_that_went_away_leaves_whole_shards(tmp_path: Path) -> None:
    shards = shards_of(tmp_path, 3)
    shards[1].entries[1].file.unlink()
    with pytest.raises(UserError, match=r"line 4: could not read .*3\.wav, No such file.*; 1 of 3"):
        write(shards, 1, nothing)
    assert left(tmp_path) == ["0.tar"]


def test_a_shard_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    shards = shards_of(tmp_path, 1)
    shards[0].file.mkdir()
    with pytest.raises(UserError, match=r"0\.tar: could not write it, Is a directory; 0 of 1"):
        write(shards, 1, nothing)
    assert left(tmp_path) == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    shards = shards_of(tmp_path, 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(UserError, match=r"0\.tar: could not write it, File too large"):
            write(shards, 1, nothing)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert left(tmp_path) == []


def test_an_interrupted_run_leaves_whole_shards_and_says_how_many(tmp_path: Path) -> None:
    shards = shards_of(tmp_path, 3, size=50)
    packed = 0

    def interrupt() -> None:
        nonlocal packed
        packed += 1
        if packed == 51:  # the first file of the second shard
            os.kill(os.getpid(), signal.SIGINT)
        if packed > 50:
            time.sleep(0.2)  # the main thread has ten seconds to hear of it

    with pytest.raises(Interrupted, match="1 of 3 shards are complete"):
        write(shards, 1, interrupt)
    assert left(tmp_path) == ["0.tar"]
