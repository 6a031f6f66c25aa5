"""Preparing: idempotent, quick the second time, sure of what the data are; and verifying."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from tasks import demo, esc10, esc50, fsdd, fsdd_speaker, us8k
from tasks.archive import Tree
from tasks.download import fetch
from tasks.errors import UserError
from tasks.index import save
from tasks.prepare import Index, missing, prepare, verify
from tasks.spec import Labels, Source, Task
from tests.tasks.layouts import files, keep, small, write
from tests.tasks.miniature import esc50 as miniature
from tests.tasks.miniature import us8k as small_us8k
from tests.tasks.server import Server
from tests.tasks.test_spec import no_download

Tone = Callable[..., bytes]
COUNTS = {"train": 8, "test": 20}
FSDD = replace(fsdd.TASK, expected=COUNTS, classes=2)
SPEAKER = replace(fsdd_speaker.TASK, expected=COUNTS, classes=2)
ESC50 = small(esc50.TASK, miniature)
ESC10 = small(esc10.TASK, miniature, expected=dict.fromkeys(miniature.COUNTS, 4), classes=2)
ZIP = esc50.ARCHIVE.filename
CLIPS = 28


@pytest.fixture
def data(tmp_path: Path, tone: Tone) -> Path:
    names = [(d, s, i) for d in (3, 8) for s in ("ann", "bob") for i in range(7)]
    recordings = {f"recordings/{d}_{s}_{i}.wav": tone(n) for n, (d, s, i) in enumerate(names)}
    write(recordings, tmp_path / "data" / "fsdd")
    return tmp_path / "data"


class Steps(list[tuple[str, int, int]]):
    """Notes what is reported."""

    def __call__(self, name: str, done: int, total: int) -> None:
        self.append((name, done, total))


def prepared(data: Path, task: Task = FSDD, steps: Steps | None = None) -> Index:
    return prepare(task, data, index=data.parent / "index", fetch=no_download, progress=steps)


def same(one: Index, other: Index) -> None:
    pd.testing.assert_frame_equal(one.clips, other.clips)
    assert (one.classes, one.source, one.data_sha256) == (
        *(other.classes, other.source, other.data_sha256),
    )


def without_readers(task: Task) -> Task:
    """The task, but whoever reads its data fails."""

    def fails(tree: Tree) -> Labels:
        raise AssertionError(f"{tree.folder} is not to be read")

    return replace(task, sources=tuple(Source(name=s.name, read=fails) for s in task.sources))


def test_the_second_time_reads_no_label_and_no_clip(data: Path) -> None:
    steps = Steps()
    first = prepared(data, steps=steps)
    assert steps == [("fsdd", 0, CLIPS), ("fsdd", CLIPS, CLIPS)]
    before = {path: path.stat().st_mtime_ns for path in data.parent.rglob("*")}
    same(prepared(data, without_readers(FSDD), steps), first)
    assert len(steps) == 2
    assert {path: path.stat().st_mtime_ns for path in data.parent.rglob("*")} == before


def test_only_what_changed_is_measured(data: Path, tone: Tone) -> None:
    steps, first = Steps(), prepared(data)
    clip = data / "fsdd" / "recordings" / "3_ann_0.wav"
    before = clip.stat()
    clip.write_bytes(tone(99))
    os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = prepared(data, steps=steps)
    assert steps == [("fsdd", CLIPS - 1, CLIPS), ("fsdd", CLIPS, CLIPS)]
    assert second.data_sha256 != first.data_sha256
    differs = second.clips["sha256"] != first.clips["sha256"]
    assert list(second.clips["id"][differs]) == ["3_ann_0"]


def test_a_clip_that_is_gone_or_new_is_noticed(data: Path, tone: Tone) -> None:
    prepared(data)
    clip = data / "fsdd" / "recordings" / "3_ann_0.wav"
    clip.rename(clip.with_name("3_ann_10.wav"))
    with pytest.raises(UserError, match="fsdd: expected 20 clips in test, found 19"):
        prepared(data)
    clip.write_bytes(tone(0))
    clip.with_name("3_ann_10.wav").unlink()
    assert len(prepared(data).clips) == CLIPS


def test_an_edited_table_of_labels_is_noticed(tone: Tone, tmp_path: Path) -> None:
    write(files(miniature, "at the top", tone), tmp_path / "data" / "esc50")
    first = prepared(tmp_path / "data", ESC50)
    table = tmp_path / "data" / "esc50" / "meta" / "esc50.csv"
    before = table.stat()
    table.write_bytes(table.read_bytes().replace(b"rain", b"snow"))
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert prepared(tmp_path / "data", ESC50).classes == ("dog", "snow", "airplane")
    assert first.classes == ("dog", "rain", "airplane")


def test_a_damaged_index_is_made_again_without_measuring(data: Path) -> None:
    first, steps = prepared(data), Steps()
    (file,) = (data.parent / "index").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-100])
    same(prepared(data, steps=steps), first)
    assert steps == [("fsdd", CLIPS, CLIPS)]
    same(prepared(data, without_readers(FSDD)), first)


def test_tasks_of_one_data_set_share_what_is_measured(data: Path) -> None:
    steps, first = Steps(), prepared(data)
    second = prepared(data, SPEAKER, steps)
    assert steps == [("fsdd-speaker", CLIPS, CLIPS)]
    assert second.audio_sha256() == first.audio_sha256()
    assert second.classes == ("ann", "bob")


def test_a_task_within_a_larger_set_downloads_it_for_both(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    (archive,) = files(miniature, "downloaded", tone).values()
    served = server.publish(ZIP, archive)
    data, steps = tmp_path / "data", Steps()
    data.mkdir()
    for task in (ESC10, ESC50, ESC10):
        source = replace(task.sources[0], archives=(served,))
        found = prepare(
            replace(task, sources=(source,)),
            data,
            index=tmp_path / "index",
            fetch=fetch,
            progress=steps,
        )
        assert set(found.clips["path"]) == {str(data / "esc50" / ZIP)}
    assert len(server.requests) == 1
    assert {path.name for path in data.iterdir()} == {"esc50"}
    # 20 of the 30 clips are those of ESC-10, measured by then; the third time is from the file.
    assert steps == [("esc10", 0, 20), ("esc10", 20, 20), ("esc50", 20, 30), ("esc50", 30, 30)]


def test_bad_audio_is_kept_for_the_harness_to_judge(data: Path) -> None:
    (data / "fsdd" / "recordings" / "3_ann_0.wav").write_bytes(b"nonsense")
    (data / "fsdd" / "recordings" / "3_ann_1.wav").write_bytes(b"")
    assert list(prepared(data).clips["frames"].iloc[:2]) == [0, 0]


def test_audio_of_another_rate_than_its_source_promises_is_named(data: Path, tone: Tone) -> None:
    (source,) = FSDD.sources
    promised = replace(FSDD, sources=(replace(source, sample_rate=8000),))
    clips = data / "fsdd" / "recordings"
    (clips / "3_ann_0.wav").write_bytes(b"nonsense")  # whether it may lack is not asked here
    assert len(prepared(data, promised).clips) == CLIPS
    (clips / "8_bob_2.wav").write_bytes(tone(0, rate=16_000))
    with pytest.raises(UserError, match=r"fsdd: expected 8000 Hz in .*8_bob_2\.wav, found 16000"):
        prepared(data, promised)
    assert len(prepared(data).clips) == CLIPS


def test_data_at_a_place_of_their_own_need_no_data_folder(data: Path, tmp_path: Path) -> None:
    there = replace(FSDD, dataset=str(data / "fsdd"))
    assert len(prepared(tmp_path / "none", there).clips) == CLIPS
    assert missing(there, tmp_path / "none", index=tmp_path / "other") is None
    assert verify(there, tmp_path / "none", index=tmp_path / "index") == []


def test_preparations_at_once_do_not_disturb_each_other(data: Path) -> None:
    found: list[Index] = []
    tasks = [FSDD, SPEAKER] * 3
    threads = [
        threading.Thread(target=lambda task=task: found.append(prepared(data, task)))
        for task in tasks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({index.audio_sha256() for index in found}) == 1
    assert len(found) == 6
    same(prepared(data), next(index for index in found if index.task is FSDD))


def test_missing_is_what_would_be_fetched(server: Server, tone: Tone, tmp_path: Path) -> None:
    (archive,) = files(miniature, "downloaded", tone).values()
    source = replace(ESC50.sources[0], archives=(server.publish(ZIP, archive),))
    task, data = replace(ESC50, sources=(source,)), tmp_path / "data"
    lacks = partial(missing, data=data, index=tmp_path / "index")
    for _ in range(2):  # whether or not the folder is there
        offered = lacks(task)
        assert offered is not None
        assert offered.folder == data / "esc50"
        assert [choice.bytes for choice in offered.choices] == [len(archive)]
        data.mkdir(exist_ok=True)
    assert server.requests == []
    write({f"esc10/{ZIP}": archive}, data)  # where only the smaller task looks
    assert lacks(task) is not None
    assert lacks(ESC10) is None
    write({f"esc50/{ZIP}": archive}, data)
    assert lacks(task) is None


def test_nothing_is_missing_where_the_data_are_unpacked_prepared_or_synthetic(
    data: Path, tmp_path: Path
) -> None:
    lacks = partial(missing, data=data, index=data.parent / "index")
    assert lacks(FSDD) is None
    prepared(data)
    assert lacks(without_readers(FSDD)) is None
    assert lacks(demo.TASK) is None
    (data / "fsdd" / "recordings" / "3_ann_0.wav").unlink()
    with pytest.raises(UserError, match="expected 20 clips in test, found 19"):
        lacks(FSDD)


def test_sound_data_are_found_sound(data: Path) -> None:
    prepared(data)
    steps = Steps()
    assert verify(FSDD, data, index=data.parent / "index", progress=steps) == []
    assert steps == [("fsdd", CLIPS, CLIPS)]


def test_a_clip_that_is_not_as_it_was_is_named(data: Path) -> None:
    prepared(data)
    folder = data / "fsdd" / "recordings"
    flipped = folder / "3_ann_0.wav"
    encoded = bytearray(flipped.read_bytes())
    encoded[100] ^= 1
    flipped.write_bytes(encoded)
    (folder / "8_bob_6.wav").unlink()
    changed, gone = verify(FSDD, data, index=data.parent / "index")
    assert changed.startswith(f"{flipped}: expected sha256 ")
    assert gone == f"{folder / '8_bob_6.wav'}: cannot be read: No such file or directory"


def test_an_archive_that_is_not_as_published_is_named_and_so_is_the_clip(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    (archive,) = files(miniature, "downloaded", tone).values()
    served = server.publish(ZIP, archive)
    task = replace(ESC50, sources=(replace(ESC50.sources[0], archives=(served,)),))
    data, index = tmp_path, tmp_path / "index"
    found = prepare(task, data, index=index, fetch=fetch)
    place = found.places()[7]
    damaged = bytearray(archive)
    damaged[place.offset + 60 + len(place.member)] ^= 1
    path = tmp_path / "esc50" / ZIP
    before = path.stat()
    path.write_bytes(damaged)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    whole, clip = verify(task, data, index=index)
    assert whole.startswith(f"{path}: expected {served.checksum.replace(':', ' ')}, found ")
    assert clip.startswith(f"{place}: ")


def test_a_clip_that_could_not_be_read_then_but_can_now_is_not_damaged(data: Path) -> None:
    index = prepared(data)
    (file,) = (data.parent / "index").glob("*.parquet")
    index.clips.loc[0, "sha256"] = ""
    save(index, file, "")
    assert verify(FSDD, data, index=data.parent / "index") == []


def test_a_clip_that_is_cut_short_is_no_audio_and_is_named(data: Path) -> None:
    clip = data / "fsdd" / "recordings" / "3_ann_0.wav"
    clip.write_bytes(clip.read_bytes()[:1000])
    index = prepared(data)
    assert index.clips["sample_rate"].tolist()[:2] == [0, 8000]
    (line,) = verify(FSDD, data, index=data.parent / "index")
    assert line == f"{clip}: expected audio that is all there, could not read it"


def test_what_waits_to_be_expanded_is_not_offered_for_download(tone: Tone, tmp_path: Path) -> None:
    """Under whatever name it lies there; one that was begun is offered all the same."""
    task = small(us8k.TASK, small_us8k)
    (archive,) = files(small_us8k, "downloaded", tone).values()
    write({"mine.tar.gz": archive}, tmp_path / "us8k")
    assert missing(task, tmp_path, index=tmp_path / "index") is None
    (tmp_path / "us8k" / "UrbanSound8K.tar.gz.part").write_bytes(b"begun")
    assert missing(task, tmp_path, index=tmp_path / "index") is not None


def test_only_a_prepared_task_can_be_verified(data: Path) -> None:
    with pytest.raises(UserError, match=r"fsdd: expected a prepared index in .*; prepare it first"):
        verify(FSDD, data, index=data.parent / "index")


def test_a_data_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    for act in (partial(prepare, fetch=keep), verify):
        with pytest.raises(UserError, match=r"expected a data folder at .*; create it"):
            act(FSDD, tmp_path / "none", index=tmp_path / "index")
