"""The HEAR task directory: read from wherever it lies, and refused in one line."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import hear_layout
from tasks.archive import Tree, read_bytes
from tasks.errors import UserError
from tasks.hear_metadata import Kind
from tasks.spec import Event, Labels
from tests.tasks.layouts import write
from tests.tasks.miniature import hear, tarred
from tests.tasks.miniature.mixtures import Mixture

Tone = Callable[..., bytes]
RATES = (48_000, 32_000, 16_000)
EVENTS = [Event("knock", 100.0, 250.0), Event("cough", 220.5, 220.5), Event("knock", 900.0, 2e5)]


@pytest.fixture
def commands(tone: Tone) -> hear.Miniature:
    return hear.commands(hear.tones(tone))


@pytest.fixture
def office(tone: Tone) -> hear.Miniature:
    """Of one file each; its events are told neither in order of time nor within the clip."""
    shuffled = [EVENTS[2], EVENTS[0], EVENTS[1]]
    heard = {"train": shuffled, "valid": [], "test": EVENTS[:1]}
    return hear.office({s: {f"{s}.wav": Mixture(tone(0), told)} for s, told in heard.items()})


def kind(small: hear.Miniature) -> Kind:
    told = small.metadata
    return Kind(small.name, told["embedding_type"], told["prediction_type"])


def read(small: hear.Miniature, folder: Path, rate: int = 16_000) -> Labels:
    return hear_layout.read(Tree(folder, 10**8), kind=kind(small), rate=rate, others=RATES)


def refused(
    small: hear.Miniature, change: Mapping[str, bytes | None], folder: Path, message: str
) -> None:
    """With other files, or without those that are None, the directory is refused in one line."""
    files = {**small.unpacked(16_000), **change}
    write({name: data for name, data in files.items() if data is not None}, folder)
    with pytest.raises(UserError, match=message) as caught:
        read(small, folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def encoded(told: object) -> bytes:
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "prefix", ["", "tasks/", "hear-2021.1.1/tasks/", "a.tar/tasks/", "a.tar/", "b.tar/x/y/z/"]
)
def test_it_may_lie_anywhere(prefix: str, commands: hear.Miniature, tmp_path: Path) -> None:
    files = {f"{prefix}{name}": data for name, data in commands.unpacked(16_000).items()}
    if ".tar/" in prefix:
        held = {name.partition("/")[2]: data for name, data in files.items()}
        files = {prefix.partition("/")[0]: tarred(held)}
    write(files, tmp_path)
    found = read(commands, tmp_path)
    assert found.classes == ("0", "1", "2")
    assert {clip.id: (clip.split, clip.labels) for clip in found.clips} == {
        file.removesuffix(".wav"): (split, tuple(labels))
        for split, of in commands.listed.items()
        for file, labels in of.items()
    }
    for clip in found.clips:
        audio = commands.audio(clip.split, f"{clip.id}.wav", 16_000)
        assert read_bytes(clip.place) == audio
        assert (clip.group, clip.events) == ("", ())


def test_every_rate_is_the_same_clips_with_their_own_audio(
    commands: hear.Miniature, tmp_path: Path
) -> None:
    write(commands.unpacked(16_000, 32_000), tmp_path)
    low, high = read(commands, tmp_path, 16_000), read(commands, tmp_path, 32_000)
    facts = [[(c.id, c.split, c.labels) for c in found.clips] for found in (low, high)]
    assert facts[0] == facts[1]
    assert "/16000/" in low.clips[0].place.path
    assert "/32000/" in high.clips[0].place.path


def test_archives_of_different_rates_lie_side_by_side(
    commands: hear.Miniature, tmp_path: Path
) -> None:
    for rate in (16_000, 48_000):
        files = {f"tasks/{commands.name}/{n}": d for n, d in commands.unpacked(rate).items()}
        write({f"{rate}.tar": tarred(files)}, tmp_path)
    for rate in (16_000, 48_000):
        paths = {clip.place.path for clip in read(commands, tmp_path, rate).clips}
        assert paths == {str(tmp_path / f"{rate}.tar")}


def test_of_two_copies_the_nearer_is_read(commands: hear.Miniature, tmp_path: Path) -> None:
    files = commands.unpacked(16_000)
    write(files | {f"a/copy/{name}": data for name, data in files.items()}, tmp_path)
    assert all("copy" not in clip.place.path for clip in read(commands, tmp_path).clips)


def test_another_task_beside_it_is_left_alone(
    commands: hear.Miniature, tone: Tone, tmp_path: Path
) -> None:
    write(hear.voices(hear.tones(tone)).unpacked(16_000), tmp_path / "a")
    write(commands.unpacked(16_000), tmp_path / "deeper" / "b")
    assert all("deeper" in clip.place.path for clip in read(commands, tmp_path).clips)


def test_labels_that_are_numbers_become_text_in_their_order(tone: Tone, tmp_path: Path) -> None:
    voices = hear.voices(hear.tones(tone), labels=[2, 9, 10, 11])
    write(voices.unpacked(16_000), tmp_path)
    found = read(voices, tmp_path)
    assert found.classes == ("2", "9", "10", "11")
    present = {split: set[str]() for split in ("fold00", "fold01", "fold02")}
    for clip in found.clips:
        present[clip.split] |= set(clip.labels)
    assert present["fold01"] == {"2", "9", "10"}  # a fold without one class is no fault
    assert present["fold00"] == present["fold02"] == {"2", "9", "10", "11"}


def test_several_labels_one_or_none(tone: Tone, tmp_path: Path) -> None:
    tags = hear.tags(hear.tones(tone))
    write(tags.unpacked(16_000), tmp_path)
    found = [clip.labels for clip in read(tags, tmp_path).clips if clip.split == "fold02"]
    assert found == [("0",), ("1",), ("0", "1"), (), ("0", "2"), ("2",)]


def test_events_are_in_order_of_time_and_may_end_after_the_clip(
    office: hear.Miniature, tmp_path: Path
) -> None:
    write(office.unpacked(16_000), tmp_path)
    found = read(office, tmp_path)
    assert found.classes == ("cough", "knock")
    train, valid, test = found.clips
    assert train.events == tuple(EVENTS)
    assert train.labels == ("cough", "knock")
    assert (valid.events, valid.labels) == ((), ())
    assert (test.events, test.labels) == ((EVENTS[0],), ("knock",))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["knock", "cough"]), st.integers(0, 99), st.integers(0, 99)),
        max_size=8,
    )
)
def test_no_event_is_lost(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, int, int]]
) -> None:
    events = [Event(label, start / 8, (start + length) / 8) for label, start, length in told]
    heard = {"train": events, "valid": EVENTS, "test": []}
    small = hear.office({s: {f"{s}.wav": Mixture(b"", of)} for s, of in heard.items()})
    folder = tmp_path_factory.mktemp("office")
    write(small.unpacked(16_000), folder)
    (train,) = [clip for clip in read(small, folder).clips if clip.split == "train"]
    assert sorted(train.events) == sorted(events)
    starts = [event.start for event in train.events]
    assert starts == sorted(starts)
    assert set(train.labels) == {event.label for event in events}


def test_the_vocabulary_is_read_by_number(commands: hear.Miniature, tmp_path: Path) -> None:
    table = b'\xef\xbb\xbflabel,idx,count\r\n2,1,5\r\n"0",0,5\r\n"1",2,7\r\n'
    write({**commands.unpacked(16_000), "labelvocabulary.csv": table}, tmp_path)
    assert read(commands, tmp_path).classes == ("0", "2", "1")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "csv: expected a file, found none"),
        (b"idx,label\n0,0\n2,1\n3,2\n", "each idx from 0 to 2 once, found no 1"),
        (b"idx,label\n0,0\n1,1\n1,2\n", "each idx from 0 to 2 once, found no 2"),
        (b"idx,label\n0.0,0\n1.0,1\n2.0,2\n", "each idx from 0 to 2 once, found no 0"),
        (b"idx,label\n0,0\n1,1\n2,1\n", "each label once, found 1 2 times"),
        (b"idx,label\n", "expected rows in labelvocabulary.csv, found none"),
        (b"idx,name\n0,0\n", "expected columns idx, label in labelvocabulary.csv"),
        (b"idx,label\n0,0\n1,1\n", r"train\.json: clip002\.wav: expected labels of .*, found 2"),
    ],
)
def test_a_faulty_vocabulary_is_refused(
    table: bytes | None, message: str, commands: hear.Miniature, tmp_path: Path
) -> None:
    refused(commands, {"labelvocabulary.csv": table}, tmp_path, message)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (None, r"valid\.json: expected a file, found none"),
        (b'{"clip018.wav": ', r"valid\.json: expected JSON, found Expecting value"),
        (b'["clip018.wav"]', r"valid\.json: expected a JSON object, found"),
        (b"{}", r"valid\.json: expected files, found none"),
        (b'{"clip018.wav": "1"}', r"valid\.json: clip018\.wav: expected a list, found 1"),
        (b'{"clip018.wav": []}', r"clip018\.wav: expected one label, found \[\]"),
        (b'{"clip018.wav": ["1", "2"]}', r'clip018\.wav: expected one label, found \["1", "2"\]'),
        (b'{"clip018.wav": ["7"]}', r"clip018\.wav: expected labels of labelvocabulary.csv, found"),
        (b'{"clip018.wav": [["1"]]}', "expected labels of labelvocabulary.csv, found"),
        (b'{"clip018.wav": [{"label": "1"}]}', "expected labels of labelvocabulary.csv, found"),
    ],
)
def test_a_faulty_list_of_files_is_refused(
    told: bytes | None, message: str, commands: hear.Miniature, tmp_path: Path
) -> None:
    refused(commands, {"valid.json": told}, tmp_path, message)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"label": "knock", "start": 2, "end": 1}, r"ms from 0, in this order, found \[2, 1\]"),
        ({"label": "knock", "start": -0.5, "end": 1}, r"in ms from 0, .*, found \[-0.5, 1\]"),
        ({"label": "knock", "start": "0", "end": 1}, r"in ms .*, found \[\"0\", 1\]"),
        ({"label": "knock", "start": None, "end": 1}, r"in ms .*, found \[null, 1\]"),
        ({"label": "knock", "start": True, "end": 1}, r"in ms .*, found \[true, 1\]"),
        ({"label": "knock", "start": 0, "end": float("nan")}, r"in ms .*, found \[0, NaN\]"),
        ({"label": "knock", "start": 0, "end": float("inf")}, r"in ms .*, found \[0, Inf"),
        ({"label": "knock", "start": 0, "end": 10**400}, r"in ms .*, found \[0, 1000"),
        ({"label": "knock", "start": 0}, "events with label, start and end, found"),
        (["knock", 0, 1], r'events with label, start and end, found \["knock", 0, 1\]'),
        ("knock", "events with label, start and end, found knock"),
        ({"label": "bark", "start": 0, "end": 1}, "labels of labelvocabulary.csv, found bark"),
    ],
)
def test_a_faulty_event_is_refused(
    event: Any, message: str, office: hear.Miniature, tmp_path: Path
) -> None:
    told = encoded({"test.wav": [EVENTS[0]._asdict(), event]})
    refused(office, {"test.json": told}, tmp_path, rf"test\.json: test\.wav: expected .*{message}")


def test_missing_audio_is_counted(commands: hear.Miniature, tmp_path: Path) -> None:
    lost = {f"16000/test/clip{number:03d}.wav": None for number in range(24, 30)}
    message = "clip024.wav: expected audio, found none, nor of 5 other files; restore"
    refused(commands, lost, tmp_path / "six", message)
    one = {"16000/test/clip024.wav": None}
    message = "clip024.wav: expected audio, found none; restore"
    refused(commands, one, tmp_path / "one", message)


@pytest.mark.parametrize("file", ["clip000.wav", "clip000.flac"])
def test_a_name_belongs_to_one_split(file: str, commands: hear.Miniature, tmp_path: Path) -> None:
    told = {"test.json": encoded({file: ["1"]}), f"16000/test/{file}": b""}
    refused(commands, told, tmp_path, r"no other file has, found it in train as well")


def test_another_rate_that_would_do_is_another_source(
    commands: hear.Miniature, tmp_path: Path
) -> None:
    write(commands.unpacked(32_000), tmp_path)
    message = "expected the audio in a folder 16000/ or 48000/, found 32000/"
    with pytest.raises(FileNotFoundError, match=message):
        read(commands, tmp_path)


@pytest.mark.parametrize("rates", [(8_000,), (8_000, 11_025)])
def test_only_rates_that_never_would_do_are_a_fault(
    rates: tuple[int, ...], commands: hear.Miniature, tmp_path: Path
) -> None:
    folders = ", ".join(f"{rate}/" for rate in rates)
    write(commands.unpacked(*rates), tmp_path)
    message = f"expected the audio in a folder 16000/ or 48000/, found {folders};"
    with pytest.raises(UserError, match=message):
        read(commands, tmp_path)
    assert hear_layout.rates(Tree(tmp_path, 10**8), "") == set(rates)


def test_where_there_is_no_directory_it_may_be_had(
    commands: hear.Miniature, tmp_path: Path
) -> None:
    write({"train.json": b"{}", "x.task_metadata.json": b"{}"}, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no task_metadata\.json in"):
        read(commands, tmp_path)


def test_another_task_in_its_place_is_refused(
    commands: hear.Miniature, tone: Tone, tmp_path: Path
) -> None:
    write(hear.voices(hear.tones(tone)).unpacked(16_000), tmp_path)
    expected = "speech_commands-v0.0.2-5h scene multiclass"
    found = "libricount-v1.0.0-hear2021-full scene multiclass"
    with pytest.raises(UserError, match=f"expected the HEAR task {expected}, found {found};"):
        read(commands, tmp_path)
