"""The cache returns what was stored, or nothing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.cache import Cache, Shard
from harness.timeline import NO_TIMES, Timeline

KEY = {"weights_sha256": "ab", "canary": ("1", "2"), "precision": "float32"}


def shard(rows: int = 5) -> Shard:
    values = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    values[1] = np.nan
    return Shard(values, {1: "clip.wav: empty"}, padded=2)


def moments() -> Shard:
    """Of three clips; the second was skipped."""
    timeline = Timeline.of([np.array([0.0, 10.0]), np.empty(0), np.array([0.0, 10.0, 1 / 3])])
    return Shard(shard().values, {1: "clip.wav: empty"}, padded=0, timeline=timeline)


def test_round_trip(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, shard())
    back = entry.read(0, 5)
    assert back is not None
    np.testing.assert_array_equal(back.values, shard().values)
    assert (back.skipped, back.padded) == ({1: "clip.wav: empty"}, 2)
    assert back.timeline is NO_TIMES


def test_a_shard_of_moments_keeps_its_timeline(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, moments())
    assert entry.read(0, 5) is None
    back = entry.read(0, 3)
    assert back is not None
    for name, array in moments().arrays.items():
        assert back.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(back.arrays[name], array)
    assert back.skipped == {1: "clip.wav: empty"}
    assert entry.damaged() == []


def test_every_number_of_a_shard_of_moments_is_checked(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, moments())
    (file,) = entry.folder.glob("*.safetensors")
    good = file.read_bytes()
    size = sum(array.nbytes for array in moments().arrays.values())
    for place in range(len(good) - size, len(good)):
        file.write_bytes(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
        assert entry.read(0, 3) is None
    assert entry.damaged() == [file]
    entry.finish([3])
    assert entry.damaged() == [file]
    file.write_bytes(good)
    assert entry.damaged() == []


@settings(max_examples=25, deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_any_values_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray
) -> None:
    entry = Cache(tmp_path_factory.mktemp("cache")).entry("m", KEY)
    entry.write(3, Shard(values, {}, 0))
    back = entry.read(3, len(values))
    assert back is not None
    assert back.values.tobytes() == values.tobytes()


def test_another_key_is_another_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.entry("base", KEY).write(0, shard())
    for change in ({"weights_sha256": "cd"}, {"canary": ("1", "3")}, {"precision": "bf16"}):
        assert cache.entry("base", KEY | change).read(0, 5) is None
    assert cache.entry("base", dict(reversed(KEY.items()))).read(0, 5) is not None


@pytest.mark.parametrize("place", [0.0, 0.3, 0.9, 0.999])
def test_a_flipped_byte_is_noticed(tmp_path: Path, place: float) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, shard(rows=200))
    file = next(entry.folder.glob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 0x40
    file.write_bytes(data)
    assert entry.read(0, 200) is None


@pytest.mark.parametrize("size", [0, 5, 100])
def test_a_truncated_shard_is_noticed(tmp_path: Path, size: int) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, shard())
    file = next(entry.folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:size])
    assert entry.read(0, 5) is None
    assert entry.damaged() == [file]


def test_wrong_row_count_is_noticed(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, shard())
    assert entry.read(0, 6) is None


def test_manifest_says_complete_and_verify_names_the_missing(tmp_path: Path) -> None:
    entry = Cache(tmp_path).entry("base", KEY)
    entry.write(0, shard())
    entry.write(1, shard(rows=2))
    assert entry.rows is None
    entry.finish([5, 2])
    assert entry.rows == [5, 2]
    assert entry.damaged() == []
    lost = entry.folder / "000001.safetensors"
    lost.unlink()
    assert entry.damaged() == [lost]


def test_entries_and_remove(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first, second = cache.entry("a", KEY), cache.entry("b", KEY)
    assert list(cache.entries()) == [first, second]
    assert first.key["weights_sha256"] == "ab"
    assert first.size > 0
    cache.remove(first)
    assert list(cache.entries()) == [second]
