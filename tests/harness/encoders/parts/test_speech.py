"""The wav2vec 2.0 family against transformers used plainly on one clip; tiny random weights."""

from pathlib import Path
from types import ModuleType

import pytest
import torch
import transformers as tf
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from harness.encoders import data2vec, wav2vec2, wavlm
from harness.encoders.parts import speech
from harness.encoders.parts.speech import Speech
from harness.encoders.parts.tokens import get_scene_embeddings, get_timestamp_embeddings
from harness.fingerprint import of_weights
from tests.harness.encoders import data2vec_checkpoint, wav2vec2_checkpoint, wavlm_checkpoint

ROWS: dict[str, tuple[ModuleType, ModuleType]] = {
    "wavlm": (wavlm, wavlm_checkpoint),
    "wav2vec2": (wav2vec2, wav2vec2_checkpoint),
    "data2vec": (data2vec, data2vec_checkpoint),
}
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        row: checkpoint.write(tmp_path_factory.mktemp(row), tiny=True)
        for row, (_, checkpoint) in ROWS.items()
    }


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, Speech]:
    """The rows, and one whose features are normalised over time."""
    rows = {row: module.load_model(str(folders[row])) for row, (module, _) in ROWS.items()}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        base = tf.HubertModel(tf.HubertConfig(**SMALL, feat_extract_norm="group"))
    return {**rows, "hubert-base": Speech(base, normalise=False).eval()}


every_model = pytest.mark.parametrize("row", [*ROWS, "hubert-base"])


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


def distance(found: Tensor, expected: Tensor) -> float:
    return float(torch.linalg.norm(found - expected) / torch.linalg.norm(expected))


def plain(model: Speech, clip: Tensor) -> tf.modeling_outputs.BaseModelOutput:
    """One clip through transformers' own feature extractor and model."""
    extractor = tf.Wav2Vec2FeatureExtractor(do_normalize=model.normalise)
    values = extractor(clip.numpy(), sampling_rate=16000, return_tensors="pt").input_values
    return model.model(values, output_hidden_states=True)


@torch.no_grad()
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("samples", [400, 719, 720, 31_999])
def test_tokens_are_those_of_transformers(
    folders: dict[str, Path], models: dict[str, Speech], row: str, samples: int
) -> None:
    clip = noise(samples) + 0.3
    extractor = tf.AutoFeatureExtractor.from_pretrained(folders[row])
    values = extractor(clip.numpy(), sampling_rate=16000, return_tensors="pt").input_values
    expected = tf.AutoModel.from_pretrained(folders[row])(values).last_hidden_state
    tokens, _ = get_timestamp_embeddings(clip[None], models[row])
    assert tokens.shape == expected.shape
    assert distance(tokens, expected) <= 1e-5
    scene = get_scene_embeddings(clip[None], models[row])
    assert distance(scene, expected.mean(dim=1)) <= 1e-5


