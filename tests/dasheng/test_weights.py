"""Where weights lie, and files that are not a model's; downloads are in test_checkpoint."""

import re
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dasheng import weights


def test_home_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHENG_HOME", raising=False)
    monkeypatch.setattr(weights.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.home() == tmp_path / "dasheng"
    monkeypatch.setenv("DASHENG_HOME", "/elsewhere")
    assert weights.home() == Path("/elsewhere")


def test_half_precision_becomes_float32_and_whole_numbers_stay() -> None:
    model = nn.BatchNorm1d(3)
    state = {
        name: x.half() if x.is_floating_point() else x for name, x in model.state_dict().items()
    }
    weights.fill(model, state, Path("file"), "a batch norm")
    assert model.weight.dtype == torch.float32
    assert model.num_batches_tracked.dtype == torch.int64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("bias"), "1 missing (bias, …)"),
        (lambda state: state.update(gain=torch.ones(1)), "1 unexpected (gain, …)"),
        (lambda state: state.update(bias=torch.ones(7)), "1 other shape (bias (7,) for (2,), …)"),
    ],
)
def test_what_does_not_fit_is_named(change, said: str) -> None:
    model = nn.Linear(3, 2)
    state = dict(model.state_dict())
    change(state)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        weights.fill(model, state, Path("some.pt"), "a map")
    assert str(caught.value).startswith("some.pt: expected a map, found another architecture")


def test_safetensors_come_with_their_metadata(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors", {"note": "x"})
    state, notes = weights.read_safetensors(tmp_path / "a.safetensors")
    assert state["a"].tolist() == [1, 1]
    assert notes == {"note": "x"}


def test_a_trainers_options_are_read_too(tmp_path: Path) -> None:
    torch.save({"args": Namespace(lr=0.1), "model": {"a": torch.ones(2)}}, tmp_path / "a.pth")
    assert weights.read_pickle(tmp_path / "a.pth")["args"].lr == 0.1
