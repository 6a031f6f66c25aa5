"""The spoken digits: two tasks from one set of recordings."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks import fsdd, fsdd_speaker
from tasks.errors import UserError
from tasks.prepare import prepare
from tests.tasks.test_esc50 import pack, unpack
from tests.tasks.test_spec import no_download

COUNTS = {"train": 8, "test": 20}


@pytest.fixture
def files(tone: Callable[..., bytes]) -> dict[str, bytes]:
    names = [(d, s, i) for d in (3, 8) for s in ("ann", "bob") for i in range(7)]
    return {f"recordings/{d}_{s}_{i}.wav": tone(n) for n, (d, s, i) in enumerate(names)}


@pytest.mark.parametrize("packed", [False, True])
def test_two_labels_one_split(packed: bool, files: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "data" / "fsdd"
    if packed:
        pack(files, folder / "free-spoken-digit-dataset-1.0.10.zip")
    else:
        unpack(files, folder)
    found = [
        prepare(
            replace(task, expected=COUNTS, classes=2),
            tmp_path / "data",
            index=tmp_path / "index",
            fetch=lambda _, there: there,
        )
        for task in (fsdd.TASK, fsdd_speaker.TASK)
    ]
    assert [index.classes for index in found] == [("3", "8"), ("ann", "bob")]
    assert found[0].audio_sha256() == found[1].audio_sha256()
    assert found[0].data_sha256 != found[1].data_sha256
    test = found[0].clips[found[0].clips["split"] == "test"]
    assert set(test["id"].str.rpartition("_")[2]) == set("01234")


def test_real_fsdd(shared_data: Path, tmp_path: Path) -> None:
    for task in (fsdd.TASK, fsdd_speaker.TASK):
        index = prepare(task, shared_data, index=tmp_path, fetch=no_download)
        assert len(index.clips) == 3000
        assert set(index.clips["sample_rate"]) == {8000}
        counts = index.clips["split"].value_counts().to_dict()
        assert counts == {"train": 2700, "test": 300}


def test_incomplete_folder_says_how_many(files: dict[str, bytes], tmp_path: Path) -> None:
    unpack(files, tmp_path / "data" / "fsdd")
    with pytest.raises(UserError, match="fsdd: expected 300 clips in test, found 20"):
        prepare(fsdd.TASK, tmp_path / "data", index=tmp_path / "index", fetch=no_download)
