"""Preparing: idempotent, quick the second time, and sure of what the data are."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import esc50, fsdd, measure
from tasks.download import fetch
from tasks.errors import UserError
from tasks.prepare import Index, prepare
from tests.tasks.test_esc50 import TASK, pack, table, unpack
from tests.tasks.test_fsdd import COUNTS
from tests.tasks.test_spec import no_download

FSDD = replace(fsdd.TASK, expected=COUNTS, classes=2)


@pytest.fixture
def folder(tmp_path: Path, tone: Callable[..., bytes]) -> Path:
    names = [(d, s, i) for d in (3, 8) for s in ("ann", "bob") for i in range(7)]
    files = {f"recordings/{d}_{s}_{i}.wav": tone(n) for n, (d, s, i) in enumerate(names)}
    unpack(files, tmp_path / "data" / "fsdd")
    return tmp_path / "data"


def prepared(folder: Path) -> Index:
    return prepare(FSDD, folder, index=folder.parent / "index", fetch=no_download)


def test_second_time_measures_only_what_changed(
    folder: Path, tone: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepared(folder)
    measured: list[str] = []
    real = measure._measure
    monkeypatch.setattr(measure, "_measure", lambda key: (measured.append(key[0]), real(key))[1])
    assert prepared(folder).data_sha256 == first.data_sha256
    assert measured == []
    changed = folder / "fsdd" / "recordings" / "3_ann_0.wav"
    changed.write_bytes(tone(99))
    assert prepared(folder).data_sha256 != first.data_sha256
    assert measured == [str(changed)]


@pytest.mark.parametrize("damage", [b"", b"PAR1 nonsense"])
def test_damaged_index_is_made_again(folder: Path, damage: bytes) -> None:
    first = prepared(folder)
    (file,) = (folder.parent / "index").glob("*.parquet")
    file.write_bytes(damage)
    assert prepared(folder).data_sha256 == first.data_sha256
    assert file.read_bytes() != damage


def test_rows_are_sorted_and_targets_follow_the_classes(folder: Path) -> None:
    index = prepared(folder)
    assert list(index.clips["id"]) == sorted(index.clips["id"])
    names = [index.classes[target] for target in index.targets()]
    assert names == list(index.clips["labels"].str[0])


def test_multilabel_targets(folder: Path) -> None:
    index = replace(prepared(folder), task=replace(FSDD, multilabel=True))
    assert index.targets().shape == (28, 2)
    assert (index.targets().sum(axis=1) == 1).all()


@pytest.mark.parametrize("n", [1, 2, 9, 27, 28, 500])
def test_limited_is_balanced_nested_and_another_identity(folder: Path, n: int) -> None:
    index = prepared(folder)
    few = index.limited(n)
    assert len(few.clips) == min(n, 28)
    counts = np.bincount(few.targets(), minlength=2)
    assert abs(counts[0] - counts[1]) <= 1
    assert set(few.clips["id"]) <= set(index.limited(n + 1).clips["id"])
    assert (few.data_sha256 == index.data_sha256) == (n >= 28)


def test_bad_audio_is_kept_for_the_harness_to_judge(folder: Path) -> None:
    (folder / "fsdd" / "recordings" / "3_ann_0.wav").write_bytes(b"nonsense")
    (folder / "fsdd" / "recordings" / "3_ann_1.wav").write_bytes(b"")
    index = prepared(folder)
    assert list(index.clips["frames"].iloc[:2]) == [0, 0]


def test_nothing_there_is_fetched_and_then_read(tmp_path: Path, tone: Callable[..., bytes]) -> None:
    (tmp_path / "data").mkdir()
    asked = []

    def pretend(archive: object, folder: Path) -> Path:
        asked.append(archive)
        files = {line.split(",")[0]: tone() for line in table().splitlines()[1:]}
        audio = {f"audio/{name}": data for name, data in files.items()}
        pack({"meta/esc50.csv": table().encode(), **audio}, folder / esc50.ARCHIVE.filename)
        return folder / esc50.ARCHIVE.filename

    index = prepare(TASK, tmp_path / "data", index=tmp_path / "index", fetch=pretend)
    assert asked == [esc50.ARCHIVE]
    assert len(index.clips) == 30


def test_a_task_is_downloaded_once_and_read_in_place(
    server: Any, tmp_path: Path, tone: Callable[..., bytes]
) -> None:
    (tmp_path / "data").mkdir()
    names = [line.split(",")[0] for line in table().splitlines()[1:]]
    files = {f"audio/{name}": tone(n) for n, name in enumerate(names)}
    pack({"meta/esc50.csv": table().encode(), **files}, tmp_path / "served.zip")
    server.files["master.zip"] = (tmp_path / "served.zip").read_bytes()
    archive = replace(esc50.ARCHIVE, urls=(server.url("gone.zip"), server.url("master.zip")))
    task = replace(TASK, archives=(archive,))
    for _ in range(2):
        index = prepare(task, tmp_path / "data", index=tmp_path / "index", fetch=fetch)
        assert index.source == "official archive"
        assert (index.clips["frames"] == 800).all()
    assert [path for path, _ in server.requests] == ["/gone.zip", "/master.zip"]
    held = {path.name for path in (tmp_path / "data" / "esc50").iterdir()}
    assert held == {"ESC-50-master.zip", "ESC-50-master.zip.sha256"}


def test_an_archive_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    pack({"meta/esc50.csv": table().encode()}, tmp_path / "esc50" / esc50.ARCHIVE.filename)
    archive = replace(esc50.ARCHIVE, checksum="sha256:" + "0" * 64)
    task = replace(TASK, archives=(archive,))
    with pytest.raises(UserError, match=r"ESC-50-master\.zip: expected sha256 0{64}, found"):
        prepare(task, tmp_path, index=tmp_path / "index", fetch=fetch)


def test_a_downloaded_archive_without_the_data_set_is_named(server: Any, tmp_path: Path) -> None:
    pack({"README.md": b"moved"}, tmp_path / "served.zip")
    server.files["master.zip"] = (tmp_path / "served.zip").read_bytes()
    task = replace(TASK, archives=(replace(esc50.ARCHIVE, urls=(server.url("master.zip"),)),))
    with pytest.raises(UserError, match=r"esc50: expected the data set in .*found other files"):
        prepare(task, tmp_path, index=tmp_path / "index", fetch=fetch)


def test_a_limit_of_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="at least 1 clip"):
        prepared(folder).limited(0)


def test_other_errors_are_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a data folder"):
        prepare(FSDD, tmp_path / "none", index=tmp_path / "index", fetch=no_download)
    with pytest.raises(UserError, match="expected 3 classes, found 2"):
        wrong = replace(FSDD, classes=3)
        prepare(wrong, folder, index=tmp_path / "index", fetch=no_download)
    shutil.copy(
        folder / "fsdd" / "recordings" / "3_ann_0.wav",
        folder / "fsdd" / "recordings" / "3_ann_0.flac",
    )
    twice = replace(FSDD, expected={"train": 8, "test": 21})
    with pytest.raises(UserError, match="the first is 3_ann_0"):
        prepare(twice, folder, index=tmp_path / "index", fetch=no_download)
