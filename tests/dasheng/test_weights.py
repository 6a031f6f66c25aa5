"""Where weights lie, and files that are not a model's; downloads are in test_checkpoint."""

import io
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


def test_what_the_caller_has_allowed_stays_so(tmp_path: Path) -> None:
    torch.save({"args": Namespace(lr=0.1)}, tmp_path / "a.pth")
    before = set(torch.serialization.get_safe_globals())  # in no order
    weights.read_pickle(tmp_path / "a.pth")
    assert set(torch.serialization.get_safe_globals()) == before
    with torch.serialization.safe_globals([Namespace]):
        weights.read_pickle(tmp_path / "a.pth")
        assert Namespace in torch.serialization.get_safe_globals()


class Foreign:
    """Something that a checkpoint would have to execute code for."""


def refusal(file: Path) -> str:
    with pytest.raises(ValueError, match=rf"^{re.escape(str(file))}: expected ") as caught:
        weights.read_pickle(file)
    message = str(caught.value)
    assert message.isprintable()  # one line, and no colours
    return message


def test_what_would_execute_code_is_named_without_advice_to_do_so(tmp_path: Path) -> None:
    torch.save({"model": Foreign()}, tmp_path / "a.pt")
    message = refusal(tmp_path / "a.pt")
    assert "execute code" in message
    assert "test_weights.Foreign" in message
    assert "will likely succeed" not in message
    assert "add_safe_globals" not in message


@pytest.mark.parametrize(
    "content", [b"", bytes(5000), b"<html>log in</html>", b"version https://git-lfs.github.com\n"]
)
def test_no_checkpoint_at_all_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    assert "damaged" in refusal(tmp_path / "a.pt")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_broken_off_or_overwritten_checkpoint_is_refused_in_one_line(
    zipped: bool, tmp_path: Path
) -> None:
    content = io.BytesIO()
    state = {"a.weight": torch.ones(40, 3), "b": torch.ones(2)}
    torch.save(state, content, _use_new_zipfile_serialization=zipped)
    data, file = content.getvalue(), tmp_path / "a.pt"
    for size in range(0, len(data), 23):
        file.write_bytes(data[:size])
        refusal(file)
    start = data.index(b"a.weight")
    file.write_bytes(data[:start] + b"\xff" * 8 + data[start + 8 :])  # no text in UTF-8
    refusal(file)


@pytest.mark.parametrize(
    "dump", [[torch.ones(1)], {"epoch": 3}, {"model": {"a": 3}}, {0: torch.ones(1)}, torch.ones(1)]
)
def test_other_forms_are_no_state(dump: object, tmp_path: Path) -> None:
    torch.save(dump, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="expected tensors by name, found another form"):
        weights.read_state(tmp_path / "a.pt")


def test_a_state_is_read_from_each_form(tmp_path: Path) -> None:
    state = {"a": torch.ones(2)}
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "a.pt")
    torch.save({"model": state, "epoch": 3}, tmp_path / "b.pth")
    for name in ("a.safetensors", "a.pt", "b.pth"):
        assert torch.equal(weights.read_state(tmp_path / name)["a"], state["a"])
