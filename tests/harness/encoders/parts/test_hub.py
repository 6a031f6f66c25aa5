"""Models in folders and on a hub of our own; each fault is one line that names it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    AutoModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
)
from transformers.utils import logging

from harness.encoders.parts import hub
from tests.harness.encoders.hub_server import Hub, running

HEADS = r"(quantizer|project_q|project_hid)\..*"
ROOT = Path(__file__).parents[4]


def published(folder: Path) -> Path:
    """A tiny model with the heads of its training, as save_pretrained writes it."""
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        codevector_dim=8,
        proj_codevector_dim=8,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Wav2Vec2ForPreTraining(config).half().save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return published(tmp_path / "model")


def change(folder: Path, **tensors: Tensor | None) -> None:
    """Replace, add or (None) remove tensors of a checkpoint; "__" for "." in their names."""
    state = load_file(folder / "model.safetensors")
    for name, tensor in tensors.items():
        state[name.replace("__", ".")] = tensor
    state = {name: tensor for name, tensor in state.items() if tensor is not None}
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def load(folder: Path, **options: Any) -> torch.nn.Module:
    return hub.pretrained(AutoModel, str(folder), spare=HEADS, **options)


def total(model: torch.nn.Module) -> float:
    return sum(x.double().sum().item() for x in model.state_dict().values())


def test_a_folder_is_loaded_whole_as_float32(folder: Path) -> None:
    model = load(folder)
    assert isinstance(model, Wav2Vec2Model)
    assert not model.training
    published = load_file(folder / "model.safetensors")
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, published[f"wav2vec2.{name}"].float())


def test_a_pickled_checkpoint_with_the_old_names_of_weight_norm(folder: Path) -> None:
    expected = load(folder).state_dict()
    state = load_file(folder / "model.safetensors")
    for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
        name = "wav2vec2.encoder.pos_conv_embed.conv."
        state[name + old] = state.pop(f"{name}parametrizations.weight.{new}")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    found = load(folder).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize("downloads", [True, False])
def test_loading_is_quiet_and_leaves_no_trace(
    folder: Path, capfd: pytest.CaptureFixture[str], bars: bool, downloads: bool
) -> None:
    def switches() -> tuple[int, bool, bool]:
        shown = logging.is_progress_bar_enabled(), not are_progress_bars_disabled()
        return logging.get_verbosity(), *shown

    verbosity = logging.get_verbosity()
    try:
        (logging.enable_progress_bar if bars else logging.disable_progress_bar)()
        (enable_progress_bars if downloads else disable_progress_bars)()
        random = torch.random.get_rng_state()
        load(folder)
        assert capfd.readouterr() == ("", "")
        assert switches() == (verbosity, bars, downloads)
        assert torch.equal(random, torch.random.get_rng_state())
    finally:
        logging.enable_progress_bar()


def test_the_front_end_is_the_published_one(folder: Path) -> None:
    extractor = hub.feature_extractor(str(folder))
    assert isinstance(extractor, Wav2Vec2FeatureExtractor)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match=r"found no preprocessor_config\.json"):
        hub.feature_extractor(str(folder))


BIAS = "wav2vec2__encoder__layers__0__final_layer_norm__bias"


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({BIAS: None}, "1 missing (encoder.layers.0.final_layer_norm.bias)"),
        ({"wav2vec2__gain": torch.ones(1)}, "1 unexpected (wav2vec2.gain)"),
        ({"a": torch.ones(1), "b": torch.ones(1)}, "2 unexpected (a, …)"),
        (
            {BIAS: torch.ones(3)},
            "1 other shape (encoder.layers.0.final_layer_norm.bias (3,) for (16,))",
        ),
    ],
)
def test_a_tensor_too_few_too_many_or_misshapen_is_named(
    folder: Path, tensors: dict[str, Tensor | None], said: str
) -> None:
    change(folder, **tensors)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_heads_are_unexpected_unless_they_are_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"7 unexpected \(project_hid\.bias, …\)"):
        hub.pretrained(AutoModel, str(folder))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors", b"{", "header too small"),
        ("model.safetensors", None, "found no model.safetensors or pytorch_model.bin"),
        ("config.json", b"{", "not a valid JSON file"),
        ("config.json", None, "found no config.json"),
        ("config.json", b'{"model_type": "unheard-of"}', "unheard-of"),
        (
            "config.json",
            b'{"auto_map": {"AutoConfig": "own.Config"}}',
            "code of its own; pass --trust-remote-code",
        ),
    ],
)
def test_a_damaged_folder_is_refused(
    folder: Path, file: str, content: bytes | None, said: str
) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_a_pickle_that_would_execute_code_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"a": Path("b")}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="damaged, or that only executed code could read"):
        load(folder)


def test_neither_folder_nor_name(tmp_path: Path) -> None:
    for name in ("./nowhere", "a/b/c", str(tmp_path / "nowhere")):
        with pytest.raises(ValueError, match="a folder that exists or a name on the hub"):
            hub.pretrained(AutoModel, name)


def test_what_has_a_revision_is_no_folder(folder: Path) -> None:
    with pytest.raises(ValueError, match="a folder that exists or a name on the hub"):
        hub.pretrained(AutoModel, str(folder), "main")


@pytest.fixture
def http(no_proxy: None) -> Iterator[Hub]:
    with running() as server:
        yield server


LOAD_EACH = f"""
import json, sys
from transformers import AutoModel
from harness.encoders.parts import hub
for name, revision in json.loads(sys.argv[1]):
    try:
        model = hub.pretrained(
            AutoModel, name, revision, spare={HEADS!r}, trust_remote_code="trusted" in sys.argv
        )
        print(json.dumps(sum(x.double().sum().item() for x in model.state_dict().values())))
    except ValueError as error:
        print(json.dumps(str(error)))
