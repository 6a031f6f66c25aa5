"""The stream of crops against the clips that it is cut from."""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train.crops import Crops
from dasheng.train.shards import Shards
from tasks.errors import UserError
from tests.dasheng.train.shards_of import constant, encoded, noise, shard

RATE, SAMPLES = 16000, 1000


def stream(
    *names: str,
    once: bool = False,
    hold: int = 8,
    seed: int | None = 0,
    resampled: bool = False,
    max_bad: float = 0.5,
    position: Any = None,
    reader: int = 0,
    readers: int = 1,
) -> Crops:
    key = None if seed is None else (seed,)
    shards = Shards(names, reader=reader, readers=readers, seed=key, resampled=resampled)
    return Crops(
        shards,
        samples=SAMPLES,
        rate=RATE,
        hold=hold,
        seed=key,
        once=once,
        max_bad=max_bad,
        position=position,
    )


def once(*names: str, **more: Any) -> Crops:
    return stream(*names, once=True, seed=None, **more)


def values(crops: Crops, count: int | None = None) -> list[int]:
    """What `constant` made the clips of, crop by crop."""
    return [round(float(crop[0]) * 1024) for crop in islice(crops, count)]


def test_a_clip_is_cut_into_crops_and_the_rest_padded_unless_it_is_little(tmp_path: Path) -> None:
    for samples, expected in [(50, 1), (1000, 1), (1099, 1), (1100, 2), (2000, 2), (2999, 3)]:
        audio = noise(samples, samples)
        file = shard(tmp_path / "s.tar", {"a.wav": encoded(audio, suffix="wav", subtype="FLOAT")})
        crops = list(once(file))
        assert [crop.shape for crop in crops] == [(SAMPLES,)] * expected
        together = np.concatenate(crops)
        kept = min(samples, len(together))
        np.testing.assert_array_equal(together[:kept], audio[:kept])
        assert not together[kept:].any()


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Five shards of clips of 1 to 5 crops, labels and bad members beside; value = number."""
    folder, number, files = tmp_path_factory.mktemp("shards"), 0, []
    for n in range(5):
        members = {}
        for m in range(7):
            number += 1
            crops = 1 + number % 5
            members[f"deep/{n}.{m}.flac"] = constant(number, crops * SAMPLES)
            members[f"deep/{n}.{m}.json"] = b"{}"
        members["z.wav"] = b"damaged"
        files.append(shard(folder / f"{n}.tar", members))
    return files


def everything() -> Counter[int]:
    return Counter({number: 1 + number % 5 for number in range(1, 36)})


@settings(deadline=None, max_examples=25)
@given(
    count=st.integers(1, 5),
    readers=st.integers(1, 9),
    hold=st.integers(1, 20),
    passes=st.booleans(),
)
def test_one_pass_of_all_readers_is_the_data(
    shards: list[str], count: int, readers: int, hold: int, passes: bool
) -> None:
    seen: Counter[int] = Counter()
    read = bad = 0
    for reader in range(readers):
        crops = stream(
            *shards[:count],
            once=True,
            seed=3 if passes else None,
            hold=hold,
            reader=reader,
            readers=readers,
        )
        mine = Counter(values(crops))
        assert not mine.keys() & seen.keys()
        seen |= mine
        read, bad = read + crops.read, bad + crops.bad
    whole = everything()
    assert seen == Counter({number: whole[number] for number in range(1, 7 * count + 1)})
    assert (read, bad) == (8 * count, count)


@settings(deadline=None, max_examples=40)
@given(
    before=st.integers(0, 120),
    hold=st.integers(1, 40),
    readers=st.integers(1, 3),
    resampled=st.booleans(),
)
def test_a_stream_goes_on_from_any_position(
    shards: list[str], before: int, hold: int, readers: int, resampled: bool
) -> None:
    def fresh(position: Any = None) -> Crops:
        return stream(*shards, hold=hold, resampled=resampled, readers=readers, position=position)

    uninterrupted = fresh()
    crops = iter(uninterrupted)
    for _ in range(before):
        next(crops)
    position = json.loads(json.dumps(uninterrupted.position))
    resumed = fresh(position)
    for expected, found in zip(islice(crops, 30), resumed, strict=False):
        np.testing.assert_array_equal(found, expected)
    assert (resumed.read, resumed.bad) == (uninterrupted.read, uninterrupted.bad)


def test_clips_that_fail_to_decode_do_not_move_the_rest(tmp_path: Path) -> None:
    """A crop that cannot be decoded is passed over, and so it is after an interruption."""
    damaged = encoded(noise(20 * SAMPLES))
    members = {
        f"{n}.flac": damaged[: len(damaged) // 2] if n % 3 == 0 else constant(n, 3000)
        for n in range(12)
    }
    file = shard(tmp_path / "s.tar", members)
    for before in range(0, 60, 7):
        whole = stream(file, hold=30)
        crops = iter(whole)
        for _ in range(before):
            next(crops)
        rest = stream(file, hold=30, position=json.loads(json.dumps(whole.position)))
        resumed = iter(rest)
        for _ in range(10):
            np.testing.assert_array_equal(next(resumed), next(crops))
        assert (rest.read, rest.bad) == (whole.read, whole.bad)


def test_members_read_again_after_an_interruption_are_not_judged_again(tmp_path: Path) -> None:
    """Counted twice, 15 bad ones of the first 100 would be too many of 200."""
    members = {f"{n}.wav": b"damaged" if n % 7 == 0 else constant(n, 1000) for n in range(100)}
    file = shard(tmp_path / "s.tar", members)
    whole = stream(file, hold=85, max_bad=0.1)
    expected = values(whole, 30)[20:]
    interrupted = stream(file, hold=85, max_bad=0.1)
    values(interrupted, 20)
    resumed = stream(file, hold=85, max_bad=0.1, position=interrupted.position)
    assert values(resumed, 10) == expected
    assert (resumed.read, resumed.bad) == (100, 15)


def test_a_block_is_shuffled_and_every_pass_anew(shards: list[str]) -> None:
    total = everything().total()
    crops = iter(stream(*shards, hold=total))
    first, second = ([float(next(crops)[0]) for _ in range(total)] for _ in range(2))
    assert Counter(first) == Counter(second)
    assert first != second
    assert first != sorted(first)
    other = iter(stream(*shards, hold=total, seed=1))
    assert first != [float(next(other)[0]) for _ in range(total)]


def test_a_bad_member_is_counted_once_with_its_reason(tmp_path: Path) -> None:
    nan = np.full(5000, np.nan, np.float32)
    half = encoded(noise(40000))
    members = {
        "good.wav": constant(1, 3000),
        "nan.wav": encoded(nan, suffix="wav", subtype="FLOAT"),
        "cut.flac": half[: len(half) // 2],
        "text.mp3": b"no audio at all " * 99,
        "empty.wav": b"",
        "silent.wav": encoded(np.zeros(2000, np.float32)),
        "short.wav": constant(2, 50),
    }
    file = shard(tmp_path / "s.tar", members)
    crops = once(file, max_bad=1)
    assert len(list(crops)) > 3 + 2 + 1
    assert (crops.read, crops.bad) == (7, 4)
    told = {reason.split(": ")[1]: reason for reason in crops.reasons}
    assert list(told) == ["nan.wav", "cut.flac", "text.mp3", "empty.wav"]
    assert all(reason.startswith(f"{file}: ") and "\n" not in reason for reason in told.values())


def test_a_shard_that_breaks_is_one_bad_member_and_the_rest_goes_on(tmp_path: Path) -> None:
    members = {f"{n}.flac": constant(n, 1000) for n in range(1, 5)}
    broken = Path(shard(tmp_path / "broken.tar", members))
    broken.write_bytes(broken.read_bytes()[:2500])
    text = tmp_path / "text.tar"
    text.write_text("a list of files\n" * 99)
    files = [str(broken), shard(tmp_path / "whole.tar", members), str(text), f"{tmp_path}/no.tar"]
    crops = once(*files)
    seen = values(crops)
    assert seen[-4:] == [1, 2, 3, 4]
    assert seen[:-4] == [1, 2, 3, 4][: len(seen) - 4]
    assert (crops.read, crops.bad) == (len(seen) + 3, 3)
    assert [reason.split(": ")[0] for reason in crops.reasons] == [files[0], *files[2:]]


def bad_shard(folder: Path, bad: int, good: int) -> str:
    members = {f"{n}.wav": b"damaged" for n in range(bad)}
    members |= {f"{n}.flac": constant(n, 1000) for n in range(good)}
    return shard(folder / "s.tar", members)


@pytest.mark.parametrize(("max_bad", "bad"), [(0.0, 1), (0.1, 21), (0.2, 41)])
def test_too_many_bad_members_end_the_stream(tmp_path: Path, max_bad: float, bad: int) -> None:
    """Judged over 200 members at least: one of the first two says nothing."""
    file = bad_shard(tmp_path, bad, 1)
    with pytest.raises(UserError, match=rf"(?s)^expected at most [^\n]* found {bad} of [^\n]*$"):
        list(once(file, max_bad=max_bad))
    assert len(list(once(bad_shard(tmp_path, bad - 1, 1), max_bad=max_bad))) == 1
    # pass after pass it adds up
    if max_bad:
        with pytest.raises(UserError, match="unreadable"):
            values(stream(bad_shard(tmp_path, 5, 5), max_bad=max_bad), 2000)


@pytest.mark.parametrize("resampled", [False, True])
def test_a_stream_without_audio_ends(tmp_path: Path, resampled: bool) -> None:
    files = [shard(tmp_path / f"{n}.tar", {"a.json": b"{}"}) for n in range(3)]
    assert values(stream(*files, resampled=resampled)) == []
    # a reader whose share is empty
    one = shard(tmp_path / "one.tar", {"a.flac": constant(1, 1000)})
    assert values(stream(one, reader=1, readers=2, resampled=resampled)) == []


@pytest.mark.parametrize("resampled", [False, True])
def test_a_stream_of_nothing_but_bad_members_ends(tmp_path: Path, resampled: bool) -> None:
    nan = encoded(np.full(5000, np.nan, np.float32), suffix="wav", subtype="FLOAT")
    file = shard(tmp_path / "s.tar", {"a.wav": nan})
    for max_bad in (0.1, 1):
        with pytest.raises(UserError, match="NaN"):
            values(stream(file, resampled=resampled, max_bad=max_bad))
    assert values(stream(bad_shard(tmp_path, 2, 0), resampled=resampled, max_bad=0.9)) == []


def test_what_waits_is_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read beyond a block, nor a shard's content kept that is handed out."""
    file = shard(tmp_path / "s.tar", {f"{n}.flac": constant(n, 1000) for n in range(50)})
    opened: list[str] = []
    real = tarfile.TarFile.extractfile

    def counted(tar: tarfile.TarFile, member: Any) -> Any:
        opened.append(member.name)
        return real(tar, member)

    monkeypatch.setattr(tarfile.TarFile, "extractfile", counted)
    crops: Iterator[np.ndarray] = iter(stream(file, hold=10))
    next(crops)
    assert len(opened) == 10
    list(islice(crops, 9))
    assert len(opened) == 10
    next(crops)
    assert len(opened) == 20
