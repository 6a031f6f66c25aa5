"""What is kept about each file, and what happens when it cannot be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.measure import measured
from tasks.spec import Clip


@pytest.fixture
def clips(tmp_path: Path, tone: Callable[..., bytes]) -> list[Clip]:
    paths = [tmp_path / f"{n}.wav" for n in range(40)]
    for n, path in enumerate(paths):
        path.write_bytes(tone(n))
    return [
        Clip(id=path.stem, path=str(path), member="", labels=("a", "b"), split="test", group="")
        for path in paths
    ]


def test_one_flipped_bit_in_the_file_is_noticed(clips: list[Clip], tmp_path: Path) -> None:
    file = tmp_path / "index" / "clips.parquet"
    right = measured(clips, file)
    whole = file.read_bytes()
    for place in range(4, len(whole), len(whole) // 60):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        file.write_bytes(damaged)
        assert measured(clips, file).equals(right)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_rows_of_clips_that_are_gone_are_dropped(clips: list[Clip], tmp_path: Path) -> None:
    file = tmp_path / "index" / "clips.parquet"
    measured(clips, file)
    before = file.stat().st_size
    assert len(measured(clips[:3], file)) == 3
    assert file.stat().st_size < before


def test_a_streamed_flac_has_no_length(tone: Callable[..., bytes], tmp_path: Path) -> None:
    streamed = bytearray(tone(format="FLAC"))
    streamed[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    streamed[22:26] = bytes(4)
    path = tmp_path / "a.flac"
    path.write_bytes(streamed)
    clip = Clip(id="a", path=str(path), member="", labels=("a",), split="test", group="")
    row = measured([clip], tmp_path / "clips.parquet").iloc[0]
    assert (row["frames"], row["sample_rate"], len(row["sha256"])) == (0, 0, 64)


def test_a_file_that_is_gone_has_no_checksum(tmp_path: Path) -> None:
    clip = Clip(id="a", path=str(tmp_path / "a"), member="", labels=("a",), split="test", group="")
    row = measured([clip], tmp_path / "clips.parquet").iloc[0]
    assert (row["frames"], row["sample_rate"], row["sha256"]) == (0, 0, "")


def test_an_index_that_cannot_be_written_is_one_line(clips: list[Clip], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot write the index .*: File exists; free"):
        measured(clips, tmp_path / "file" / "clips.parquet")
