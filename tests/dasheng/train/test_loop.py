"""Whole runs of a toy: stopped in every way and gone on with, they end as one that was not."""

import math
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dasheng import checkpoint
from dasheng.train import batches, config, loop, model, schedule
from tasks.errors import UserError
from tests.dasheng.train import toy


@dataclass(frozen=True)
class Whole:
    """A run that was not interrupted, and its data."""

    data: Path
    folder: Path
    lines: list[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    toy.data(folder)
    file = toy.write(folder / "toy.yaml", folder)
    run = toy.Started(folder / "out", [file])
    assert run.wait() == 0, run.lines
    return Whole(folder, toy.run_folder(file), run.lines)


def assert_same(folder: Path, whole: Whole) -> None:
    """The same weights to the bit, and every record once."""
    for name in ("last", "averaged"):
        file = f"{name}.safetensors"
        assert (folder / file).read_bytes() == (whole.folder / file).read_bytes()
    assert toy.log_of(folder) == toy.log_of(whole.folder)


def test_a_run_leaves_encoders_and_logs(whole: Whole) -> None:
    records = toy.log_of(whole.folder)
    kinds = [(record["kind"], record["step"]) for record in records]
    assert [step for kind, step in kinds if kind == "train"] == list(range(1, toy.STEPS + 1))
    assert [step for kind, step in kinds if kind == "valid"] == [8, 16, 24]
    assert len(list(whole.folder.glob("best_*.safetensors"))) == 2
    encoder = checkpoint.load(whole.folder / "averaged.safetensors")
    assert encoder.config.embed_dim == 16
    steps = [folder.name for folder in sorted((whole.folder / "states").iterdir())]
    assert steps == ["step_00000022", "step_00000024"]
    assert "0 of them bad" in whole.lines[-1]
    first, *_, last = [record["lr"] for record in records if record["kind"] == "train"]
    assert first == pytest.approx(1e-3, rel=0.1)
    assert last < 1e-4


def test_killed_at_five_moments_it_ends_with_the_same_weights(whole: Whole, tmp_path: Path) -> None:
    file = toy.write(tmp_path / "toy.yaml", whole.data)
    rng = random.Random(6)
    writing = 0

    def caught() -> bool:
        """Whether it stands still, with a state that is written in part."""
        if not unfinished():
            return False
        run.signal(signal.SIGSTOP)
        if unfinished():
            return True
        run.signal(signal.SIGCONT)
        return False

    def unfinished() -> bool:
        return bool(list(tmp_path.glob("runs/*/*/*/states/.step_*")))

    for kill in range(5):
        resume = ["--resume"] if list(tmp_path.glob("runs/*/*/*/states/step_*")) else []
        run = toy.Started(tmp_path / "out", [file, *resume])
        step = 4 * kill + rng.randint(2, 4)
        run.until(lambda step=step: toy.steps_logged(file) >= step)
        if kill % 2:
            run.until(caught)
        else:
            time.sleep(rng.uniform(0, 0.05))
        run.process.kill()
        run.wait()
        writing += unfinished()
    assert writing
    run = toy.Started(tmp_path / "out", [file, "--resume"])
    assert run.wait() == 0, run.lines
    assert_same(toy.run_folder(file), whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_leaves_a_state(
    number: signal.Signals, whole: Whole, tmp_path: Path
) -> None:
    file = toy.write(tmp_path / "toy.yaml", whole.data, state_every=1000)
    run = toy.Started(tmp_path / "out", [file])
    run.until(lambda: toy.steps_logged(file) >= 2)
    run.signal(number)
    assert run.wait() == 0
    folder = toy.run_folder(file)
    assert run.lines[-1].startswith("stopped at step ")
    words = run.lines[-1].split("python -m dasheng.train ")[1].split()
    assert words == [str(folder / "config.yaml"), "--resume", str(folder)]
    run = toy.Started(tmp_path / "out", words)
    assert run.wait() == 0, run.lines
    assert_same(folder, whole)


def test_a_loss_that_is_no_number_ends_it_before_a_state(whole: Whole, tmp_path: Path) -> None:
    changes = {"optimizer": "SGD", "optimizer_args": {"lr": 1e18}, "use_scheduler": False}
    file = toy.write(tmp_path / "toy.yaml", whole.data, state_every=1, **changes)
    run = toy.Started(tmp_path / "out", [file])
    assert run.wait() == 2
    (error,) = [line for line in run.lines if line.startswith("error: ")]
    assert "the loss of step " in error
    assert "optimizer_args.lr" in error
    assert run.lines[-1] == error
    state = Path(error.split("--resume ")[1])
    weights = torch.load(state / "pytorch_model.bin", weights_only=True)
    assert all(x.isfinite().all() for x in weights.values())


def test_an_encoder_that_is_lost_is_not_kept(whole: Whole, tmp_path: Path) -> None:
    changes = {"optimizer": "SGD", "optimizer_args": {"lr": 1e18}, "use_scheduler": False}
    changes |= {"epoch_length": 1, "log_every": 1000, "state_every": 1000, "num_workers": 0}
    file = toy.write(tmp_path / "toy.yaml", whole.data, **changes)
    with torch.random.fork_rng(), pytest.raises(UserError, match="the loss of step 2 is nan"):
        loop.train(config.read(file))
    folder = toy.run_folder(file)
    assert all(x.isfinite().all() for x in load_file(folder / "last.safetensors").values())
    assert [record["step"] for record in toy.log_of(folder)] == [1]


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        ({"train_data": ["gone.tar"]}, "train_data: expected 1 shards, 1 of them not found"),
        ({"cv_data": ["gone.tar"]}, "cv_data: expected 1 shards, 1 of them not found"),
        ({"model_args": {"embed_dimm": 1}}, "did you mean model_args.embed_dim"),
        ({"augment": {"gain": 1}}, "did you mean augment.gain_db"),
        ({"optimizer_args": {"lr": 1e-3, "eps": -1}}, "optimizer_args of AdamW"),
        ({"trackers": ["board"]}, "expected trackers to be of"),
    ],
)
def test_what_cannot_be_leaves_no_folder(
    setting: dict[str, object], error: str, whole: Whole, tmp_path: Path
) -> None:
    file = toy.write(tmp_path / "toy.yaml", whole.data, **setting)
    with torch.random.fork_rng(), pytest.raises(UserError, match=error):
        loop.train(config.read(file))
    assert [file.name for file in tmp_path.iterdir()] == ["toy.yaml"]


