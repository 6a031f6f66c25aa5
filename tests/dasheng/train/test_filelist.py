"""Lists of files: with and without a header, whatever their names."""

import json
from pathlib import Path

import pytest

from dasheng.train.filelist import read, unique
from tasks.errors import UserError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a few files."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "a/1.wav",
        "b/1.wav",
        "b/1_1.flac",
        'odd "name", of\tall.v2.wav',
        "none",
        "x.json",
    ):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(name.encode())
    return tmp_path


def listed(folder: Path, text: str) -> Path:
    file = folder / "list.tsv"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_header_a_line_is_a_name(folder: Path) -> None:
    text = 'a/1.wav\n\nodd "name", of\tall.v2.wav\r\nnone\n'
    entries = read(listed(folder, text), "filename", "\t")
    assert [(entry.line, str(entry.file)) for entry in entries] == [
        (1, "a/1.wav"),
        (3, 'odd "name", of\tall.v2.wav'),
        (4, "none"),
    ]
    assert [(entry.key, entry.suffix) for entry in entries] == [
        ("1", "wav"),
        ('odd "name", of\tall_v2', "wav"),
        ("none", ""),
    ]
    assert {entry.columns for entry in entries} == {""}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_columns_besides_the_name(mark: str, folder: Path) -> None:
    text = f"{mark}label\tfilename\tscore\tname\n3\ta/1.wav\t\tNA\n\n4\tb/1_1.flac\t0.5\té\n"
    first, second = read(listed(folder, text), "filename", "\t")
    assert (first.line, second.line) == (2, 4)
    assert json.loads(first.columns) == {"label": 3, "score": None, "name": "NA"}
    assert json.loads(second.columns) == {"label": 4, "score": 0.5, "name": "é"}


def test_the_names_may_stand_in_another_column_and_alone(folder: Path) -> None:
    (entry,) = read(listed(folder, 'path,n\n"a/1.wav",1\n'), "path", ",")
    assert (entry.file, entry.columns) == (Path("a/1.wav"), '{"n": 1}')
    (entry,) = read(listed(folder, "filename\na/1.wav\n"), "filename", "\t")
    assert entry.columns == ""


def test_a_file_called_as_the_column_is_no_header(folder: Path) -> None:
    (folder / "filename").touch()
    assert len(read(listed(folder, "filename\na/1.wav\n"), "filename", "\t")) == 2


def test_a_header_may_be_longer_than_a_file_s_name(folder: Path) -> None:
    more = [f"column {number}" for number in range(600)]
    text = "\t".join(["filename", *more]) + "\n" + "\t".join(["a/1.wav", *map(str, range(600))])
    (entry,) = read(listed(folder, text), "filename", "\t")
    assert json.loads(entry.columns)["column 599"] == 599


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a list of files, found none in it"),
        ("filename\n", "expected a list of files, found none in it"),
        ("a/1.wav\na/2.wav\n", r"list\.tsv, line 2: expected a file at a/2\.wav, found none"),
        ("n\t filename\n1\ta/1.wav\n", r"line 1: .* \(nor a header line with filename\)"),
        (f"{'long' * 2000}\n", "line 1: expected a file .*, found none"),
        ("path\na/1.wav\n", r"line 1: expected a file \(nor a header line with filename\) at path"),
        ("a\n", "line 1: .* at a, found a folder"),
        ("filename\tn\na/1.wav\t1\na/9.wav\t2\n", r"line 3: expected a file at a/9\.wav"),
        ("filename\tn\n\t1\n", "line 2: expected a file in filename, found none"),
        ("filename\tn\na/1.wav\t1\t2\n", "expected a table, could not read it"),
        ('filename\tn\n"a/1.wav\t1\n', "expected a table, could not read it"),
        ("filename\tn\nx.json\t1\n", r"line 2: expected audio, found x\.json"),
    ],
)
def test_mistakes_name_the_line(text: str, told: str, folder: Path) -> None:
    with pytest.raises(UserError, match=told) as error:
        read(listed(folder, text), "filename", "\t")
    assert "\n" not in str(error.value)


def test_no_list(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a list of files, No such file"):
        read(tmp_path / "list.tsv", "filename", "\t")
    with pytest.raises(UserError, match="expected a list of files, Is a directory"):
        read(tmp_path, "filename", "\t")


def test_one_key_for_two_files_is_refused_by_name(folder: Path) -> None:
    entries = read(listed(folder, "none\na/1.wav\nb/1.wav\n"), "filename", "\t")
    told = r"lines 2 and 3: .* found a/1\.wav and b/1\.wav, both 1 in a shard; .* --on-duplicate"
    with pytest.raises(UserError, match=told):
        unique(entries, rename=False)


def test_or_numbered_around_those_that_are_taken(folder: Path) -> None:
    text = "a/1.wav\nb/1.wav\nb/1_1.flac\na/1.wav\nb/1_1.flac\n"
    entries = unique(read(listed(folder, text), "filename", "\t"), rename=True)
    assert [entry.key for entry in entries] == ["1", "1_2", "1_1", "1_3", "1_1_1"]
    assert [entry.line for entry in entries] == [1, 2, 3, 4, 5]
