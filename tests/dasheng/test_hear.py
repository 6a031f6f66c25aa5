"""The HEAR API of Dasheng; the official validator's verdict is under the marker `validator`."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dasheng import hear
from dasheng.blocks import EncoderConfig
from tests.dasheng.miniature import miniature, write_published


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> torch.nn.Module:
    file = tmp_path_factory.mktemp("weights") / "mini.pt"
    return hear.load_model(str(write_published(miniature(), file)))


def test_model_has_the_attributes_of_the_api(model: torch.nn.Module) -> None:
    assert not model.training
    assert model.sample_rate == 16000
    assert model.scene_embedding_size == model.timestamp_embedding_size == 32
    assert model.minimum_samples == 480


def test_scene_embedding_is_the_mean_of_the_timestamp_embeddings(model: torch.nn.Module) -> None:
    audio = torch.randn(3, 50_000)
    lengths = torch.tensor([50_000, 300, 20_000])
    scenes = hear.get_scene_embeddings(audio, model, lengths)
    tokens, times = hear.get_timestamp_embeddings(audio, model, lengths)
    assert scenes.shape == (3, 32)
    assert tokens.shape == (3, 78, 32)
    assert scenes.dtype == tokens.dtype == times.dtype == torch.float32
    assert not scenes.requires_grad
    for row, count in enumerate((78, 1, 31)):
        torch.testing.assert_close(scenes[row], tokens[row, :count].mean(dim=0))


def test_timestamps_are_token_centres_in_ms(model: torch.nn.Module) -> None:
    _, times = hear.get_timestamp_embeddings(torch.randn(2, 16000), model)
    assert times[0, :3].tolist() == [15.0, 55.0, 95.0]
    assert times.max() <= 1000.0
    assert torch.equal(times[0], times[1])


def test_outputs_are_float32_under_autocast(model: torch.nn.Module) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert hear.get_scene_embeddings(torch.randn(1, 16000), model).dtype == torch.float32


class CastParameters(TorchDispatchMode):
    """Counts the parameters that are copied to another dtype."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.count += op is torch.ops.aten._to_copy.default and args[0].requires_grad
        return op(*args, **(kwargs or {}))


def test_one_autocast_context_casts_each_weight_once(model: torch.nn.Module) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        hear.get_scene_embeddings(torch.randn(1, 16000), model)
        with CastParameters() as casts:
            hear.get_scene_embeddings(torch.randn(1, 16000), model)
    assert casts.count == 0
    with torch.autocast("cpu", torch.bfloat16), CastParameters() as casts:
        hear.get_scene_embeddings(torch.randn(1, 16000), model)
    assert casts.count > 0


def test_what_is_neither_a_name_nor_a_file_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match=r"expected tiny, base, 0\.6B, 1\.2B or .* 'bse'"):
        hear.load_model("bse")


def official_verdict(checkpoint: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("hear-validator"))
    command = [program, "dasheng.hear", "-m", checkpoint]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.validator
def test_official_validator(tmp_path: Path) -> None:
    """`hear-validator dasheng.hear -m FILE` for a randomly initialised base checkpoint."""
    done = official_verdict(str(write_published(miniature(EncoderConfig()), tmp_path / "base.pt")))
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("Looks good!")


@pytest.mark.validator
def test_official_validator_on_the_shipped_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """`hear-validator dasheng.hear -m tiny`, with no network and nothing downloaded before."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("DASHENG_HOME", "/nowhere")
    done = official_verdict("tiny")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("Looks good!")