"""


def load_elsewhere(
    home: Path, models: list[tuple[str, str | None]], trusted: bool = False, **environment: str
) -> list[Any]:
    """What a process of its own finds for each model: the sum of its weights, or the fault."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD_EACH, json.dumps(models), *["trusted"][:trusted]],
        env={**os.environ, "HF_HOME": str(home), "PYTHONPATH": str(ROOT), **environment},
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not re.search("Warning|Retrying", done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_models_of_a_hub(folder: Path, tmp_path: Path, http: Hub) -> None:
    home = tmp_path / "home"
    weights = total(load(folder))
    commit = http.publish("org/whole", folder)
    http.publish("org/gated", folder)
    http.gated.add("org/gated")

    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    http.publish("org/pickled", folder)
    (folder / "pytorch_model.bin").unlink()
    http.publish("org/bare", folder)
    names = sorted(state)
    shards = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    for shard, held in shards.items():
        save_file({name: state[name] for name in held}, folder / shard, {"format": "pt"})
    index = {"metadata": {}, "weight_map": {n: s for s, held in shards.items() for n in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    http.publish("org/shards", folder)
    (folder / "config.json").unlink()
    http.publish("org/strange", folder)

    asked = ["whole", "pickled", "shards", "gated", "bare", "strange", "unknown"]
    found = load_elsewhere(
        home,
        [*((f"org/{name}", None) for name in asked), ("org/whole", "v2"), ("org/whole", commit)],
        HF_ENDPOINT=http.endpoint,
    )
    assert found[:3] == [weights] * 3
    assert "accept their terms" in found[3]
    assert "expected model.safetensors or pytorch_model.bin at" in found[4]
    assert "expected config.json at" in found[5]
    assert "expected a folder that exists or a model at" in found[6]
    assert "expected a branch, tag or commit of the model, found 'v2'" in found[7]
    assert found[8] == weights
    assert not any("\n" in said for said in found[3:8])
    assert {line.split()[0] for line in http.requests} == {"HEAD", "GET"}  # nothing is converted

    # Nothing is asked of a commit that is in the cache.
    assert "/whole/resolve/v2/" in http.requests[-1]

    http.requests.clear()
    offline = [
        ("org/whole", None),
        ("org/pickled", None),
        ("org/shards", None),
        ("org/gated", None),
    ]
    found = load_elsewhere(home, offline, HF_ENDPOINT=http.endpoint, HF_HUB_OFFLINE="1")
    assert found[:3] == [weights] * 3
    assert "HF_HUB_OFFLINE is set" in found[3]
    assert http.requests == []


@pytest.mark.parametrize("shown", ["0", "1"])
def test_the_users_word_on_bars_is_no_warning(folder: Path, tmp_path: Path, shown: str) -> None:
    weights = total(load(folder))
    said = load_elsewhere(
        tmp_path / "home", [(str(folder), None)], HF_HUB_DISABLE_PROGRESS_BARS=shown
    )
    assert said == [weights]


def test_without_a_network_it_asks_once(tmp_path: Path, http: Hub) -> None:
    home = tmp_path / "home"
    nobody = http.endpoint
    http.shutdown()
    http.server_close()
    [said] = load_elsewhere(home, [("org/model", "0" * 40)], HF_ENDPOINT=nobody)
    assert f"{nobody} cannot be reached (" in said
    assert "\n" not in said


def test_code_of_a_model_is_executed_where_the_user_says_so(tmp_path: Path, http: Hub) -> None:
    folder = published(tmp_path / "model")
    weights = total(load(folder))
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Net"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(
        "from transformers import Wav2Vec2Config, Wav2Vec2Model\n"
        "class Own(Wav2Vec2Config): model_type = 'own'\n"
        "class Net(Wav2Vec2Model): config_class = Own\n"
    )
    http.publish("org/own", folder)
    assert load_elsewhere(
        tmp_path / "home", [("org/own", None)], trusted=True, HF_ENDPOINT=http.endpoint
    ) == [weights]
