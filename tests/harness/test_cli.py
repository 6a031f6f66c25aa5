"""The command line as a person types it: real processes, real faults, exit codes."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import soundfile
import torch

import tasks
from harness import results
from tests.harness.command_line import HARNESS, ROOT, harness, inside, one_line


@pytest.fixture
def options(demo_data: Path, tmp_path: Path) -> list[object]:
    return [
        *("--data", demo_data, "--cache", tmp_path / "cache", "--results", tmp_path / "results"),
        *("--protocols", "knn", "--device", "cpu"),
    ]


def test_run_writes_records_prints_a_table_and_is_quick_the_second_time(
    options: list[object], tmp_path: Path
) -> None:
    first = harness("run", "--tasks", "demo", "--model", "melspec", *options)
    assert first.returncode == 0, first.stderr
    assert "| melspec" in first.stdout
    assert "synthetic" in first.stdout
    page = (tmp_path / "results" / "README.md").read_text()
    assert "| melspec" in page
    second = harness("run", "--tasks", "demo", "--model", "melspec", *options)
    assert second.returncode == 0
    assert second.stdout == first.stdout
    assert "all there already" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--tasks", "esc5", "--model", "melspec"), ["esc50"]),
        (("--tasks", "demo", "--model", "melspek"), ["did you mean", "melspec"]),
        (("--tasks", "demo", "--model", "melspec", "--protocols", "kn"), ["knn", "'kn'"]),
        (("--tasks", ",", "--model", "melspec"), ["comma-separated"]),
        (("--tasks", "demo", "--model", "json"), ["json", "load_model"]),
        (("--tasks", "demo", "--model", "melspec", "--data", "no/such"), ["no/such"]),
        (("--model", "melspec"), ["--tasks or --suite", "neither"]),
        (("--tasks", "demo", "--suite", "knn", "--model", "melspec"), ["--suite", "both"]),
        (("--suite", "kn", "--model", "melspec"), ["did you mean knn"]),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    arguments: tuple[str, ...],
    expected: list[str],
    options: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    extra = [*options, *arguments]  # the last of a repeated option wins
    assert inside("run", *extra) == 2
    line = one_line(capsys)
    assert line.startswith("error: ")
    for part in expected:
        assert part in line
    assert not (tmp_path / "results").exists()


def test_checkpoint_of_another_architecture(
    options: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.pt"
    torch.save({"model": {"conv.weight": torch.zeros(3)}, "config": {"embed_dim": 96}}, file)
    assert inside("run", "--tasks", "demo", "--model", file, *options) == 2
    assert "other.pt" in one_line(capsys)


def test_archive_with_a_wrong_checksum(
    options: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    (data / "fsdd").mkdir(parents=True)
    archive = data / "fsdd" / tasks.load("fsdd").sources[0].archives[0].filename
    archive.write_bytes(b"PK not the official archive")
    assert inside("run", *options, "--tasks", "fsdd", "--model", "melspec", "--data", data) == 2
    line = one_line(capsys)
    assert archive.name in line
    assert archive.read_bytes() == b"PK not the official archive"


@pytest.fixture
def own_data(demo_data: Path, tmp_path: Path) -> Path:
    """A copy of the demo data that a test may damage."""
    shutil.copytree(demo_data, tmp_path / "data")
    return tmp_path / "data"


def clip_of(data: Path) -> Path:
    return sorted((data / "demo").rglob("*.wav"))[7]


@pytest.mark.parametrize("damage", ["corrupt", "empty", "not finite"])
def test_bad_clip_is_named_and_can_be_skipped(
    damage: str,
    own_data: Path,
    options: list[object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = clip_of(own_data)
    match damage:
        case "corrupt":
            clip.write_bytes(b"RIFF nonsense")
        case "empty":
            clip.write_bytes(b"")
        case "not finite":
            soundfile.write(clip, [0.0, float("nan")] * 4000, 16000, subtype="FLOAT")
    run = ["run", *options, "--tasks", "demo", "--model", "melspec", "--data", own_data]
    assert inside(*run) == 2
    assert clip.name in capsys.readouterr().err
    assert not list(tmp_path.glob("results/melspec/*/*"))
    assert inside(*run, "--skip-bad") == 0
    record = results.read(results.path(tmp_path / "results", "melspec", "demo", "knn"))
    assert record["n"]["skipped"] == 1
    assert "†" in capsys.readouterr().out


def test_list_validate_cache_table_and_doctor(
    options: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("list") == 0
    listed = capsys.readouterr().out
    for name in ("esc50", "fsdd-speaker", "demo", "suites:", "1.2B", "melspec", "knn", "linear"):
        assert name in listed
    assert inside("list", "protocols") == 0
    assert capsys.readouterr().out.startswith("knn")

    assert inside("run", "--tasks", "demo", "--model", "melspec", *options) == 0
    printed = capsys.readouterr().out
    assert inside("table", "--results", tmp_path / "results", "--intervals") == 0
    assert capsys.readouterr().out.strip() in printed.strip()

    cache = ("--cache", tmp_path / "cache")
    assert inside("cache", "ls", *cache) == 0
    assert "complete" in capsys.readouterr().out
    assert inside("cache", "verify", *cache) == 0
    shard = next((tmp_path / "cache").rglob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-3])
    assert inside("cache", "verify", *cache) == 1
    assert str(shard) in capsys.readouterr().out
    assert inside("cache", "rm", *cache) == 2
    assert inside("cache", "rm", "nobody", *cache) == 2
    assert inside("cache", "rm", "melspec", *cache) == 0
    assert not list((tmp_path / "cache" / "embeddings").rglob("*.safetensors"))

    capsys.readouterr()
    assert inside("doctor", *cache) == 0
    assert "faiss-cpu" in capsys.readouterr().out


def test_a_mistyped_folder_of_records_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("table", "--results", tmp_path / "resluts") == 2
    assert "resluts" in one_line(capsys)
    assert not (tmp_path / "resluts").exists()


def test_validate_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("validate", "melspec", "--device", "cpu") == 0
    assert "Looks good!" in capsys.readouterr().out
    assert inside("validate", "melspec", "--device", "cpu", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert inside("validate", "json") == 1
    assert "load_model" in capsys.readouterr().out


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*HARNESS, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def record_of(folder: Path) -> bytes:
    record = json.loads(results.path(folder, "melspec", "demo", "knn").read_bytes())
    del record["run"]
    return results.render(record)


def test_two_runs_on_one_cache_at_once(options: list[object], tmp_path: Path) -> None:
    run = ["run", *options, "--tasks", "demo", "--model", "melspec"]
    both = [start(*run, "--results", tmp_path / name) for name in ("a", "b")]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert record_of(tmp_path / "a") == record_of(tmp_path / "b")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_and_resumed(
    blow: signal.Signals, options: list[object], tmp_path: Path
) -> None:
    run = ["run", *options, "--tasks", "demo", "--model", "melspec", "--batch-seconds", "0.001"]
    process = start(*run)
    shards = tmp_path / "cache" / "embeddings"
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if list(shards.rglob("*.safetensors")):
            process.send_signal(blow)
            break
        time.sleep(0.005)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if blow == signal.SIGKILL else 130), err
    assert "Traceback" not in err
    assert not (tmp_path / "results").exists()
    assert harness(*run).returncode == 0
    assert harness(*run, "--cache", tmp_path / "other", "--results", tmp_path / "b").returncode == 0
    assert record_of(tmp_path / "results") == record_of(tmp_path / "b")


NAMESPACE = ("unshare", "-rm", "sh", "-ec")


def on_small_disk(
    tmp_path: Path, mount: str, run: list[object]
) -> subprocess.CompletedProcess[str]:
    """Run with tmp_path/disk as a file system of its own, gone afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not shutil.which("unshare") or subprocess.run([*NAMESPACE, "true"], check=False).returncode:
        pytest.skip("this system lets nobody mount a file system in a namespace")
    script = f'mount -t tmpfs {mount} tmpfs "{disk}"; exec "$@"'
    return harness(*run, prefix=(*NAMESPACE, script, "sh"))


@pytest.mark.parametrize(("mount", "words"), [("-o ro", "Read-only"), ("-o size=64k", "No space")])
@pytest.mark.parametrize("folder", ["--cache", "--results"])
def test_read_only_and_full_disks(
    mount: str, words: str, folder: str, options: list[object], tmp_path: Path
) -> None:
    run = ["run", *options, "--tasks", "demo", "--model", "melspec", folder, tmp_path / "disk"]
    if folder == "--results" and words == "No space":
        run = [*run, "--protocols", "knn,linear"]
        mount = "-o size=8k"
    done = on_small_disk(tmp_path, mount, run)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert words in lines[0]
    assert "Traceback" not in done.stderr
    if (folder, words) == ("--results", "Read-only"):  # found before there is anything to lose
        assert "embed" not in done.stderr
