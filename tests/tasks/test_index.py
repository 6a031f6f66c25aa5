"""The index: what a run asks of it, and that it is kept as it was made."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import fsdd
from tasks.archive import Place
from tasks.errors import UserError
from tasks.index import Index, build, load, save
from tasks.measure import Measure
from tasks.spec import Clip, Event, Labels

COLUMNS = [
    *("id", "source", "path", "member", "offset", "stored", "size", "deflated", "crc32"),
    *("frames", "sample_rate", "labels", "split", "group", "sha256", "events"),
]


def make(number: int, **fields: object) -> Clip:
    name = f"clip {number * 7 % 30:02d}"
    place = Place(path=f"/data/{name}.wav")
    clip = Clip(
        id=name,
        place=place,
        labels=("ab"[number % 2],),
        split="test" if number % 3 else "train",
        group="",
    )
    return replace(clip, **fields)


def index_of(clips: list[Clip], classes: tuple[str, ...] = ("b", "a")) -> Index:
    measures = [Measure(n, 8000, hashlib.sha256(b"%d" % n).hexdigest()) for n in range(len(clips))]
    return build(fsdd.TASK, Labels(clips=clips, classes=classes), "official", measures)


@pytest.fixture
def index() -> Index:
    return index_of([make(number) for number in range(28)])


def test_rows_are_sorted_and_targets_follow_the_classes(index: Index) -> None:
    assert list(index.clips.columns) == COLUMNS
    assert list(index.clips["id"]) == sorted(index.clips["id"])
    names = [index.classes[target] for target in index.targets()]
    assert names == [names[0] for names in index.clips["labels"]]
    assert set(index.clips["source"]) == {index.source} == {"official"}


def test_multilabel_targets() -> None:
    labels: list[tuple[str, ...]] = [("a",), ("b", "a"), ()]
    found = index_of([make(n, id=str(n), labels=names) for n, names in enumerate(labels)])
    targets = replace(found, task=replace(fsdd.TASK, multilabel=True)).targets()
    assert targets.tolist() == [[False, True], [True, True], [False, False]]


def test_places_are_those_of_the_clips() -> None:
    whole = Place(path="/data/a.wav")
    inside = Place(
        path="/data/a.zip",
        member="deep/ä.wav",
        offset=1 << 40,
        stored=7,
        size=9,
        deflated=True,
        crc32=(1 << 32) - 1,
    )
    index = index_of([make(0, id="a", place=whole), make(1, id="b", place=inside)])
    assert index.places() == [whole, inside]
    assert index_of([make(0, id="a", place=whole)]).places() == [whole]


def test_identities_are_these_digests(index: Index) -> None:
    """The embeddings and records that people have were filed under them."""
    audio, data = hashlib.sha256(), hashlib.sha256()
    for row in index.clips.to_dict("records"):
        audio.update(json.dumps([row["id"], row["sha256"]]).encode() + b"\n")
        facts = [row[name] for name in ("id", "sha256", "labels", "split", "group")]
        data.update(json.dumps(facts).encode() + b"\n")
    data.update(b'["b", "a"]\n')
    assert (index.audio_sha256(), index.data_sha256) == (audio.hexdigest(), data.hexdigest())


@pytest.mark.parametrize(
    "change", [{"labels": ("b",)}, {"split": "valid"}, {"group": "g"}, {"id": "clip 00x"}]
)
def test_whatever_is_measured_is_part_of_the_identity(
    index: Index, change: dict[str, object]
) -> None:
    clips = [make(number) for number in range(28)]
    assert index_of(clips).data_sha256 == index.data_sha256
    assert index_of([replace(clips[0], **change), *clips[1:]]).data_sha256 != index.data_sha256
    assert index_of(clips, classes=("a", "b")).data_sha256 != index.data_sha256
    moved = replace(clips[0], place=Place(path="/elsewhere/a.wav"))
    assert index_of([moved, *clips[1:]]).data_sha256 == index.data_sha256


def test_events_are_part_of_the_identity_where_they_are_judged() -> None:
    clips = [make(number, events=(Event("a", 0.0, 99.5),)) for number in range(3)]
    moved = [replace(clips[0], events=(Event("a", 0.5, 99.5),)), *clips[1:]]
    for judged in (True, False):
        task = replace(fsdd.TASK, timestamps=judged)
        one, other = (
            build(task, Labels(clips=of, classes=("a",)), "official", [Measure(1, 8000, "x")] * 3)
            for of in (clips, moved)
        )
        assert (one.data_sha256 == other.data_sha256) == (not judged)
        assert one.audio_sha256() == other.audio_sha256()
        assert one.limited(3).data_sha256 == one.data_sha256


@pytest.mark.parametrize("n", [1, 2, 9, 27, 28, 500])
def test_limited_is_balanced_nested_and_another_identity(index: Index, n: int) -> None:
    few = index.limited(n)
    assert len(few.clips) == min(n, 28)
    counts = np.bincount(few.targets(), minlength=2)
    assert abs(counts[0] - counts[1]) <= 1
    assert set(few.clips["id"]) <= set(index.limited(n + 1).clips["id"])
    assert list(few.clips["id"]) == sorted(few.clips["id"])
    assert (few.data_sha256 == index.data_sha256) == (n >= 28)


def test_a_limit_of_nothing_is_refused(index: Index) -> None:
    with pytest.raises(UserError, match="at least 1 clip"):
        index.limited(0)


text = st.text(max_size=5)
place = st.builds(
    Place,
    path=text,
    member=text,
    offset=st.integers(0, 2**62),
    deflated=st.booleans(),
    crc32=st.none() | st.integers(0, 2**32 - 1),
)
time = st.floats(-1e9, 1e9)
event = st.builds(Event, label=text, start=time, end=time)
clips = st.lists(
    st.builds(
        Clip,
        id=text,
        place=place,
        labels=st.tuples(text),
        split=text,
        group=text,
        events=st.lists(event, max_size=3).map(tuple),
    ),
    unique_by=lambda clip: clip.id,
    max_size=5,
)


@settings(deadline=None, max_examples=50)
@given(clips)
def test_what_is_kept_is_what_was_made(
    tmp_path_factory: pytest.TempPathFactory, clips: list[Clip]
) -> None:
    file = tmp_path_factory.mktemp("index") / "a.parquet"
    made = index_of(clips, tuple({name: None for clip in clips for name in clip.labels}))
    save(made, file, "stamp")
    found = load(fsdd.TASK, file, "stamp")
    assert found is not None
    pd.testing.assert_frame_equal(found.clips, made.clips)
    assert found.places() == made.places()
    assert (found.classes, found.source, found.data_sha256) == (
        *(made.classes, made.source, made.data_sha256),
    )
    assert found.targets().tolist() == made.targets().tolist()


def test_an_index_holds_for_its_stamp_alone(index: Index, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    assert load(fsdd.TASK, file, "stamp") is None
    save(index, file, "stamp")
    assert load(fsdd.TASK, file, "other") is None
    assert load(fsdd.TASK, file, "stamp") is not None
    assert load(fsdd.TASK, file) is not None
    assert pq.read_schema(file).names == COLUMNS


def test_an_index_with_a_clip_that_could_not_be_read_holds_for_no_stamp(tmp_path: Path) -> None:
    labels = Labels(clips=[make(0), make(1)], classes=("a", "b"))
    unread = build(fsdd.TASK, labels, "official", [Measure(0, 0, ""), Measure(1, 8000, "ab")])
    save(unread, tmp_path / "a.parquet", "stamp")
    assert load(fsdd.TASK, tmp_path / "a.parquet", "stamp") is None
    assert load(fsdd.TASK, tmp_path / "a.parquet") is not None


def test_one_flipped_bit_is_noticed(index: Index, tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    save(index, file, "stamp")
    whole = file.read_bytes()
    for place in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        file.write_bytes(damaged)
        found = load(fsdd.TASK, file, "stamp")
        if found is not None:
            pd.testing.assert_frame_equal(found.clips, index.clips)
            assert (found.classes, found.data_sha256) == (index.classes, index.data_sha256)
