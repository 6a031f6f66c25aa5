"""The encoder in the package: small, whole, and there without a network."""

import shutil
import socket
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from dasheng import checkpoint, dasheng_tiny, hear
from dasheng.train import card
from harness import fingerprint

FOLDER = Path(checkpoint.__file__).with_name("pretrained")
FILE = FOLDER / "tiny.safetensors"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("DASHENG_HOME", str(tmp_path / "nothing"))


def test_it_is_small() -> None:
    assert FILE.stat().st_size <= 12e6
    assert sum(parameter.numel() for parameter in dasheng_tiny().parameters()) <= 6e6


def test_the_file_holds_the_encoder_alone_in_half_precision() -> None:
    with safe_open(FILE, framework="pt") as file:
        dtypes = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert set(dtypes) == set(dasheng_tiny().state_dict())
    assert dtypes["blocks.0.attn.qkv.weight"] == torch.float16
    assert dtypes["init_bn.1.running_var"] == torch.float32


def test_both_ways_to_it_give_the_same_float32_encoder() -> None:
    model = dasheng_tiny().eval()
    assert all(x.dtype == torch.float32 and x.isfinite().all() for x in model.parameters())
    audio = 0.1 * torch.randn(2, 40_000)
    expected = model(audio).mean(dim=1)
    torch.testing.assert_close(hear.get_scene_embeddings(audio, hear.load_model("tiny")), expected)
    assert expected.isfinite().all()


def test_a_file_of_ones_own_goes_first(tmp_path: Path) -> None:
    model = dasheng_tiny()
    torch.nn.init.zeros_(model.norm.bias)
    checkpoint.save(model, tmp_path / "own.safetensors")
    assert not dasheng_tiny(path=tmp_path / "own.safetensors").norm.bias.any()
    assert dasheng_tiny(target_length=100).config.target_length == 100


def test_the_card_is_of_these_weights() -> None:
    text = (FOLDER / "README.md").read_text()
    assert fingerprint.of_weights(dasheng_tiny().state_dict()) in text


def test_the_card_says_what_its_run_and_the_records_say(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "README.md", tmp_path)
    curves = card.write(FOLDER / "run", FOLDER.parents[1] / "results", tmp_path / "README.md")
    for made in (tmp_path / "README.md", curves):
        assert made.read_text() == (FOLDER / made.name).read_text()
