"""Models of every kind through one door: as transformers has them, each clip as alone; refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoFeatureExtractor, AutoModel, ClapModel

from harness import contract
from harness.encoders import hf
from harness.encoders.parts.audio_model import AudioModel
from harness.encoders.parts.speech import Speech
from harness.encoders.parts.time_frequency import ClapAudio, SpectrogramTransformer
from harness.encoders.whisper import Whisper
from harness.errors import UserError
from tests.harness.encoders import hf_models

KINDS = {
    "wav2vec2": Speech,
    "whisper": Whisper,
    "ast": SpectrogramTransformer,
    "clap": ClapAudio,
    "wav2vec2_bert": AudioModel,
    "moonshine": AudioModel,
    "parakeet": AudioModel,
}
# Kind → tokens of 2 s, the first two centres in ms.
GRIDS = {
    "wav2vec2": (99, [12.5, 32.5]),
    "whisper": (100, [0.0, 20.0]),
    "ast": (19, [87.5, 187.5]),
    "clap": (6, [156.25, 468.75]),
    "wav2vec2_bert": (99, [17.5, 37.5]),
    "moonshine": (82, [27.96875, 51.96875]),
    "parakeet": (26, [0.0, 80.0]),
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Folder of a tiny model by its kind; made when it is asked for first."""
    root = tmp_path_factory.mktemp("hub")

    def folder(kind: str) -> Path:
        path = root / kind
        return path if path.exists() else hf_models.save(path, kind)

    return folder


def noise(clips: int, samples: int) -> Tensor:
    return 0.1 * torch.randn(clips, samples, generator=torch.Generator().manual_seed(samples))


