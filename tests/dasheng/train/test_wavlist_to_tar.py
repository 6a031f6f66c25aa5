"""`wavlist_to_tar`: a list of files → shards that webdataset reads."""

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from webdataset import tariterators

from dasheng.train import wavlist_to_tar


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with ten files in `data` and the README's list of them."""
    monkeypatch.chdir(tmp_path)
    for number in range(10):
        file = tmp_path / "data" / str(number % 2) / f"take {number}.a.flac"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"fLaC %d" % number)
    command = """find data -type f  | awk 'BEGIN{"filename"}{print}' > your_data.tsv"""
    subprocess.run(command, shell=True, check=True)
    return tmp_path


def packed(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        wavlist_to_tar.main(words)
    return int(ended.value.code or 0)


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore


def read(url: str) -> list[dict[str, Any]]:
    """What webdataset makes of a shard; opened here, for it leaves that to the collector."""
    with Path(url).open("rb") as stream:
        files = tariterators.tar_file_expander([{"url": url, "stream": stream}])
        return list(tariterators.group_by_keys(files))


def test_the_readmes_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert packed("your_data.tsv", "shards/") == 0
    out, err = capsys.readouterr()
    assert (
        out == "packed 10 files; for the configuration: train_data: shards/your_data_0000000.tar\n"
    )
    assert err.splitlines()[-1] == "packed 10 of 10 files"
    assert members(folder / "shards" / "your_data_0000000.tar") == {
        f"take {number}_a.flac": b"fLaC %d" % number for number in range(10)
    }


@pytest.mark.parametrize("extra", [[], ["--compress"]])
def test_webdataset_reads_it(extra: list[str], folder: Path) -> None:
    rows = [f"{file}\t{file.parent.name}" for file in sorted(Path("data").rglob("*.flac"))]
    Path("all.tsv").write_text("filename\tlabel\n" + "\n".join(rows))
    assert (
        packed("all.tsv", "shards", "-s", "4", "-n", "2", *extra, "--write_json", "all.json") == 0
    )
    index = json.loads(Path("all.json").read_text())
    assert index["wids_version"] == 1
    assert [shard["nsamples"] for shard in index["shardlist"]] == [4, 4, 2]
    suffix = ".tar.gz" if extra else ".tar"
    assert index["shardlist"][2]["url"] == f"shards/all_0000002{suffix}"
    samples = [sample for shard in index["shardlist"] for sample in read(shard["url"])]
    found = {sample["__key__"]: (sample["flac"], json.loads(sample["json"])) for sample in samples}
    assert found == {
        f"take {number}_a": (b"fLaC %d" % number, {"label": number % 2}) for number in range(10)
    }


def test_a_seed_makes_the_same_shards(folder: Path) -> None:
    for out, seed in (("one", "7"), ("two", "7"), ("three", "8")):
        packed("your_data.tsv", out, "-s", "6", "--seed", seed, "-n", "1" if out == "one" else "3")
    one, two, three = (sorted(Path(out).iterdir()) for out in ("one", "two", "three"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert members(one[0]) == members(three[0])
    assert list(members(one[0])) != list(members(three[0]))


def test_duplicates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data/1/take 0.a.flac").write_bytes(b"another")
    Path("list.tsv").write_text("data/0/take 0.a.flac\ndata/1/take 0.a.flac\n")
    assert packed("list.tsv", "shards") == 2
    assert not Path("shards").exists()
    assert "lines 1 and 2" in capsys.readouterr().err
    assert packed("list.tsv", "shards", "--on-duplicate", "rename") == 0
    assert members(Path("shards/list_0000000.tar")) == {
        "take 0_a.flac": b"fLaC 0",
        "take 0_a_1.flac": b"another",
    }


def test_options_of_the_list(folder: Path) -> None:
    Path("list.csv").write_text("path,n\ndata/0/take 0.a.flac,1\n")
    assert packed("list.csv", "shards", "-d", ",", "--filename_column", "path") == 0
    assert members(Path("shards/list_0000000.tar"))["take 0_a.json"] == b'{"n": 1}'
    Path("list.tsv").write_text("filename\tn\ndata/0/take 0.a.flac\t1\n")
    assert packed("list.tsv", "shards", "--delim", r"\t") == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing.tsv", "shards"], "error: missing.tsv: expected a list of files, No such file"),
        (["your_data.tsv", "shards", "-d", ";;"], "error: expected --delim to be one character"),
        (["broken.tsv", "shards"], "error: broken.tsv, line 11: expected a file at data/gone.wav"),
        (["your_data.tsv", "your_data.tsv"], "is a file"),
        (["your_data.tsv", "data/0/take 0.a.flac/x"], "could not make the folder, Not a directory"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(
    words: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.tsv").write_text(Path("your_data.tsv").read_text() + "data/gone.wav\n")
    assert packed(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err.splitlines()[-1]
    assert not Path("shards").exists()


def test_shards_of_an_earlier_run_are_not_mixed_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("your_data.tsv").rename("data [all].tsv")
    assert packed("data [all].tsv", "shards", "-s", "4") == 0
    assert packed("data [all].tsv", "shards", "-s", "4") == 0
    assert packed("data [all].tsv", "shards") == 2
    assert "found 2 of an earlier run, first data [all]_0000001.tar" in capsys.readouterr().err
