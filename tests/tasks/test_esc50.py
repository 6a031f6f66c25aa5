"""ESC-50 and ESC-10 in every layout that people have them in."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks import esc10, esc50
from tasks.errors import UserError
from tasks.prepare import Index, prepare
from tests.tasks.test_spec import no_download

COLUMNS = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
# Class numbers in another order than the names, as in the official table: 0 is dog.
CLASSES = {"dog": 0, "rain": 10, "airplane": 47}
ROWS = [
    [f"{fold}-{source}-{take}-{target}.wav", fold, target, name, name != "airplane", source, take]
    for fold in range(1, 6)
    for name, target in CLASSES.items()
    for source in [100 * fold + target]
    for take in "AB"
]
TASK = replace(esc50.TASK, expected={f"fold{k}": 6 for k in range(1, 6)}, classes=3)
SUBSET = replace(esc10.TASK, expected={f"fold{k}": 4 for k in range(1, 6)}, classes=2)


def table() -> str:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *ROWS])
    return text.getvalue()


@pytest.fixture
def official(tmp_path: Path, tone: Callable[..., bytes]) -> dict[str, bytes]:
    """What the official archive holds, below its own folder."""
    audio = {f"audio/{row[0]}": tone(seed) for seed, row in enumerate(ROWS)}
    return {"meta/esc50.csv": table().encode(), "README.md": b"ESC-50", **audio}


def unpack(files: dict[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def pack(files: dict[str, bytes], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"ESC-50-master/{name}", data)


def index_of(data: Path, task: object = TASK) -> Index:
    def verify(archive: object, folder: Path) -> Path:
        return folder  # the archive is there already

    return prepare(task, data, index=data.parent / "index", fetch=verify)  # type: ignore[arg-type]


def test_folder_and_archive_give_the_same_clips(tmp_path: Path, official: dict[str, bytes]) -> None:
    unpack(official, tmp_path / "a" / "esc50")
    unpack(official, tmp_path / "b" / "esc50" / "ESC-50-master")
    pack(official, tmp_path / "c" / "esc50" / "ESC-50-master.zip")
    pack(official, tmp_path / "d" / "esc50" / "master.zip")
    found = [index_of(tmp_path / name) for name in "abcd"]
    assert len({index.data_sha256 for index in found}) == 1
    assert found[0].classes == ("dog", "rain", "airplane")  # by number, not by name
    clips = found[0].clips
    assert len(clips) == 30
    assert clips["group"].nunique() == 15
    assert set(clips["sample_rate"]) == {8000}
    assert found[2].clips["member"].str.startswith("ESC-50-master/audio/").all()
    assert found[2].source == "official archive"


def test_reencoded_audio_is_found_by_its_stem(tmp_path: Path, tone: Callable[..., bytes]) -> None:
    files = {f"audio/{row[0][:-4]}.ogg": tone(n, "OGG") for n, row in enumerate(ROWS)}
    unpack({"meta/esc50.csv": table().encode(), **files}, tmp_path / "data" / "esc50")
    assert len(index_of(tmp_path / "data").clips) == 30


def test_class_numbers_are_read_from_the_names_where_the_table_has_none(
    tmp_path: Path, tone: Callable[..., bytes]
) -> None:
    lines = [f"{Path(row[0]).stem}.flac,{row[1]},{row[3]},{row[5]},{row[6]}" for row in ROWS]
    files = {f"audio/{line.split(',')[0]}": tone(n, "FLAC") for n, line in enumerate(lines)}
    meta = "\n".join(["filename,fold,category,source,take", *lines]).encode()
    unpack({"meta.csv": meta, **files}, tmp_path / "data" / "esc50")
    index = index_of(tmp_path / "data")
    assert index.classes == ("dog", "rain", "airplane")
    assert index.source == "shared layout"
    assert index.clips["group"].nunique() == 15


def test_original_files_are_preferred_to_copies_in_another_format(
    tmp_path: Path, official: dict[str, bytes], tone: Callable[..., bytes]
) -> None:
    copies = {f"audio/{row[0][:-4]}.ogg": tone(0, "OGG") for row in ROWS}
    elsewhere = {f"audio-16k/{row[0]}": b"" for row in ROWS}
    unpack({**official, **copies, **elsewhere}, tmp_path / "data" / "esc50")
    clips = index_of(tmp_path / "data").clips
    assert clips["path"].str.contains(r"/audio/.*\.wav$").all()


def test_subset_from_the_same_archive_or_from_next_door(
    tmp_path: Path, official: dict[str, bytes]
) -> None:
    pack(official, tmp_path / "a" / "esc10" / "ESC-50-master.zip")
    unpack(official, tmp_path / "b" / "esc50")
    first, second = index_of(tmp_path / "a", SUBSET), index_of(tmp_path / "b", SUBSET)
    assert first.data_sha256 == second.data_sha256
    assert first.classes == ("dog", "rain")


def test_missing_audio_is_counted_and_named(tmp_path: Path, official: dict[str, bytes]) -> None:
    lost = f"audio/{ROWS[3][0]}"
    unpack({k: v for k, v in official.items() if k != lost}, tmp_path / "data" / "esc50")
    with pytest.raises(UserError, match=rf"1 have none, the first is {ROWS[3][0]}"):
        index_of(tmp_path / "data")


def test_wrong_count_says_which_fold(tmp_path: Path, official: dict[str, bytes]) -> None:
    official["meta/esc50.csv"] = "\n".join(table().splitlines()[:-1]).encode()
    unpack(official, tmp_path / "data" / "esc50")
    with pytest.raises(UserError, match="esc50: expected 6 clips in fold5, found 5"):
        index_of(tmp_path / "data")


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    unpack({"meta/esc50.csv": b"a,b\n1,2\n"}, tmp_path / "data" / "esc50")
    with pytest.raises(UserError, match="expected columns filename, fold and category"):
        index_of(tmp_path / "data")


def test_real_esc10(shared_data: Path, tmp_path: Path) -> None:
    index = prepare(esc10.TASK, shared_data, index=tmp_path, fetch=no_download)
    assert len(index.clips) == 400
    assert (index.clips["frames"] > 0).all()
    assert set(index.clips["sample_rate"]) == {16000}
    assert index.classes == tuple(sorted(index.classes))
    per_recording = index.clips.groupby("group")["split"].nunique()
    assert (per_recording == 1).all()  # clips of one recording share a fold