@pytest.mark.parametrize("row", ROWS)
def test_without_a_folder_it_is_the_published_revision(
    models: dict[str, Speech], row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, checkpoint = ROWS[row]
    cached = tmp_path / f"models--{module.NAME.replace('/', '--')}"
    commit = "1" * 40 if module.REVISION == "main" else module.REVISION
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("1" * 40)
    checkpoint.write(cached / "snapshots" / commit, tiny=True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert of_weights(module.load_model().state_dict()) == of_weights(models[row].state_dict())


@torch.no_grad()
@pytest.mark.parametrize("samples", [400, 5000, 5300])
def test_features_normalised_over_time_hear_the_last_samples(
    models: dict[str, Speech], samples: int
) -> None:
    model = models["hubert-base"]
    clip = noise(samples)
    tokens, _ = model(clip[None])
    assert distance(tokens, plain(model, clip).last_hidden_state) <= 1e-5


@every_model
@settings(deadline=None, max_examples=10)
@given(
    lengths=st.lists(st.integers(1, 9000), min_size=1, max_size=5),
    padding=st.sampled_from([0.0, 1.0, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(
    models: dict[str, Speech], row: str, lengths: list[int], padding: float
) -> None:
    clips = [noise(length, i) * 10.0**-i + 0.1 * i for i, length in enumerate(lengths)]
    audio = torch.full((len(clips), max(lengths)), padding)
    for kept, clip in zip(audio, clips, strict=True):
        kept[: len(clip)] = clip
    together, _ = get_timestamp_embeddings(audio, models[row], torch.tensor(lengths))
    scenes = get_scene_embeddings(audio, models[row], torch.tensor(lengths))
    for tokens, scene, clip in zip(together, scenes, clips, strict=True):
        alone, _ = get_timestamp_embeddings(clip[None], models[row])
        count = alone.shape[1]
        assert distance(tokens[:count], alone[0]) <= 1e-5
        assert not tokens[count:].any()
        assert distance(scene, alone[0].mean(dim=0)) <= 1e-5


@torch.no_grad()
@every_model
def test_long_audio_goes_through_in_windows_of_one_grid(
    models: dict[str, Speech], row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models[row]
    monkeypatch.setattr(model, "window", 20)
    monkeypatch.setattr(model, "normalise", False)
    clip = noise(45 * 320 + 400 + 319)  # 46 tokens: two windows and six more
    tokens, counts = model(clip[None])
    assert counts.tolist() == [46]
    for start, end in ((0, 20), (20, 40), (40, None)):
        samples = clip[start * 320 :] if end is None else clip[start * 320 : end * 320 + 80]
        expected = plain(model, samples).last_hidden_state
        assert distance(tokens[:, start:end], expected) <= 1e-5
    just_beyond, counts = model(clip[None, : 20 * 320 + 400])  # a window, and one token
    assert counts.tolist() == [21]
    assert distance(just_beyond[:, :20], tokens[:, :20]) <= 1e-5
    both, _ = model(clip.expand(3, -1), torch.tensor([len(clip), 20 * 320 + 400, 12_000]))
    assert distance(both[0], tokens[0]) <= 1e-5
    assert distance(both[1, :21], just_beyond[0]) <= 1e-5


@torch.no_grad()
def test_a_long_clip_is_normalised_as_a_whole(
    models: dict[str, Speech], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["wavlm"]
    clip = noise(20_000) * torch.linspace(0.1, 1, 20_000) + 0.2
    monkeypatch.setattr(model, "window", 20)
    windowed, _ = model(clip[None])
    first = (clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt()
    monkeypatch.setattr(model, "normalise", False)
    assert distance(windowed, model(first[None])[0]) <= 1e-5


@torch.no_grad()
def test_a_window_is_30_s(models: dict[str, Speech]) -> None:
    assert {model.window for model in models.values()} == {1500}
    tokens, counts = models["wav2vec2"](noise(31 * 16000)[None])
    assert counts.tolist() == [1549]
    assert tokens.shape == (1, 1549, 32)


@torch.no_grad()
@every_model
@pytest.mark.parametrize("layers", [(0,), (2,), (0, 1, 2)])
def test_layers_are_hidden_states_or_their_mean(
    models: dict[str, Speech], row: str, layers: tuple[int, ...]
) -> None:
    model = Speech(models[row].model, normalise=True, layers=layers)
    clips = torch.stack([noise(6000), noise(6000, 1)])
    tokens, _ = model(clips, torch.tensor([6000, 2900]))
    for found, clip, length in zip(tokens, clips, (6000, 2900), strict=True):
        states = plain(model, clip[:length]).hidden_states
        expected = torch.stack([states[layer][0] for layer in layers]).mean(dim=0)
        assert distance(found[: len(expected)], expected) <= 1e-5


def test_what_leaves_the_last_block_is_normalised_once_more(models: dict[str, Speech]) -> None:
    output = plain(models["wavlm"], noise(4000))
    last = models["wavlm"].model.encoder.layer_norm(output.hidden_states[-1])
    torch.testing.assert_close(last, output.last_hidden_state)
    output = plain(models["data2vec"], noise(4000))
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)


def test_layers_and_adapters_that_do_not_fit_are_refused(models: dict[str, Speech]) -> None:
    for layers in ((), (-1,), (0, 4)):
        with pytest.raises(ValueError, match="expected layers from 0 to 3"):
            Speech(models["wavlm"].model, normalise=True, layers=layers)
    with torch.device("meta"):
        thin = tf.Wav2Vec2Model(tf.Wav2Vec2Config(**SMALL, add_adapter=True))
    with pytest.raises(ValueError, match="expected one token per frame, found a wav2vec2 adapter"):
        Speech(thin, normalise=True)


@every_model
def test_silence_and_a_single_sample_have_embeddings(models: dict[str, Speech], row: str) -> None:
    assert get_scene_embeddings(torch.zeros(1, 16000), models[row]).isfinite().all()
    single = torch.tensor([[0.5]])
    padded = torch.nn.functional.pad(single, (0, 399))
    found = get_scene_embeddings(single, models[row])
    assert torch.equal(found, get_scene_embeddings(padded, models[row]))


@every_model
def test_autocast_moves_an_embedding_a_little(models: dict[str, Speech], row: str) -> None:
    audio, lengths = noise(32_000).view(2, -1), torch.tensor([16_000, 9000])
    expected = get_scene_embeddings(audio, models[row], lengths)
    with torch.autocast("cpu", torch.bfloat16):
        found = get_scene_embeddings(audio, models[row], lengths)
    assert found.dtype == torch.float32
    assert 0 < distance(found, expected) < 0.03


def test_times_are_the_middles_of_25_ms_every_20_ms(models: dict[str, Speech]) -> None:
    tokens, times = get_timestamp_embeddings(noise(32_000).view(2, -1), models["wavlm"])
    assert models["wavlm"].minimum_samples == 400
    assert tokens.shape == (2, 49, 32)
    assert times[1].tolist() == [12.5 + 20 * t for t in range(49)]


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=5),
    st.integers(0, 100),
)
def test_the_receptive_field_is_that_of_the_convolutions(
    layers: list[tuple[int, int]], extra: int
) -> None:
    field, stride = speech.receptive_field([k for k, _ in layers], [s for _, s in layers])
    samples = torch.zeros(1, 1, field + extra)
    for kernel, step in layers:
        samples = torch.nn.functional.avg_pool1d(samples, kernel, step)
    assert samples.shape[-1] == extra // stride + 1


def test_a_large_mean_is_taken_out_exactly() -> None:
    audio = torch.stack([torch.full((9000,), 0.7), noise(9000) * 1e-4 + 0.7])
    audio[0, 5000:] = 0
    found = speech.standardised(audio, torch.tensor([5000, 9000]))
    assert found[0].abs().max() < 1e-6
    exact = audio[1].double()
    exact = (exact - exact.mean()) / (exact.var(correction=0) + 1e-7).sqrt()
    assert distance(found[1], exact) <= 1e-5
