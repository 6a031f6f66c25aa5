"""A spec becomes a loaded, fingerprinted encoder, or one clear line."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness import encoder as module
from harness import targets
from harness.encoder import embed_batch, load
from harness.encoders import melspec
from harness.errors import UserError
from harness.fingerprint import joined, of_weights
from tests.dasheng.miniature import miniature, write_published
from tests.harness import faults, sound_hear

WEIGHTS_HEAR = """
import torch
from tests.harness.sound_hear import Sound, scene as get_scene_embeddings
from tests.harness.sound_hear import timestamps as get_timestamp_embeddings

def load_model(model_file_path=""):
    model = Sound()
    if model_file_path:
        model.load_state_dict(torch.load(model_file_path, weights_only=True))
    return model
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, and the current one, with the HEAR module `weights_hear`."""
    (tmp_path / "weights_hear.py").write_text(WEIGHTS_HEAR)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("weights_hear", None)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch):
    """Makes a module importable by a name."""

    def function(planted: ModuleType, name: str = "planted_hear") -> str:
        planted.__name__ = name
        monkeypatch.setitem(sys.modules, name, planted)
        return name

    return function


def clip(samples: int = 16000) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (1, samples)).astype(np.float32)


def error_of(spec: str, device: str = "cpu") -> str:
    with pytest.raises(UserError) as caught:
        load(spec, device)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_melspec() -> None:
    encoder = load("melspec")
    assert encoder.name == encoder.spec == "melspec"
    assert (encoder.sample_rate, encoder.embedding_size, encoder.parameters) == (16000, 64, 0)
    assert encoder.minimum_samples == 480
    assert encoder.ragged
    assert len(encoder.weights_sha256) == 64
    assert encoder.canary == load("harness.encoders.melspec", "cpu").canary
    assert all(f"{float(number):.2e}" == number for number in encoder.canary)


def test_another_module_by_name(place: Path) -> None:
    encoder = load("weights_hear", "cpu")
    assert encoder.name == "weights_hear"
    assert encoder.parameters == 8 * 8 + 8 + 2 * 8
    assert not encoder.ragged
    assert encoder.minimum_samples == 0
    assert not any(layer.training for layer in encoder.model.modules())  # its load_model forgot
    assert all(parameter.requires_grad for parameter in encoder.model.parameters())


def test_a_checkpoint_names_the_results(place: Path) -> None:
    weights = sound_hear.Sound()
    torch.save(weights.state_dict(), place / "my weights.pt")
    nn.init.ones_(weights.mix.weight)
    torch.save(weights.state_dict(), place / "other.pt")
    encoder, other = load("weights_hear:my weights.pt"), load("weights_hear:other.pt")
    digest = joined(encoder.weights_sha256, encoder.code_sha256)
    assert encoder.name == f"weights_hear-my-weights-{digest[:8]}"
    assert encoder.weights_sha256 == load("weights_hear").weights_sha256 != other.weights_sha256
    assert encoder.canary == load("weights_hear").canary != other.canary


def test_a_checkpoint_file_alone_is_one_of_dasheng(tmp_path: Path) -> None:
    model = miniature()
    encoder = load(str(write_published(model, tmp_path / "small.pt")), "cpu")
    assert encoder.name == f"small-{encoder.weights_sha256[:8]}"
    assert encoder.weights_sha256 == of_weights(model.state_dict())
    assert encoder.module.__name__ == "dasheng.hear"
    assert encoder.ragged
    assert (encoder.embedding_size, encoder.minimum_samples) == (32, 480)


def test_an_alias_keeps_its_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(targets.ALIASES, "weighty", "weights_hear")
    assert load("weighty").name == load("weights_hear").name == "weighty"


def test_the_canary_sees_code_that_the_weights_do_not_show(plant) -> None:
    sound, other = sound_hear.sound(), faults.planted("size-of-batch")
    sound_hear.scenes(lambda e, a, m: e * 1.01)(other)
    first, second = load(plant(sound, "one_hear")), load(plant(other, "other_hear"))
    assert first.weights_sha256 == second.weights_sha256
    assert first.canary != second.canary


def test_fingerprint_follows_names_types_shapes_and_bytes() -> None:
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3, dtype=torch.int64)}
    same = {"b": state["b"], "a": torch.arange(6.0).reshape(2, 3).T.contiguous().T}
    assert of_weights(state) == of_weights(same)
    changed = [
        {**state, "a": state["a"].reshape(3, 2)},
        {**state, "a": state["a"].nextafter(torch.tensor(9.0))},
        {**state, "a": state["a"].double()},
        {**state, "a": state["a"].bfloat16()},
        {"a": state["a"]},
        {"a": state["a"], "c": state["b"]},
        {**state, "extra": "not a tensor"},
        {},
    ]
    prints = [of_weights(state), *map(of_weights, changed)]
    assert len(set(prints)) == len(prints)


def test_embed_batch_takes_arrays_and_tensors() -> None:
    encoder = load("melspec", "cpu")
    audio = clip()
    audio.flags.writeable = False
    expected = melspec.get_scene_embeddings(torch.tensor(audio), encoder.model).numpy()
    for given in (audio, torch.tensor(audio)):
        embedding = embed_batch(encoder, given)
        assert embedding.dtype == np.float32
        np.testing.assert_array_equal(embedding, expected)


def test_embed_batch_ragged() -> None:
    encoder = load("melspec", "cpu")
    audio = np.repeat(clip(), 2, axis=0)
    ragged = embed_batch(encoder, audio, np.array([16000, 8000]))
    np.testing.assert_allclose(ragged[1:], embed_batch(encoder, audio[1:, :8000]), rtol=1e-5)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("float64", "torch.float64"),
        ("row-lost", "(1, 8)"),
        ("wrong-size", "(2, 7)"),
        ("list", "list"),
    ],
)
def test_embed_batch_names_what_a_module_returns(plant, fault: str, found: str) -> None:
    encoder = load(plant(sound_hear.sound()), "cpu")
    plant(faults.planted(fault))
    broken = module.Encoder(**{**vars(encoder), "module": sys.modules["planted_hear"]})
    with pytest.raises(UserError) as caught:
        embed_batch(broken, np.repeat(clip(), 2, axis=0))
    assert found in str(caught.value)
    assert "planted_hear" in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("melspek", "did you mean 'melspec'?"),
        ("0.6b", "did you mean '0.6B'?"),
        ("dasheng.hera", "did you mean 'dasheng.hear'?"),
        ("no_such_module", "tiny, base, 0.6B, 1.2B, random, melspec"),
        ("no/such/file.pt", "a checkpoint file that exists"),
        ("", "unknown model ''"),
        ("harness.errors", "has no function load_model"),
        ("melspec:x", "no weights"),
        ("harness.encoders.melspec:x.pt", "no weights"),
    ],
)
def test_a_spec_that_means_nothing(spec: str, hint: str) -> None:
    assert hint in error_of(spec)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no-load-model", "no function load_model"),
        ("no-scene-function", "no function get_scene_embeddings"),
        ("no-timestamp-function", "no function get_timestamp_embeddings"),
        ("no-sample-rate", "no attribute sample_rate"),
        ("no-embedding-size", "no attribute scene_embedding_size"),
        ("not-a-module", "must return a torch.nn.Module, found str"),
    ],
)
def test_a_module_that_is_no_hear_module(plant, fault: str, words: str) -> None:
    assert words in error_of(plant(faults.planted(fault)))


def test_a_checkpoint_that_is_not_there(place: Path) -> None:
    assert "nothing.pt" in error_of("weights_hear:nothing.pt")


def test_a_package_that_is_not_installed(place: Path) -> None:
    (place / "needy_hear.py").write_text("import no_such_package\n")
    assert "needs the package 'no_such_package'" in error_of("needy_hear")


def test_other_errors_keep_their_traceback(plant) -> None:
    with pytest.raises(RuntimeError, match="no weights here"):
        load(plant(faults.planted("load-model-raises")), "cpu")


@pytest.mark.parametrize("device", ["cud", "cuda:99"])
def test_a_device_that_is_not_there(device: str) -> None:
    assert repr(device) in error_of("melspec", device)


def test_load_leaves_the_callers_autocast_out_of_the_canary(plant) -> None:
    def half_of_matmul(audio: Tensor, model: nn.Module) -> Tensor:
        return (sound_hear.scene(audio, model) @ torch.eye(8)).float()

    planted = sound_hear.sound()
    planted.get_scene_embeddings = half_of_matmul
    expected = load(plant(planted), "cpu").canary
    with torch.autocast("cpu", torch.bfloat16):
        assert load("planted_hear", "cpu").canary == expected
