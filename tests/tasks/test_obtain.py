"""What is there is read, what is begun is ended, what is wrong is told."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tasks import esc50
from tasks.archive import Tree
from tasks.download import fetch
from tasks.errors import UserError
from tasks.measure import Measurements
from tasks.obtain import Found, look, obtain
from tasks.spec import Archive, Clip, Labels, Source, Task
from tasks.transfer import Patience
from tests.tasks.layouts import files, keep, small, write
from tests.tasks.miniature import esc50 as miniature
from tests.tasks.miniature import listing, tarred, zipped
from tests.tasks.server import Server

Tone = Callable[..., bytes]
TASK = small(esc50.TASK, miniature)
ZIP = esc50.ARCHIVE.filename
quickly = partial(fetch, patience=Patience(fruitless=2, first_wait=0.001, timeout=5))


def obtained(task: Task, folder: Path, fetch: Callable[[Archive, Path], Path] = keep) -> Found:
    kept = Measurements(folder.parent / "index" / "kept.parquet")
    return obtain(task, [folder], fetch, kept)


def served(server: Server, tone: Tone) -> Task:
    """The task with both sources on the local server; the zip with a checksum, as the tars."""
    official, xares = TASK.sources
    assert xares.listing is not None
    (zip,) = files(miniature, "downloaded", tone).values()
    record = files(miniature, "X-ARES", tone)
    told = replace(xares.listing, urls=(server.url("record"),))
    server.files |= record | {"record": listing(record, server.url(""))}
    archives = (server.publish(ZIP, zip),)
    return replace(
        TASK, sources=(replace(official, archives=archives), replace(xares, listing=told))
    )


def asked(server: Server) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in server.requests]


def test_what_is_there_is_read_and_nothing_fetched(tone: Tone, tmp_path: Path) -> None:
    for form, source in (("downloaded", "official"), ("X-ARES", "X-ARES")):
        write(files(miniature, form, tone), tmp_path / form)
        found = obtained(TASK, tmp_path / form)
        assert (found.source, len(found.labels.clips)) == (source, miniature.CLIPS)
        assert look(TASK, [tmp_path / form]) == found


def test_where_there_is_nothing_the_first_source_is_fetched(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    task = served(server, tone)
    assert look(task, [tmp_path / "esc50"]) is None
    assert obtained(task, tmp_path / "esc50", quickly).source == "official"
    assert asked(server) == [ZIP]


def test_where_the_first_source_fails_the_second_is_fetched(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    task = served(server, tone)
    del server.files[ZIP]
    assert obtained(task, tmp_path / "esc50", quickly).source == "X-ARES"
    assert len(set(asked(server))) == 1 + 1 + 10


def test_an_incomplete_source_does_not_hide_a_complete_one(tone: Tone, tmp_path: Path) -> None:
    unpacked = files(miniature, "at the top", tone)
    lacking = {name: data for name, data in unpacked.items() if not name.endswith("-A-0.wav")}
    write(lacking, tmp_path / "esc50")
    with pytest.raises(UserError, match=r"expected audio for 30 rows .* 5 have none"):
        obtained(TASK, tmp_path / "esc50")
    write(files(miniature, "X-ARES", tone), tmp_path / "esc50")
    assert obtained(TASK, tmp_path / "esc50").source == "X-ARES"


def test_an_interrupted_download_goes_on(server: Server, tone: Tone, tmp_path: Path) -> None:
    """Of the record one tar came, and of another the half."""
    task = served(server, tone)
    record = files(miniature, "X-ARES", tone)
    first, second, *others = sorted(record)
    half = len(record[second]) // 2
    there = {"zenodo-14614287.json": server.files["record"], first: record[first]}
    write(there | {f"{second}.part": record[second][:half]}, tmp_path / "esc50")
    assert look(task, [tmp_path / "esc50"]) is None
    assert obtained(task, tmp_path / "esc50", quickly).source == "X-ARES"
    assert sorted(asked(server)) == sorted([second, *others])
    assert dict(server.requests)[f"/{second}"] == f"bytes={half}-"
    assert (tmp_path / "esc50" / second).read_bytes() == record[second]


def test_a_wrong_checksum_is_told_and_nothing_fetched_over_it(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    task = served(server, tone)
    write({ZIP: server.files[ZIP][:-1] + b"!"}, tmp_path / "esc50")
    with pytest.raises(UserError, match=rf"{ZIP}: expected sha256 .*delete it"):
        obtained(task, tmp_path / "esc50", quickly)
    assert asked(server) == []


def test_archives_are_verified_once_also_where_no_note_can_be_left(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    """In a folder that cannot be written there is no .sha256 beside the archive."""
    task, seen = served(server, tone), []

    def verify(archive: Archive, folder: Path) -> Path:
        seen.append(archive.filename)
        return keep(archive, folder)

    write({ZIP: server.files[ZIP]}, tmp_path / "esc50")
    for _ in range(3):
        obtained(task, tmp_path / "esc50", verify)
    assert seen == [ZIP]


def test_what_cannot_be_read_in_place_is_expanded_after_it_was_verified(
    server: Server, tone: Tone, tmp_path: Path
) -> None:
    unpacked = files(miniature, "unpacked", tone)
    archive = server.publish("set.tar.gz", tarred(unpacked, "w:gz"))
    task = replace(TASK, sources=(replace(TASK.sources[0], archives=(archive,)),))
    folder = tmp_path / "esc50"
    write({"set.tar.gz": server.files["set.tar.gz"] + b"more"}, folder)
    with pytest.raises(UserError, match=r"set\.tar\.gz: expected \d+ bytes"):
        obtained(task, folder, quickly)
    assert not (folder / "set.tar").exists()
    (folder / "set.tar.gz").unlink()
    steps: list[tuple[str, int, int | None]] = []
    kept = Measurements(tmp_path / "kept.parquet")
    found = obtain(task, [folder], quickly, kept, lambda *step: steps.append(step))
    assert found.labels.clips[0].place.path == str(folder / "set.tar")
    assert steps[-1][0] == "set.tar"
    assert asked(server) == ["set.tar.gz"]


def test_other_files_than_the_data_set_are_told(server: Server, tone: Tone, tmp_path: Path) -> None:
    task = served(server, tone)
    moved = server.publish(ZIP, zipped({"README.md": b"moved"}))
    task = replace(task, sources=(replace(task.sources[0], archives=(moved,)),))
    with pytest.raises(UserError, match=r"esc50: expected the data set in .*found other files"):
        obtained(task, tmp_path / "esc50", quickly)


def test_what_only_the_owner_gives_is_not_fetched(tmp_path: Path) -> None:
    form = replace(esc50.ARCHIVE, registration="the owner asks to sign a form", urls=())
    task = replace(TASK, sources=(replace(TASK.sources[0], archives=(form,)),))
    with pytest.raises(UserError, match=rf"sign a form .*put {ZIP} into {tmp_path / 'esc50'}"):
        obtained(task, tmp_path / "esc50")


def numbered(tree: Tree) -> Labels:
    """Files {class}-{number}.{split}: the number is the clip."""
    names = [name.partition(".") for name in tree.names]
    if not names:
        raise FileNotFoundError(f"nothing in {tree.folder}")
    clips = [
        Clip(
            id=stem.partition("-")[2],
            place=tree.place(f"{stem}.{split}"),
            labels=(stem.partition("-")[0],),
            split=split,
            group="",
        )
        for stem, _, split in names
    ]
    return Labels(clips=clips, classes=tuple(sorted({clip.labels[0] for clip in clips})))


def synthetic(folder: Path) -> None:
    write({"a-1.train": b"1", "b-2.train": b"2", "a-3.test": b"3"}, folder)


MADE = replace(
    TASK,
    name="made",
    sources=(Source(name="synthesised", read=numbered),),
    synthesise=synthetic,
    expected={"train": 2, "test": 1},
    classes=2,
)


def test_a_synthetic_data_set_is_made_once(tmp_path: Path) -> None:
    found = obtained(MADE, tmp_path / "made")
    first = (tmp_path / "made").stat().st_ino
    assert obtained(MADE, tmp_path / "made") == found
    assert (tmp_path / "made").stat().st_ino == first
    assert {path.name for path in tmp_path.iterdir()} == {"made"}


def test_a_broken_making_leaves_nothing(tmp_path: Path) -> None:
    def breaks(folder: Path) -> None:
        synthetic(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match=r"cannot write .*: No space left on device; name another"):
        obtained(replace(MADE, synthesise=breaks), tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a-9.test": b""}, "expected 1 clips in test, found 2 .*holds clips of another version"),
        ({"a-3.test": None}, "expected 1 clips in test, found 0 .*is incomplete"),
        ({"a-9.valid": b""}, "expected 0 clips in valid, found 1"),
        ({"b-2.train": None, "a-2.train": b""}, r"expected 2 classes, found 1 .*\(a, …\)"),
        ({"b-2.train": None, "b-1.train": b""}, "every clip once, found 1 twice .*first is 1;"),
    ],
)
def test_other_numbers_than_the_official_ones_are_told(
    change: dict[str, bytes | None], message: str, tmp_path: Path
) -> None:
    synthetic(tmp_path / "made")
    for name, data in change.items():
        if data is None:
            (tmp_path / "made" / name).unlink()
        else:
            (tmp_path / "made" / name).write_bytes(data)
    with pytest.raises(UserError, match=message) as caught:
        obtained(MADE, tmp_path / "made")
    assert "\n" not in str(caught.value)


def test_a_data_set_without_official_numbers_is_taken_as_it_is(tmp_path: Path) -> None:
    synthetic(tmp_path / "made")
    write({"b-4.valid": b""}, tmp_path / "made")
    assert len(obtained(replace(MADE, expected={}), tmp_path / "made").labels.clips) == 4


def test_of_a_task_judged_by_events_a_class_may_lack(tmp_path: Path) -> None:
    synthetic(tmp_path / "made")
    events = replace(MADE, classes=3, timestamps=True)
    assert obtained(events, tmp_path / "made").labels.classes == ("a", "b")
    for task in (replace(MADE, classes=3), replace(events, classes=1)):
        with pytest.raises(UserError, match=rf"expected {task.classes} classes, found 2"):
            obtained(task, tmp_path / "made")


def test_what_lies_nowhere_and_is_nowhere_to_be_had_is_told(tmp_path: Path) -> None:
    task = replace(MADE, synthesise=None)
    for act in (obtained, lambda task, folder: look(task, [folder])):
        with pytest.raises(UserError, match=r"^made: nothing in .*/made; put it there$"):
            act(task, tmp_path / "made")
    assert look(MADE, [tmp_path / "made"]) is None


def test_the_stamp_is_of_what_was_read(tmp_path: Path) -> None:
    first = obtained(MADE, tmp_path / "made")
    (tmp_path / "made" / "a-1.train").write_bytes(hashlib.sha256().digest())
    second = obtained(MADE, tmp_path / "made")
    assert first.labels == second.labels
    assert first.stamp != second.stamp


def test_a_damaged_list_of_one_source_leaves_the_other_alone(tone: Tone, tmp_path: Path) -> None:
    write(files(miniature, "downloaded", tone), tmp_path / "esc50")
    listing_there = TASK.sources[1].listing
    assert listing_there is not None
    (tmp_path / "esc50" / listing_there.filename).write_text("<html>")
    assert obtained(TASK, tmp_path / "esc50").source == "official"