def test_asked_to_stop_it_waits_for_no_score(whole: Whole, tmp_path: Path) -> None:
    changes = {"eval_tasks": ["demo"], "eval_data": str(tmp_path / "data")}
    file = toy.write(tmp_path / "toy.yaml", whole.data, **changes)
    run = toy.Started(tmp_path / "out", [file])
    run.until(lambda: bool(list(tmp_path.glob("runs/*/*/*/probe/step_0.safetensors"))))
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert run.lines[-2] == "warning: no evaluation at step 0: stopped, as the run is"
    assert run.lines[-1].startswith("stopped at step 0 of 24")
    (kept,) = toy.run_folder(file).glob("states/*/")
    assert kept.name == "step_00000000"


def test_a_full_disk_leaves_the_states_before(whole: Whole, tmp_path: Path) -> None:
    # Without workers, for their shared memory is bounded as files are.
    file = toy.write(tmp_path / "toy.yaml", whole.data, num_workers=0, state_every=4)
    run = toy.Started(tmp_path / "out", [file])
    run.until(lambda: toy.steps_logged(file) >= 2)
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    folder = toy.run_folder(file)
    states = sorted((folder / "states").iterdir())
    size = (states[-1] / "pytorch_model.bin").stat().st_size
    run = toy.Started(tmp_path / "out", [file, "--resume"], file_size=size // 2)
    assert run.wait() == 2
    assert run.lines[-1].startswith("error: expected room for the state of step ")
    assert "make room and go on with --resume" in run.lines[-1]
    assert sorted((folder / "states").iterdir()) == states
    run = toy.Started(tmp_path / "out", [file, "--resume"])
    assert run.wait() == 0, run.lines


def test_steps_are_those_of_a_loop_written_by_hand(whole: Whole, tmp_path: Path) -> None:
    """Accumulation, clipping and the learning rate, against plain PyTorch."""
    changes = {"optimizer": "SGD", "optimizer_args": {"lr": 0.1, "momentum": 0.9}, "num_workers": 0}
    changes |= {"gradient_accumulation_steps": 3, "max_grad_norm": 0.5, "epochs": 1}
    file = toy.write(tmp_path / "toy.yaml", whole.data, epoch_length=4, **changes)
    settings = config.read(file)
    torch.manual_seed(settings.seed)
    expected = model.build(settings)
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1, momentum=0.9)
    stream = batches.TrainingBatches(settings)
    norms = []
    for step in range(4):
        loop.seed_step(settings.seed, step, 0)
        optimizer.param_groups[0]["lr"] = schedule.learning_rate(step, settings)
        optimizer.zero_grad()
        (sum(expected(next(stream)) for _ in range(3)) / 3).backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(expected.parameters(), 0.5)))
        optimizer.step()
    with torch.random.fork_rng():
        folder = loop.train(settings)
    got = load_file(folder / "last.safetensors")
    for name, x in expected.encoder.state_dict().items():
        torch.testing.assert_close(got[name], x, rtol=1e-4, atol=1e-6)
    logged = [record["grad_norm"] for record in toy.log_of(folder) if record["kind"] == "train"]
    assert logged == pytest.approx(norms, rel=1e-4)
    assert max(norms) > 0.5  # else nothing was clipped


def test_without_held_out_data_the_last_encoder_is_kept(whole: Whole, tmp_path: Path) -> None:
    changes = {"cv_data": [], "epochs": 1, "epoch_length": 3, "log_every": 2, "num_workers": 0}
    file = toy.write(tmp_path / "toy.yaml", whole.data, **changes)
    with torch.random.fork_rng():
        folder = loop.train(config.read(file))
    assert [file.name for file in folder.glob("*.safetensors")] == ["last.safetensors"]
    assert "no average" in (folder / "train.log").read_text()
    assert [record["step"] for record in toy.log_of(folder)] == [2, 3]
    losses = [record["loss"] for record in toy.log_of(folder)]
    assert all(math.isfinite(loss) for loss in losses)
