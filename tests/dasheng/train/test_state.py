"""Which states there are, which of them are complete, and what may change on going on."""

import dataclasses
import errno
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from dasheng.train import state
from dasheng.train.config import TrainConfig
from tasks.errors import UserError

CONFIG = TrainConfig(train_data=("a.tar",), model_args={"decoder": {"depth": 2}})


@pytest.fixture
def accelerator() -> Accelerator:
    """Of a small model whose optimiser has taken one step."""
    accelerator = Accelerator(cpu=True)
    layer = torch.nn.Linear(3, 2)
    model, optimizer = accelerator.prepare(layer, torch.optim.AdamW(layer.parameters()))
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return accelerator


def steps(folder: Path) -> list[int]:
    return sorted(int(found.name.removeprefix("step_")) for found in folder.glob("states/step_*"))


def test_a_state_is_found_and_loaded_as_it_was(accelerator: Accelerator, tmp_path: Path) -> None:
    (model,) = accelerator._models
    before = {name: x.clone() for name, x in model.state_dict().items()}
    progress = {"step": 7, "losses": [0.1, 1 / 3]}
    kept = state.save(accelerator, tmp_path, progress)
    assert state.latest(tmp_path) == state.find(tmp_path) == state.find(kept) == kept
    assert state.progress_of(kept) == progress
    with torch.no_grad():
        model.weight.zero_()
    state.load(accelerator, kept)
    for name, x in model.state_dict().items():
        assert torch.equal(x, before[name])
    (kept / "optimizer.bin").write_bytes(b"half")
    with pytest.raises(UserError, match="expected a complete state, could not load it"):
        state.load(accelerator, kept)


def test_the_newest_two_are_kept_and_none_of_a_future_given_up(
    accelerator: Accelerator, tmp_path: Path
) -> None:
    for step in (3, 5, 100, 20):
        state.save(accelerator, tmp_path, {"step": step})
    assert steps(tmp_path) == [5, 20]
    state.save(accelerator, tmp_path, {"step": 20})  # once more
    assert steps(tmp_path) == [5, 20]
    assert not list((tmp_path / "states").glob(".*"))


def test_what_was_being_written_is_no_state(accelerator: Accelerator, tmp_path: Path) -> None:
    assert state.latest(tmp_path) is None
    unfinished = tmp_path / "states" / ".step_00000009.tmp"
    unfinished.mkdir(parents=True)
    (unfinished / "state.json").write_text("{}")
    (tmp_path / "states" / "step_00000008").mkdir()  # copied by hand, in part
    with pytest.raises(UserError, match="expected a run with a complete state"):
        state.find(tmp_path)
    state.save(accelerator, tmp_path, {"step": 2})
    assert state.find(tmp_path).name == "step_00000002"
    assert not unfinished.exists()


def changed(name: str) -> TrainConfig:
    """The configuration with another value of one setting."""
    now = getattr(CONFIG, name)
    others: dict[str, object] = {
        "model": "dasheng_06B",
        "model_args": {"decoder": {"depth": 3}},
        "optimizer_args": {"lr": 3e-4, "weight_decay": 0.02},
        "augment": {"mix": 0.5},
        "mask_ratio": 0.5,
        "decay_frac": 0.5,
        "max_bad": 0.5,
        "start_from": "base",
    }
    if isinstance(now, bool):
        usual: object = not now
    elif isinstance(now, int):
        usual = now + 1
    else:
        usual = {tuple: ("b.tar",), str: "other"}.get(type(now), 1)
    other = others.get(name, usual)
    return dataclasses.replace(CONFIG, **{name: other})


FIXED = {"sample_rate", "score_function"}


@pytest.mark.parametrize("name", sorted({f.name for f in dataclasses.fields(CONFIG)} - FIXED))
def test_a_run_goes_on_with_what_may_change_and_refuses_the_rest_by_name(name: str) -> None:
    progress = {"config": state.settings(CONFIG), "processes": 1}
    state.check(progress, CONFIG, 1)
    if name in state.CHANGEABLE:
        state.check(progress, changed(name), 1)
        return
    with pytest.raises(UserError, match=rf"resume: expected {name}\b.*found") as error:
        state.check(progress, changed(name), 1)
    assert "\n" not in str(error.value)


def test_what_may_change_are_settings() -> None:
    known = {f.name for f in dataclasses.fields(CONFIG)} | {"optimizer_args.lr"}
    assert known >= state.CHANGEABLE
    slower = dataclasses.replace(CONFIG, optimizer_args={"lr": 1e-5, "weight_decay": 0.01})
    state.check({"config": state.settings(CONFIG), "processes": 1}, slower, 1)


def test_another_number_of_processes_is_refused() -> None:
    with pytest.raises(UserError, match="expected 2 processes as in the run so far, found 3"):
        state.check({"config": state.settings(CONFIG), "processes": 2}, CONFIG, 3)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (RuntimeError("[enforce fail at inline_container.cc] unexpected pos 64 vs 0"), True),
        (OSError(errno.EIO, "Input/output error"), False),
        (RuntimeError("CUDA out of memory"), False),
    ],
)
def test_only_a_full_disk_is_the_users_to_mend(error: Exception, full: bool) -> None:
    with pytest.raises(UserError if full else type(error)) as raised, state.storage_errors("it"):
        raise error
    assert ("expected room for it, the disk is full" in str(raised.value)) == full
