"""From the words of a command line to a trained encoder, and on from where it stopped."""

from pathlib import Path

import pytest

from dasheng import dasheng_base
from dasheng.train import command
from tasks.errors import UserError
from tests.dasheng.train.shards_of import encoded, noise, shard

SMALL = """\
num_workers: 0
batch_size: 2
chunk_length: 0.5
crop_shuffle: 4
epochs: 1
epoch_length: 2
state_every: 1
log_every: 1
trackers: []
model: dasheng_tiny
model_args: {embed_dim: 16, depth: 1, num_heads: 2, decoder: {embed_dim: 8, depth: 1, num_heads: 2}}
optimizer: AdamW
optimizer_args: {lr: 1e-3}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a configuration and the shard that it names."""
    monkeypatch.chdir(tmp_path)
    shard(tmp_path / "a.tar", {f"{n}.flac": encoded(noise(9000, n)) for n in range(4)})
    (tmp_path / "small.yaml").write_text(f"train_data: a.tar\n{SMALL}")
    return tmp_path


def states(folder: Path) -> list[str]:
    runs = folder / "experiments" / "small" / "dasheng_tiny"
    return sorted(state.name for state in runs.glob("*/states/*"))


def test_trains_and_goes_on(folder: Path) -> None:
    command.run(["small.yaml", "--seed", "3"])
    assert states(folder) == ["step_00000001", "step_00000002"]
    command.run(["small.yaml", "--seed", "3", "--resume", "--epochs", "2"])
    assert states(folder) == ["step_00000003", "step_00000004"]
    (run,) = (folder / "experiments" / "small" / "dasheng_tiny").iterdir()
    assert dasheng_base(run / "last.safetensors").config.embed_dim == 16
    command.run(["small.yaml", "--seed", "3", "--resume", str(run), "--epochs", "3"])
    assert states(folder) == ["step_00000005", "step_00000006"]


def test_resumes_the_newest_of_several_runs(folder: Path) -> None:
    command.run(["small.yaml"])
    command.run(["small.yaml"])
    old, new = sorted(
        (folder / "experiments/small/dasheng_tiny").iterdir(), key=lambda run: run.stat().st_mtime
    )
    command.run(["small.yaml", "--resume", "--epochs", "2"])
    assert (new / "states" / "step_00000004").is_dir()
    assert not (old / "states" / "step_00000004").exists()


def test_nothing_to_resume(folder: Path) -> None:
    with pytest.raises(UserError, match=r"expected a state to resume in experiments/small/.*none"):
        command.run(["small.yaml", "--resume"])
    with pytest.raises(UserError, match="expected a run's or a state's folder at gone, found none"):
        command.run(["small.yaml", "--resume", "gone"])


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    command.run(["dasheng_tiny", "--help"])
    assert "--batch_size  a whole number, 32\n" in capsys.readouterr().out
