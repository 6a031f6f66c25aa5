"""Shards against what was put into them, and shares against the whole."""

import gzip
import os
import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train.shards import DamagedShardError, Shards, members, shard_names
from tasks.errors import UserError
from tests.dasheng.train.shards_of import shard


def every(_: int) -> bool:
    return True


def found(file: str) -> dict[str, bytes]:
    return {member.name: member.encoded for member in members(file, every)}


def test_the_readme_s_archive_is_read(tmp_path: Path) -> None:
    """`find DIR -name '*flac' | tar -rvf data.tgz -T -`: not compressed, whatever its name says."""
    (tmp_path / "DIR" / "deep.er").mkdir(parents=True)
    clips = {"DIR/a.flac": b"one", "DIR/deep.er/b.v1.flac": b"two"}
    for name, content in clips.items():
        (tmp_path / name).write_bytes(content)
        subprocess.run(
            ["tar", "-rvf", "data.tgz", "-T", "-"],
            input=name.encode(),
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
    assert found(str(tmp_path / "data.tgz")) == clips


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz"])
def test_compression_is_told_by_the_content(tmp_path: Path, mode: str, suffix: str) -> None:
    clips = {"a.flac": b"one", "b.wav": os.urandom(3000)}
    assert found(shard(tmp_path / f"s.{suffix}", clips, mode)) == clips


def test_audio_is_told_by_the_last_suffix(tmp_path: Path) -> None:
    audio = ["a.b.WAV", "x/y.z/c.mp3", "./d.ogg", "e.opus", "f.oga", "f.flac"]
    others = ["a.json", "a.wav.json", "wav", "x/._c.mp3", ".d.wav", "flac/readme.txt"]
    file = shard(tmp_path / "s.tar", dict.fromkeys(audio + others, b"1"))
    assert list(found(file)) == audio


def test_members_are_numbered_among_the_audio_and_the_unwanted_passed_over(tmp_path: Path) -> None:
    names = [name for n in range(5) for name in (f"{n}.wav", f"{n}.json")]
    file = shard(tmp_path / "s.tar", {name: name.encode() for name in names})
    kept = list(members(file, lambda number: number in (1, 4)))
    assert [tuple(member) for member in kept] == [(1, "1.wav", b"1.wav"), (4, "4.wav", b"4.wav")]


def test_a_link_has_no_content(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        entry = tarfile.TarInfo("a.wav")
        entry.type, entry.linkname = tarfile.SYMTYPE, "elsewhere.wav"
        tar.addfile(entry)
    assert found(str(tmp_path / "s.tar")) == {"a.wav": b""}


@pytest.mark.parametrize("packed", [False, True])
def test_wherever_a_shard_is_cut_the_whole_members_before_are_read(
    tmp_path: Path, packed: bool
) -> None:
    clips = {f"{n}.wav": bytes([n + 1]) * 700 for n in range(3)}
    whole = Path(shard(tmp_path / "s.tar", clips)).read_bytes()
    cut = tmp_path / "cut.tar"
    for end in [1, 511, 512, 1000, 1536, 2048, 3000, 3072, 4608]:
        left = whole[:end]
        cut.write_bytes(gzip.compress(left) if packed else left)
        read = []
        with pytest.raises(DamagedShardError) as error:
            for member in members(str(cut), every):
                read.append(member.name)
        assert read == [f"{n}.wav" for n in range(3) if end >= n * 1536 + 512 + 700]
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"some text\n" * 200, b"\x1f\x8b" + bytes(99)])
def test_what_is_no_archive_is_damaged(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "s.tar"
    file.write_bytes(content)
    with pytest.raises(DamagedShardError, match=r"^[^\n]+$"):
        found(str(file))
    file.unlink()
    with pytest.raises(DamagedShardError, match="No such file"):
        found(str(file))


def test_a_damaged_header_is_told_from_the_end(tmp_path: Path) -> None:
    clips = {f"{n}.wav": bytes([n + 1]) * 700 for n in range(3)}
    file = Path(shard(tmp_path / "s.tar", clips))
    content = bytearray(file.read_bytes())
    content[1536:1600] = b"?" * 64
    file.write_bytes(content)
    with pytest.raises(DamagedShardError, match="damaged after 1 audio"):
        found(str(file))


def test_a_pipe_is_read_and_its_failure_told(tmp_path: Path) -> None:
    file = shard(tmp_path / "s.tar", {"a.wav": b"1"})
    assert found(f"pipe:cat {file}") == {"a.wav": b"1"}
    with pytest.raises(DamagedShardError):
        found("pipe:exit 3")


def test_braces_name_shards_and_missing_ones_are_counted(tmp_path: Path) -> None:
    for n in range(3):
        shard(tmp_path / f"a_{n}.tar", {})
    names = shard_names([f"{tmp_path}/a_{{0..2}}.tar", f"file:{tmp_path}/a_0.tar"], "train_data")
    assert [Path(name).name for name in names] == ["a_0.tar", "a_1.tar", "a_2.tar", "a_0.tar"]
    assert shard_names(["https://example.com/{a,b}.tar", "pipe:true"], "cv_data")
    with pytest.raises(UserError, match=r"train_data: expected 7 shards.* 4 of .*a_3.tar"):
        shard_names([f"{tmp_path}/a_{{0..6}}.tar"], "train_data")
    with pytest.raises(UserError, match=r"^cv_data: .*pairs"):
        shard_names(["a_{0..2.tar"], "cv_data")


@settings(deadline=None)
@given(
    shards=st.integers(1, 12),
    readers=st.integers(1, 9),
    seed=st.none() | st.integers(0, 9),
    start=st.integers(0, 3),
)
def test_a_pass_of_all_readers_is_every_member_once(
    shards: int, readers: int, seed: int | None, start: int
) -> None:
    seen: Counter[tuple[str, int]] = Counter()
    read = []
    for reader in range(readers):
        mine = Shards(
            tuple(f"{n}.tar" for n in range(shards)),
            reader=reader,
            readers=readers,
            seed=None if seed is None else (seed,),
        )
        read.append(0)
        for draw in range(start * len(mine), (start + 1) * len(mine)):
            name, wanted = mine.drawn(draw)
            own = [(name, number) for number in range(9 * readers) if wanted(number)]
            seen.update(own)
            read[-1] += len(own)
    everything = {(f"{n}.tar", m) for n in range(shards) for m in range(9 * readers)}
    assert seen == dict.fromkeys(everything, 1)
    assert len(set(read)) == 1  # as much for each


@pytest.mark.parametrize(("shards", "readers"), [(1, 8), (10, 3), (10, 8), (4, 2)])
def test_resampled_readers_stay_in_their_share_and_see_all_of_it_alike(
    shards: int, readers: int
) -> None:
    names = tuple(f"{n}.tar" for n in range(shards))
    seen: list[Counter[tuple[str, int]]] = []
    for reader in range(readers):
        mine = Shards(names, reader=reader, readers=readers, seed=(1,), resampled=True)
        seen.append(Counter())
        for draw in range(3000):
            name, wanted = mine.drawn(draw)
            seen[-1].update((name, number) for number in range(readers) if wanted(number))
    together = Counter[tuple[str, int]]()
    for one in seen:
        assert not one.keys() & together.keys()
        together |= one
        mean = sum(one.values()) / len(one)
        assert all(abs(count - mean) < 6 * mean**0.5 for count in one.values())
    assert len(together) == shards * readers


def test_each_pass_and_each_reader_has_an_order_of_its_own() -> None:
    names = tuple(f"{n}.tar" for n in range(40))

    def order(reader: int, first: int) -> list[str]:
        mine = Shards(names, reader=reader, readers=2, seed=(5,))
        return [mine.drawn(first + n)[0] for n in range(20)]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 20)
    assert [int(name[:-4]) // 2 for name in order(0, 0)] != [
        int(name[:-4]) // 2 for name in order(1, 0)
    ]
