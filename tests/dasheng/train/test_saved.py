"""The best, the last and the mean of the best, against sorting and a mean done by hand."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dasheng import checkpoint
from dasheng.train.saved import Saved
from tests.dasheng.miniature import CONFIG, miniature

STATE = miniature().state_dict()


def shifted(by: float) -> dict[str, Tensor]:
    return {name: x + by if x.is_floating_point() else x for name, x in STATE.items()}


def marks(file: Path) -> float:
    """By how much a file's encoder is shifted."""
    return float((checkpoint.load(file).norm.bias.detach() - STATE["norm.bias"]).mean())


@settings(deadline=None, max_examples=15)
@given(
    losses=st.lists(st.integers(1, 6).map(lambda n: n / 8), min_size=1, max_size=7),
    n_saved=st.integers(1, 3),
)
def test_the_lowest_losses_stay_the_earlier_of_equal_ones(
    losses: list[float], n_saved: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    for step, loss in enumerate(losses):
        Saved(folder, n_saved).keep(shifted(step), CONFIG, loss, step)  # anew, as after resuming
    expected = sorted(range(len(losses)), key=lambda step: losses[step])[:n_saved]
    best = Saved(folder, n_saved).best
    assert [entry.step for entry in best] == expected
    assert [entry.loss for entry in best] == [losses[step] for step in expected]
    assert [marks(entry.file) for entry in best] == pytest.approx(expected)
    assert marks(folder / "last.safetensors") == pytest.approx(len(losses) - 1)
    names = {"last", *(entry.file.stem for entry in best)}
    assert {file.stem for file in folder.iterdir()} == names


def test_names_say_step_and_loss(tmp_path: Path) -> None:
    Saved(tmp_path, 1).keep(STATE, CONFIG, 0.4321, 1500)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        *("best_1500_0.432100.json", "best_1500_0.432100.safetensors"),
        *("last.json", "last.safetensors"),
    ]


def test_mean_of_the_best(tmp_path: Path) -> None:
    saved = Saved(tmp_path, 3)
    assert saved.average() is None
    states = [miniature(seed=seed).state_dict() for seed in range(4)]
    for step, (state, loss) in enumerate(zip(states, (0.3, 0.9, 0.2, 0.5), strict=True)):
        counted = {**state, "init_bn.1.num_batches_tracked": torch.tensor(step)}
        saved.keep(counted, CONFIG, loss, step)
    file = saved.average()
    assert file == tmp_path / "averaged.safetensors"
    found = checkpoint.load(file).state_dict()
    assert found.pop("init_bn.1.num_batches_tracked") == 2  # the best one's
    for name, x in found.items():
        mean = torch.stack([states[step][name].double() for step in (0, 2, 3)]).mean(dim=0)
        torch.testing.assert_close(x.double(), mean, rtol=1e-5, atol=1e-6)


def test_a_loss_that_is_not_finite_is_never_best(tmp_path: Path) -> None:
    saved = Saved(tmp_path, 2)
    for step, loss in enumerate((float("nan"), float("inf"), 0.5)):
        saved.keep(STATE, CONFIG, loss, step)
    assert [best.step for best in saved.best] == [2]


def test_a_step_done_again_replaces_itself(tmp_path: Path) -> None:
    saved = Saved(tmp_path, 3)
    for step, loss in ((10, 0.5), (20, 0.4), (20, 0.6)):
        saved.keep(STATE, CONFIG, loss, step)
    assert [(best.step, best.loss) for best in saved.best] == [(10, 0.5), (20, 0.6)]


def test_a_full_disk_costs_nothing_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = Saved(tmp_path, 1)
    saved.keep(STATE, CONFIG, 0.5, 1)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        saved.keep(shifted(1.0), CONFIG, 0.4, 2)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
