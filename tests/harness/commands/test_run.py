"""`run` with a suite: the published order, its protocol, one question for all of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import results, suites
from harness.fingerprint import joined
from harness.suites import Suite
from tasks import fsdd
from tests.dasheng.miniature import miniature, write_published
from tests.harness import served
from tests.harness.command_line import harness, inside, one_line
from tests.harness.encoders import hf_models, hub_server


@pytest.fixture
def folders(tmp_path: Path) -> list[object]:
    """Options that keep a run in tmp_path; the model is not among them."""
    (tmp_path / "data").mkdir()
    named = {"--data": "data", "--cache": "cache", "--results": "results"}
    parts = [part for name, folder in named.items() for part in (name, tmp_path / folder)]
    return [*parts, "--device", "cpu"]


@pytest.fixture
def options(folders: list[object]) -> list[object]:
    return [*folders, "--model", "melspec"]


def test_the_whole_suite_is_asked_for_at_once(
    options: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside("run", "--suite", "knn", *options) == 2
    line = one_line(capsys)
    assert ", ".join(suites.load("knn").tasks) in line
    assert "--yes" in line
    assert list((tmp_path / "data").iterdir()) == []


def test_a_suite_has_its_protocols_which_may_be_overridden(
    server: Any,
    tone: Callable[..., bytes],
    options: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.files[served.NAME] = served.digits(tone)
    monkeypatch.setattr(fsdd, "TASK", served.task(served.archive(server.url(served.NAME))))
    small = Suite(title="in small", tasks=("fsdd", "demo"), protocols=("knn",))
    monkeypatch.setattr(suites, "SUITES", {"small": small})
    assert inside("run", "--suite", "small", *options, "--yes") == 0
    written = {path.relative_to(tmp_path) for path in (tmp_path / "results").rglob("*.json")}
    assert written == {Path(f"results/melspec/{name}/knn.json") for name in small.tasks}
    assert (
        inside("run", "--suite", "small", "--protocols", "linear", *options, "--limit", "20") == 0
    )
    assert (tmp_path / "results" / "melspec" / "demo" / "linear.json").exists()


def test_several_models_stand_in_one_table(
    demo_data: Path, folders: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_published(miniature(), tmp_path / "mini.pt")
    models = [part for model in ("melspec", file, "melspec") for part in ("--model", model)]
    run = ["run", *folders, "--data", demo_data, "--tasks", "demo", "--protocols", "knn"]
    assert inside(*run, *models) == 0
    told = capsys.readouterr()
    written = [path.parts[-3] for path in (tmp_path / "results").rglob("*.json")]
    assert sorted(name.partition("-")[0] for name in written) == ["melspec", "mini"]
    table = [line for line in told.out.splitlines() if line.startswith(("| melspec", "| mini-"))]
    assert len(table) == 2
    assert told.err.count("embed demo: ") == 2  # nobody is measured twice


def test_the_last_name_is_read_before_the_first_is_measured(
    demo_data: Path, folders: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ("--model", "melspec", "--model", "melspek")
    assert inside("run", *folders, "--data", demo_data, "--tasks", "demo", *models) == 2
    assert "did you mean 'melspec'" in one_line(capsys)
    assert not (tmp_path / "results").exists()


def test_a_seed_counts_from_0(options: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("run", "--tasks", "demo", *options, "--seed", "-1") == 2
    assert "-1 is not in the range x>=0" in capsys.readouterr().err


def test_measured_beside_published(
    options: list[object],
    tone: Callable[..., bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "results" / "published").mkdir(parents=True)
    (tmp_path / "results" / "published" / "knn.csv").write_text(
        "# source: https://example.org/paper\n"
        "title,model,collapsed,demo,fsdd\nMelSpec,melspec,,50.5,\nOther,,,,12\n"
    )
    assert inside("run", "--tasks", "demo", "--protocols", "knn", *options) == 0
    printed = capsys.readouterr().out.strip()
    assert f"\n\n{printed}\n\n<!-- " in (tmp_path / "results" / "README.md").read_text()
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    published, measured = (
        next(line for line in lines if line.startswith(f"| {name} "))
        for name in ("MelSpec", "melspec")
    )
    assert lines.index(measured) == lines.index(published) + 1
    assert "50.5" in published
    assert "(+" in measured
    assert "missing" in measured


def test_two_layers_of_one_model_are_two_models(
    folders: list[object], demo_data: Path, tmp_path: Path
) -> None:
    folder = hf_models.save(tmp_path / "tiny", "wav2vec2")
    for layer in ("1", "2"):
        chosen = ["--model", f"hf:{folder}#{layer}", "--data", demo_data, "--limit", 20]
        assert inside("run", "--tasks", "demo", "--protocols", "knn", *folders, *chosen) == 0
    found = list(results.read_all(tmp_path / "results"))
    assert [each["model"]["spec"] for each in found] == ["hf:tiny#1", "hf:tiny#2"]
    made_by = [(each["model"]["weights_sha256"], each["model"]["code_sha256"]) for each in found]
    assert made_by[0] == made_by[1]
    digest = joined(*made_by[0])[:8]
    names = [each["model"]["name"] for each in found]
    assert names == [f"hf-tiny-{digest}-1", f"hf-tiny-{digest}-2"]
    assert found[0]["model"]["canary"] != found[1]["model"]["canary"]
    cached = (tmp_path / "cache" / "embeddings").iterdir()
    assert sorted(entry.name for entry in cached) == names


@pytest.mark.usefixtures("modules")
def test_the_record_says_that_remote_code_was_executed(
    folders: list[object], demo_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = hf_models.save_own_code(tmp_path / "own")
    run = ["run", "--tasks", "demo", "--protocols", "knn", *folders, "--data", demo_data]
    run = [*run, "--limit", 20, "--model", f"hf:{folder}"]
    assert inside(*run) == 2
    assert "--trust-remote-code" in one_line(capsys)
    assert inside(*run, "--trust-remote-code") == 0
    [record] = results.read_all(tmp_path / "results")
    assert record["model"]["remote_code"] is True


def test_a_model_of_the_hub_at_a_revision(
    folders: list[object], demo_data: Path, tmp_path: Path, no_proxy: None
) -> None:
    with hub_server.running() as hub:
        hub.publish("org/own", hf_models.save_own_code(tmp_path / "own"), "v1")
        place = (f"HF_ENDPOINT={hub.endpoint}", f"HF_HOME={tmp_path / 'home'}")
        done = harness(
            *("run", "--tasks", "demo", "--protocols", "knn", *folders, "--data", demo_data),
            *("--limit", 20, "--model", "hf:org/own@v1#1", "--trust-remote-code"),
            prefix=("env", *place),
        )
    assert done.returncode == 0, done.stderr
    [record] = results.read_all(tmp_path / "results")
    digest = joined(record["model"]["weights_sha256"], record["model"]["code_sha256"])
    assert record["model"]["name"] == f"hf-org-own-v1-{digest[:8]}-1"
    assert "transformers" in record["run"]["versions"]
    assert record["model"]["spec"] == "hf:org/own@v1#1"
    assert record["model"]["remote_code"] is True


def test_code_of_its_own_is_no_option_of_other_models(
    options: list[object], demo_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["run", "--tasks", "demo", "--protocols", "knn", *options, "--data", demo_data]
    assert inside(*run, "--trust-remote-code") == 2
    assert "found harness.encoders.melspec; leave" in one_line(capsys)
    assert inside(*run) == 0
    [record] = results.read_all(tmp_path / "results")
    assert "remote_code" not in record["model"]
