"""Optimisers by name, with what is done where one cannot be had."""

import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dasheng.train import optimizer
from dasheng.train.config import TrainConfig
from tasks.errors import UserError


def built(
    name: str, arguments: dict[str, Any] | None = None, device: str = "cpu"
) -> torch.optim.Optimizer:
    config = TrainConfig(
        train_data=("a",), optimizer=name, optimizer_args={"lr": 0.1, **(arguments or {})}
    )
    return optimizer.build(nn.Linear(3, 2).parameters(), config, device)


def weights_after(optimiser: torch.optim.Optimizer) -> Tensor:
    (group,) = optimiser.param_groups
    weight = group["params"][0]
    with torch.no_grad():
        weight.fill_(1.0)
    weight.square().sum().backward()
    optimiser.step()
    return weight.detach().clone()


def test_is_pytorchs_own() -> None:
    made = built("AdamW", {"betas": [0.9, 0.95], "weight_decay": 0.05})
    assert type(made) is torch.optim.AdamW
    assert made.defaults["betas"] == (0.9, 0.95) and made.defaults["fused"]
    plain = torch.optim.AdamW(
        nn.Linear(3, 2).parameters(), lr=0.1, betas=(0.9, 0.95), weight_decay=0.05, foreach=False
    )
    assert torch.allclose(weights_after(made), weights_after(plain), rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["Adam", "SGD", "RAdam", "Adagrad", "Adadelta", "NAdam", "RMSprop"]
)
def test_others_step_too(name: str) -> None:
    assert (weights_after(built(name)) < 1).all()


@pytest.mark.parametrize(
    ("name", "instead"), [("AdamW8bit", "AdamW"), ("PagedAdamW8bit", "AdamW"), ("Adam8bit", "Adam")]
)
def test_8_bits_need_cuda(name: str, instead: str, caplog: pytest.LogCaptureFixture) -> None:
    assert type(built(name)).__name__ == instead
    assert caplog.messages == [f"optimizer: {instead} instead of {name}, which needs CUDA"]


def test_8_bits_are_bitsandbytes(caplog: pytest.LogCaptureFixture) -> None:
    """Built without a GPU: it is needed to step, not to be made."""
    made = built("AdamW8bit", {"betas": [0.9, 0.95], "weight_decay": 0.01}, "cuda")
    if sys.platform == "linux":
        assert type(made).__module__.startswith("bitsandbytes.")
        assert made.defaults["betas"] == (0.9, 0.95) and made.defaults["weight_decay"] == 0.01
        assert "optimizer:" not in caplog.text
    else:
        assert "AdamW instead of AdamW8bit, which needs bitsandbytes" in caplog.text


def test_8_bits_without_bitsandbytes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    assert type(built("AdamW8bit", device="cuda")) is torch.optim.AdamW
    assert "AdamW instead of AdamW8bit, which needs bitsandbytes" in caplog.text


def test_numbers_may_be_text() -> None:
    assert built("AdamW", {"lr": "1e-4"}).defaults["lr"] == 1e-4


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("AdanW", {}, "unknown setting optimizer AdanW: did you mean"),
        ("LBFGS", {}, "unknown setting optimizer LBFGS"),
        ("Optimizer", {}, "unknown setting optimizer Optimizer"),
        (
            "AdamW",
            {"weight_dekay": 1},
            "optimizer_args.weight_dekay: did you mean optimizer_args.w",
        ),
        ("AdamW", {"weight_decay": -1}, "optimizer_args of AdamW: Invalid weight_decay"),
        ("AdamW", {"betas": "x"}, "optimizer_args of AdamW"),
        ("AdamW", {"foreach": True}, "optimizer_args of AdamW: .* cannot be .* together"),
        ("AdamW", {"params": []}, "unknown setting optimizer_args.params"),
    ],
)
def test_mistakes_are_named(name: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        built(name, arguments)
    assert "\n" not in str(error.value)