def error_of(spec: Path | str, **options: bool) -> str:
    with pytest.raises((ValueError, UserError)) as caught:
        hf.load_model(str(spec), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_tokens_in_time(folders: Any, kind: str) -> None:
    model = hf.load_model(str(folders(kind)))
    assert type(model) is KINDS[kind]
    assert not model.training
    assert not model.remote_code
    count, first = GRIDS[kind]
    tokens, times = hf.get_timestamp_embeddings(noise(2, 2 * model.sample_rate), model)
    assert tokens.shape == (2, count, model.timestamp_embedding_size)
    assert times.shape == (2, count)
    assert times[0, :2].tolist() == first


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_is_encoded_as_alone(folders: Any, kind: str) -> None:
    model = hf.load_model(str(folders(kind)))
    rate = model.sample_rate
    lengths = torch.tensor([2 * rate, rate // 2 + 7, 2 * rate, rate // 100, 1])
    batch = noise(len(lengths), 2 * rate)
    batch[1, lengths[1] :] = torch.nan
    scenes = hf.get_scene_embeddings(batch, model, lengths)
    tokens, _ = hf.get_timestamp_embeddings(batch, model, lengths)
    for row, length in enumerate(lengths.tolist()):
        clip = batch[row : row + 1, :length]
        alone = hf.get_scene_embeddings(clip, model)[0]
        own = hf.get_timestamp_embeddings(clip, model)[0][0]
        torch.testing.assert_close(scenes[row], alone, rtol=0, atol=1e-5 * float(alone.norm()))
        atol = 1e-5 * float(own.norm())
        torch.testing.assert_close(tokens[row, : len(own)], own, rtol=0, atol=atol)
        assert not tokens[row, len(own) :].any()


@pytest.fixture(scope="module")
def models(folders: Any) -> dict[str, Any]:
    return {kind: hf.load_model(str(folders(kind))) for kind in ("ast", "wav2vec2_bert")}


@given(
    kind=st.sampled_from(["ast", "wav2vec2_bert"]),
    lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=4),
)
@settings(deadline=None, max_examples=15)
def test_an_embedding_depends_on_its_clip_alone(
    models: dict[str, Any], kind: str, lengths: list[int]
) -> None:
    batch = noise(len(lengths), max(lengths))
    for row, length in zip(batch, lengths, strict=True):
        row[length:] = torch.nan
    scenes = hf.get_scene_embeddings(batch, models[kind], torch.tensor(lengths))
    for scene, clip, length in zip(scenes, batch, lengths, strict=True):
        alone = hf.get_scene_embeddings(clip[None, :length], models[kind])[0]
        torch.testing.assert_close(scene, alone, rtol=0, atol=1e-5 * float(alone.norm()))


@pytest.mark.parametrize("kind", ["ast", "wav2vec2_bert", "moonshine", "clap"])
def test_long_audio_is_cut_into_windows_on_one_grid(folders: Any, kind: str) -> None:
    model = hf.load_model(str(folders(kind)))
    steps, hop = model.steps, model.grid.hop
    width = model.grid.samples(steps)
    audio = noise(1, width + steps * hop // 2)
    tokens, _ = model(audio)
    total = model.grid.count(audio.shape[1])
    assert tokens.shape[1] == total > steps
    last = total - steps
    ends = audio[:, last * hop :][:, :width]
    expected = torch.cat([model(audio[:, :width])[0][:, :last], model(ends)[0][:, :steps]], dim=1)
    torch.testing.assert_close(tokens, expected, rtol=0, atol=1e-5)


def test_a_window_hears_all_samples_up_to_the_next_one(folders: Any) -> None:
    model = hf.load_model(str(folders("parakeet")))  # centred frames: 376 tokens end before 30 s
    end = model.steps * model.grid.hop
    audio = noise(1, 2 * end)
    changed = audio.clone()
    changed[0, end - model.grid.hop // 2] += 0.5
    moved = (model(changed)[0] - model(audio)[0])[0].abs().amax(dim=1) > 1e-7
    assert moved[: model.steps].any()
    assert not moved[model.steps :].any()


def test_ast_is_the_mean_over_the_bands_of_the_window_of_transformers(folders: Any) -> None:
    clip = noise(1, 40000)
    extractor = AutoFeatureExtractor.from_pretrained(folders("ast"))
    original = AutoModel.from_pretrained(folders("ast"))
    features = extractor(clip[0].numpy(), sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        states = original(**features, output_hidden_states=True).hidden_states
        last = original(**features).last_hidden_state
    frames = 1 + (40000 - 400) // 160
    own = 1 + (frames - 16) // 10
    for spec, state in (("", last), ("#1", states[1]), ("#1-2", (states[1] + states[2]) / 2)):
        grid = state[0, 2:].reshape(12, 101, 32)
        tokens, counts = hf.load_model(f"{folders('ast')}{spec}")(clip)
        assert counts.tolist() == [own]
        torch.testing.assert_close(tokens[0], grid.mean(dim=0)[:own])


def test_the_tokens_of_ast_are_of_the_samples_that_the_grid_says(folders: Any) -> None:
    model = hf.load_model(f"{folders('ast')}#0")  # before any attention: of their own patches
    clip = noise(1, 32000)
    before, _ = model(clip)
    for sample in (1600 * 3, 1600 * 5 + 2799, 1600 * 7 + 1400):
        changed = clip.clone()
        changed[0, sample] += 0.5
        moved = (model(changed)[0] - before)[0].abs().amax(dim=1) > 1e-7
        starts = model.grid.hop * torch.arange(len(moved))
        assert torch.equal(moved, (starts <= sample) & (sample < starts + model.grid.field))


def test_clap_is_its_audio_tower(folders: Any) -> None:
    clip = noise(1, 3 * 48000)
    extractor = AutoFeatureExtractor.from_pretrained(folders("clap"))
    original = ClapModel.from_pretrained(folders("clap"))
    features = extractor(clip[0].numpy(), sampling_rate=48000, return_tensors="pt")
    with torch.no_grad():
        state = original.audio_model(**features).last_hidden_state
    model = hf.load_model(str(folders("clap")))
    assert sum(p.numel() for p in model.parameters()) == sum(
        p.numel() for p in original.audio_model.parameters()
    )
    torch.testing.assert_close(model(clip)[0][0], state[0].mean(dim=1).T[:9])


def test_wav2vec2_bert_is_that_of_transformers_without_what_it_calls_padding(folders: Any) -> None:
    clip = noise(1, 400 + 160 * 98)  # 99 frames, of which pairs are made
    extractor = AutoFeatureExtractor.from_pretrained(folders("wav2vec2_bert"))
    original = AutoModel.from_pretrained(folders("wav2vec2_bert"))
    features = extractor(clip[0].numpy(), sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        state = original(**features).last_hidden_state
    assert state.shape[1] == 50
    tokens, _ = hf.load_model(str(folders("wav2vec2_bert")))(clip)
    torch.testing.assert_close(tokens, state[:, :49])


@pytest.mark.parametrize("kind", ["wav2vec2", "whisper", "wav2vec2_bert", "moonshine"])
def test_layers(folders: Any, kind: str) -> None:
    clip = noise(1, 16000)
    last = {"wav2vec2": 3, "wav2vec2_bert": 3}.get(kind, 2)

    def tokens(layers: str) -> Tensor:
        return hf.load_model(f"{folders(kind)}#{layers}")(clip)[0]

    each = [tokens(str(layer)) for layer in range(last + 1)]
    torch.testing.assert_close(tokens("-1"), each[-1])
    torch.testing.assert_close(tokens("-2"), each[-2])
    torch.testing.assert_close(tokens("1-2"), (each[1] + each[2]) / 2)
    torch.testing.assert_close(tokens("all"), torch.stack(each).mean(dim=0))
    assert f"expected layers of 0 to {last}" in error_of(f"{folders(kind)}#{last + 1}")


def test_whisper_without_its_decoder_is_enough(folders: Any, tmp_path: Path) -> None:
    folder = hf_models.save(tmp_path / "model", "whisper")
    state = load_file(folder / "model.safetensors")
    encoder = {name: tensor for name, tensor in state.items() if name.startswith("encoder.")}
    save_file(encoder, folder / "model.safetensors", {"format": "pt"})
    clip = noise(1, 16000)
    expected = hf.load_model(str(folders("whisper")))(clip)[0]
    torch.testing.assert_close(hf.load_model(str(folder))(clip)[0], expected)


def test_the_waveform_is_normalised_as_the_repository_says(folders: Any, tmp_path: Path) -> None:
    as_it_is = hf_models.save(tmp_path / "as it is", "wav2vec2")
    front_end = as_it_is / "preprocessor_config.json"
    front_end.write_text(front_end.read_text().replace('_normalize": true', '_normalize": false'))
    normalised, plain = (hf.load_model(str(each)) for each in (folders("wav2vec2"), as_it_is))
    clip = noise(1, 16000)
    scaled = clip / clip.std(correction=0)
    assert not torch.allclose(plain(clip)[0], normalised(clip)[0], atol=1e-3)
    torch.testing.assert_close(plain(scaled)[0], normalised(clip)[0], rtol=0, atol=1e-3)


def test_a_checkpoint_may_lack_what_only_training_uses(folders: Any, tmp_path: Path) -> None:
    folder = hf_models.save(tmp_path / "model", "wav2vec2")
    state = load_file(folder / "model.safetensors")
    del state["masked_spec_embed"]
    state["lm_head.weight"] = torch.zeros(4, 32)
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    clip = noise(1, 16000)
    expected = hf.load_model(str(folders("wav2vec2")))(clip)[0]
    torch.testing.assert_close(hf.load_model(str(folder))(clip)[0], expected)
    del state["encoder.layer_norm.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    assert "encoder.layer_norm.weight" in error_of(folder)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("encodec", "EncodecModel: expected last_hidden_state of it, found audio_codes"),
        ("speecht5", "SpeechT5Model: "),
        ("bert", "BertModel: "),
    ],
)
def test_a_model_without_tokens_of_audio_in_time(folders: Any, kind: str, found: str) -> None:
    line = error_of(folders(kind))
    assert "expected a model that makes tokens in time of audio alone" in line
    assert found in line


def test_what_is_no_repository(tmp_path: Path, folders: Any) -> None:
    assert "expected hf:org/name" in error_of("")
    assert "found 'hf:/no/such/folder'" in error_of("/no/such/folder")
    assert "config.json" in error_of(tmp_path)
    assert "expected no layer of CLAP" in error_of(f"{folders('clap')}#2")


@pytest.mark.parametrize("kind", ["ast", "clap", "wav2vec2_bert"])
def test_the_contract_is_kept(folders: Any, kind: str) -> None:
    report = contract.validate(f"hf:{folders(kind)}", "cpu")
    assert report.ok, "\n".join(report.lines())


def test_autocast_leaves_the_front_end_alone(folders: Any) -> None:
    model = hf.load_model(str(folders("ast")))
    clip = noise(1, 16000)
    expected = hf.get_scene_embeddings(clip, model).numpy()
    with torch.autocast("cpu", torch.bfloat16):
        embedding = hf.get_scene_embeddings(clip, model)
    assert embedding.dtype == torch.float32
    np.testing.assert_allclose(embedding.numpy(), expected, atol=0.03 * np.abs(expected).max())


def test_code_of_a_repository_is_executed_where_it_is_trusted(
    tmp_path: Path, modules: Path
) -> None:
    folder = hf_models.save_own_code(tmp_path / "own code")
    model = hf.load_model(str(folder), trust_remote_code=True)
    assert type(model) is AudioModel
    assert model.remote_code
    assert (model.grid.field, model.grid.hop) == (320, 320)
    clip = noise(2, 1600)
    torch.testing.assert_close(model(clip)[0], clip.unfold(1, 320, 320)[..., :8])


def test_and_nowhere_else(tmp_path: Path, modules: Path, folders: Any) -> None:
    folder = hf_models.save_own_code(tmp_path / "own code")
    line = error_of(folder)
    assert "--trust-remote-code" in line
    assert not modules.exists()
    assert not hf.load_model(str(folders("ast")), trust_remote_code=True).remote_code
