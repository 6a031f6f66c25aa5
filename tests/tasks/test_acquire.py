"""What a data set lacks, and getting it from a local server that may fail."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tasks import zenodo
from tasks.acquire import acquire, begun, offer, wanted
from tasks.download import fetch
from tasks.errors import UserError
from tasks.spec import Archive, Source, Task
from tasks.transfer import Patience
from tests.tasks.miniature import listing
from tests.tasks.server import status

TARS = {f"set_{number}.tar": bytes([number]) * 5000 for number in range(3)}
quickly = partial(fetch, patience=Patience(fruitless=2, first_wait=0.001, timeout=5))


def task(*sources: Source, **fields: object) -> Task:
    made = Task(
        name="set",
        version=1,
        title="A set",
        domain="speech",
        dataset="set",
        sources=sources,
        expected={},
        classes=1,
        reference="",
        footprint=1_000_000,
    )
    return replace(made, **fields)


def source(*archives: Archive, name: str = "official") -> Source:
    return Source(name=name, read=nothing, archives=archives)


def nothing(tree):
    raise FileNotFoundError


@pytest.fixture
def official(server) -> Source:
    files = {"audio.zip": b"zip" * 3000, "meta.zip": b"meta" * 10}
    return source(*(server.publish(name, content) for name, content in files.items()))


@pytest.fixture
def record(server) -> Source:
    """A source with a list of files, its tars and others."""
    others = {"README.md": b"read me", "sub55k.tar": b"again"}
    server.files |= TARS | others | {"7": listing(TARS | others, server.url(""))}
    told = replace(zenodo.record("7", licence="CC BY 4.0", about=20_000), urls=(server.url("7"),))
    return Source(name="X-ARES", read=nothing, listing=told, wanted=r"set_\d+\.tar")


@pytest.fixture
def locked() -> Source:
    """A source behind a form."""
    form = Archive(
        filename="wav.zip",
        urls=(),
        size=None,
        about=9_000,
        checksum=None,
        licence="research only",
        page="https://example.org/form",
        registration="the owner asks to sign a form first",
    )
    return source(form, replace(form, filename="test.zip"))


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if not file.name.endswith(".sha256")}


def test_what_is_wanted_is_known_once_the_list_is_there(record, tmp_path):
    assert wanted(record, tmp_path) == []
    fetch(record.listing, tmp_path)
    assert [found.filename for found in wanted(record, tmp_path)] == sorted(TARS)
    assert {found.size for found in wanted(record, tmp_path)} == {5000}


def test_a_damaged_list_is_named(record, tmp_path):
    (tmp_path / "zenodo-7.json").write_bytes(b"{}")
    with pytest.raises(UserError, match=r"zenodo-7\.json: expected the list .*; delete it so"):
        wanted(record, tmp_path)


@pytest.mark.parametrize(
    ("there", "is_begun"),
    [
        ([], False),
        (["other.zip"], False),
        (["audio.zip"], True),
        (["audio.zip.part"], True),
        (["audio.zip", "meta.zip"], False),
    ],
)
def test_what_was_begun(official, tmp_path, there, is_begun):
    for name in there:
        (tmp_path / name).write_bytes(b"x")
    assert begun(official, tmp_path) == is_begun


def test_a_record_is_begun_with_its_list_and_ended_with_its_files(record, tmp_path):
    assert not begun(record, tmp_path)
    fetch(record.listing, tmp_path)
    assert begun(record, tmp_path)
    for name in TARS:
        assert begun(record, tmp_path)
        (tmp_path / name).write_bytes(b"x")
    assert not begun(record, tmp_path)


def test_what_is_never_fetched_is_never_begun(locked, tmp_path):
    (tmp_path / "wav.zip").write_bytes(b"x")
    assert not begun(locked, tmp_path)


def test_an_offer_counts_what_is_still_to_come(official, record, server, tmp_path):
    folder = tmp_path / "set"
    made = offer(task(official, record), tmp_path)
    assert (made.task, made.folder, folder.exists()) == ("set", folder, False)
    first, second = made.choices
    assert made.choice == first
    assert (first.source, first.bytes, first.disk, first.fits) == ("official", 9040, 9040, True)
    assert (first.licences, first.pages) == (("CC BY 4.0",), ("https://example.org/set",))
    assert (first.hosts, first.registrations) == (("127.0.0.1",), ())
    assert (second.source, second.bytes, second.missing) == ("X-ARES", 20_000, (record.listing,))
    folder.mkdir()
    (folder / "audio.zip.part").write_bytes(b"zip" * 1000)
    (folder / "meta.zip").write_bytes(b"meta" * 10)
    fetch(record.listing, folder)
    (folder / "set_0.tar").write_bytes(TARS["set_0.tar"])
    first, second = offer(task(official, record), tmp_path).choices
    assert (first.bytes, [found.filename for found in first.missing]) == (6000, ["audio.zip"])
    assert (second.bytes, len(second.missing)) == (10_000, 2)
    assert server.requests == [("/7", None)]  # by fetch; an offer asks the disk only


def test_an_offer_begins_with_what_was_begun(official, record, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "zenodo-7.json.part").write_bytes(b"{")
    made = offer(task(official, record), tmp_path)
    assert [choice.source for choice in made.choices] == ["X-ARES", "official"]


def test_an_offer_for_a_task_within_another_data_set(official, tmp_path):
    assert offer(task(official, within="larger"), tmp_path).folder == tmp_path / "larger"


def test_an_offer_counts_what_is_expanded(official, tmp_path):
    large, small = official.archives
    packed = source(
        replace(large, filename="train.tar.gz", size=30), replace(small, filename="b.tgz", size=10)
    )
    (tmp_path / "set").mkdir()
    disk = [40 + 1_000_000, 10 + 250_000, 0]
    for needed, tar in zip(disk, ("train.tar", "b.tar", ""), strict=True):
        assert offer(task(packed), tmp_path).choices[0].disk == needed
        (tmp_path / "set" / (tar or "x")).write_bytes(b"x")


def test_an_offer_that_does_not_fit(official, tmp_path):
    huge = source(replace(official.archives[0], size=10**18))
    choice = offer(task(huge), tmp_path).choices[0]
    assert not choice.fits
    with pytest.raises(UserError, match=r"needs 1,000,000,000,000,000,000 bytes, [\d,]+ are free"):
        acquire(task(huge), tmp_path, quickly)
    assert list(tmp_path.iterdir()) == []


def test_an_offer_tells_of_a_registration_with_a_copy_too(locked, record, tmp_path):
    made = offer(task(locked, record), tmp_path)
    assert made.registrations == ("the owner asks to sign a form first",)
    assert made.choice == made.choices[1]
    assert made.choices[0].hosts == ()
    assert offer(task(locked), tmp_path).choice is None


def test_the_first_source_that_works_is_enough(official, record, server, tmp_path):
    acquire(task(official, record), tmp_path / "set", quickly)
    assert names(tmp_path / "set") == {"audio.zip", "meta.zip"}
    server.requests.clear()
    acquire(task(official, record), tmp_path / "set", quickly)
    assert server.requests == []


def test_a_record_is_fetched_file_by_file(record, tmp_path):
    acquire(task(record), tmp_path, quickly)
    assert names(tmp_path) == {"zenodo-7.json", *TARS}
    assert {name: (tmp_path / name).read_bytes() for name in TARS} == TARS


def test_the_next_source_where_one_fails(official, record, server, tmp_path):
    del server.files["meta.zip"]
    acquire(task(official, record), tmp_path, quickly)
    assert names(tmp_path) >= {"zenodo-7.json", *TARS}


def test_what_was_begun_is_ended_first(official, record, server, tmp_path):
    server.faults = [status(404)]
    with pytest.raises(UserError, match="X-ARES: cannot download"):
        acquire(task(record), tmp_path, quickly)
    fetch(record.listing, tmp_path)
    acquire(task(official, record), tmp_path, quickly)
    assert names(tmp_path) == {"zenodo-7.json", *TARS}


def test_where_no_source_works_each_has_its_reason(official, record, server, tmp_path):
    server.files = {"audio.zip": server.files["audio.zip"], "7": b'{"status": 500}'}
    with pytest.raises(UserError) as caught:
        acquire(task(official, record), tmp_path, quickly)
    message = str(caught.value)
    assert message.startswith("set: cannot get the data; official: cannot download meta.zip: tried")
    assert f"X-ARES: {tmp_path}/zenodo-7.json: expected the list of the files" in message
    assert "\n" not in message
    assert "audio.zip" in names(tmp_path)


def test_what_asks_for_registration_is_never_fetched(locked, official, server, tmp_path):
    message = (
        r"official: the owner asks to sign a form first \(see https://example.org/form\), then "
        rf"put wav\.zip, test\.zip into {tmp_path}$"
    )
    with pytest.raises(UserError, match=message):
        acquire(task(locked), tmp_path, quickly)
    assert server.requests == []
    (tmp_path / "wav.zip").write_bytes(b"x")
    with pytest.raises(UserError, match=rf"put test\.zip into {tmp_path}$"):
        acquire(task(locked), tmp_path, quickly)
    acquire(task(locked, replace(official, name="copy")), tmp_path, quickly)
    assert names(tmp_path) == {"wav.zip", "audio.zip", "meta.zip"}


def test_what_a_list_will_name_is_counted_with_its_expansion(record, tmp_path):
    """Before the list is there, by what is wanted of it."""
    packed = replace(record, wanted=r"set_0\.tar\.gz")
    disks = [offer(task(each), tmp_path).choices[0].disk for each in (record, packed)]
    assert disks == [20_000, 20_000 + 1_000_000]


def test_a_source_that_the_disk_has_no_room_for_comes_last(official, record, tmp_path):
    huge = replace(official.archives[0], size=None, about=10**18)
    made = task(replace(official, archives=(huge,)), record)
    assert [choice.source for choice in offer(made, tmp_path).choices] == ["X-ARES", "official"]
    acquire(made, tmp_path / "set", quickly)
    assert {*TARS} <= names(tmp_path / "set")
    assert huge.filename not in names(tmp_path / "set")
