"""Whisper's encoder against transformers used plainly: one clip, extractor, whole model."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from harness.encoders import whisper
from harness.fingerprint import of_weights
from tests.harness.encoders import whisper_checkpoint

WINDOW = 480000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whisper_checkpoint.write(tmp_path_factory.mktemp("whisper"), tiny=True)


@pytest.fixture(scope="module")
def model(folder: Path) -> whisper.Whisper:
    return whisper.load_model(str(folder))


@pytest.fixture(scope="module")
def alone(folder: Path) -> Callable[..., Tensor]:
    """Tokens of one clip, 30 s by 30 s."""
    extractor = WhisperFeatureExtractor.from_pretrained(folder)
    encoder = WhisperModel.from_pretrained(folder).get_encoder().eval()

    @torch.no_grad()
    def tokens(clip: Tensor, layer: int = -1) -> Tensor:
        found = []
        for piece in clip.split(WINDOW):
            features = extractor(piece.numpy(), sampling_rate=16000, return_tensors="pt")
            states = encoder(features.input_features, output_hidden_states=True).hidden_states
            found.append(states[layer][0])
        return torch.cat(found)[: -(-len(clip) // 320)]

    return tokens


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


def close(found: Tensor, expected: Tensor) -> bool:
    return bool(torch.linalg.norm(found - expected) <= 1e-5 * torch.linalg.norm(expected))


@pytest.mark.parametrize(
    ("samples", "count"),
    [
        (1, 1),
        (160, 1),
        (320, 1),
        (321, 2),
        (16000, 50),
        (WINDOW - 160, 1500),
        (WINDOW, 1500),
        (WINDOW + 160, 1501),
        (61 * 16000, 3050),
    ],
)
def test_tokens_are_those_of_the_whole_model(
    model: whisper.Whisper, alone: Callable[..., Tensor], samples: int, count: int
) -> None:
    clip = noise(samples)
    tokens, times = whisper.get_timestamp_embeddings(clip[None], model)
    assert tokens.shape == (1, count, 32)
    assert tokens.dtype == times.dtype == torch.float32
    assert close(tokens[0], alone(clip))
    assert torch.equal(times[0], 20.0 * torch.arange(count))
    assert close(whisper.get_scene_embeddings(clip[None], model)[0], alone(clip).mean(dim=0))


def test_silence(model: whisper.Whisper, alone: Callable[..., Tensor]) -> None:
    tokens, _ = whisper.get_timestamp_embeddings(torch.zeros(1, 8000), model)
    assert close(tokens[0], alone(torch.zeros(8000)))


@settings(deadline=None, max_examples=8)
@given(
    st.lists(
        st.integers(1, 20000) | st.integers(WINDOW - 400, WINDOW + 400), min_size=1, max_size=4
    ),
    st.sampled_from([0.0, 1.0, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(
    model: whisper.Whisper, lengths: list[int], padding: float
) -> None:
    clips = [noise(length, seed) * 10.0**-seed for seed, length in enumerate(lengths)]
    audio = torch.full((len(clips), max(lengths) + 100), padding)
    for row, clip in zip(audio, clips, strict=True):
        row[: len(clip)] = clip
    ragged = {"lengths": torch.tensor(lengths)}
    scenes = whisper.get_scene_embeddings(audio, model, **ragged)
    tokens, _ = whisper.get_timestamp_embeddings(audio, model, **ragged)
    for row, clip in enumerate(clips):
        own, _ = whisper.get_timestamp_embeddings(clip[None], model)
        assert close(tokens[row, : own.shape[1]], own[0])
        assert not tokens[row, own.shape[1] :].any()
        assert close(scenes[row], own[0].mean(dim=0))


def test_long_audio_goes_through_in_passes(
    model: whisper.Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = torch.stack([noise(100 * 16000), noise(100 * 16000, 1)])
    lengths = torch.tensor([100 * 16000, 40 * 16000])
    windows: list[int] = []
    hook = model.encoder.register_forward_pre_hook(lambda _, args: windows.append(len(args[0])))
    found = []
    for limit in (1, 4):
        monkeypatch.setitem(whisper.WINDOWS_PER_PASS, "cpu", limit)
        found.append(whisper.get_timestamp_embeddings(audio, model, lengths)[0])
    hook.remove()
    assert windows == [1] * 6 + [4, 2]  # four windows of the one clip, two of the other
    assert close(found[0], found[1])


@torch.no_grad()
def test_a_token_is_centred_on_its_time(model: whisper.Whisper) -> None:
    entering = whisper.Whisper(model.encoder, layers=(0,)).eval()  # before tokens see each other
    clip = noise(16000)
    changed = clip.clone()
    changed[320 * 20] += 0.01
    tokens, _ = entering(torch.stack([clip, changed]))
    reached = (tokens[0] - tokens[1]).abs().amax(dim=1).nonzero()[:, 0]
    assert reached.tolist() == [19, 20, 21]
    assert entering.centres(21)[20] == 1000 * 320 * 20 / 16000


@pytest.mark.parametrize("layers", [(0,), (1,), (2,), (0, 2)])
def test_layers(
    model: whisper.Whisper, alone: Callable[..., Tensor], layers: tuple[int, ...]
) -> None:
    clip = noise(WINDOW + 16000)
    found, _ = whisper.get_timestamp_embeddings(
        clip[None], whisper.Whisper(model.encoder, layers).eval()
    )
    assert close(found[0], torch.stack([alone(clip, layer) for layer in layers]).mean(dim=0))


def test_bfloat16(model: whisper.Whisper) -> None:
    audio = noise(16000)[None]
    whole, _ = whisper.get_timestamp_embeddings(audio, model)
    with torch.autocast("cpu", torch.bfloat16):
        tokens, _ = whisper.get_timestamp_embeddings(audio, model)
    assert tokens.dtype == torch.float32
    assert torch.linalg.norm(tokens - whole) < 0.03 * torch.linalg.norm(whole)


def test_what_is_no_clip_is_refused(model: whisper.Whisper) -> None:
    with pytest.raises(ValueError, match="NaN"):
        whisper.get_scene_embeddings(torch.full((1, 16000), torch.nan), model)


def test_published_size() -> None:
    with torch.device("meta"):
        encoder = WhisperEncoder(
            WhisperConfig(**whisper_checkpoint.config(whisper_checkpoint.PUBLISHED))
        )
    assert sum(p.numel() for p in encoder.parameters()) == whisper_checkpoint.PARAMETERS
    published = dict(whisper_checkpoint.shapes(whisper_checkpoint.PUBLISHED, 80))
    own = {f"model.encoder.{name}": tuple(x.shape) for name, x in encoder.state_dict().items()}
    assert own == {name: shape for name, shape in published.items() if ".encoder." in name}


def test_the_larger_ones_have_128_bands(tmp_path: Path) -> None:
    large = whisper.load_model(str(whisper_checkpoint.write(tmp_path, tiny=True, n_mels=128)))
    clip = noise(8000)[None]
    extractor = WhisperFeatureExtractor.from_pretrained(tmp_path)
    features = extractor(clip[0].numpy(), sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        expected = large.encoder(features.input_features).last_hidden_state[:, :25]
    assert close(whisper.get_timestamp_embeddings(clip, large)[0], expected)


def test_without_a_folder_it_is_the_pinned_commit(
    model: whisper.Whisper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "e37978b90ca9030d5170a5c07aadb050351a65bb"
    whisper_checkpoint.write(
        tmp_path / "models--openai--whisper-base" / "snapshots" / commit, tiny=True
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))  # asks no network for these
    assert of_weights(whisper.load_model().state_dict()) == of_weights(model.state_dict())


def changed(change: Callable[[dict[str, Tensor]], object], into: Path) -> Path:
    whisper_checkpoint.write(into, tiny=True)
    state = load_file(into / "model.safetensors")
    change(state)
    save_file(state, into / "model.safetensors", metadata={"format": "pt"})
    return into


def classifier(state: dict[str, Tensor]) -> None:
    """As WhisperForAudioClassification is saved: no prefix, no decoder, heads of its own."""
    for name in list(state):
        tensor = state.pop(name)
        if name.startswith("model.encoder."):
            state[name.removeprefix("model.")] = tensor
    state |= {"projector.weight": torch.zeros(4, 32), "projector.bias": torch.zeros(4)}
    state |= {"classifier.weight": torch.zeros(2, 4), "classifier.bias": torch.zeros(2)}


@pytest.mark.parametrize(
    "change",
    [lambda state: state.update({"proj_out.weight": torch.zeros(51865, 32)}), classifier],
    ids=["transcription", "classification"],
)
def test_heads_do_not_count(
    model: whisper.Whisper, tmp_path: Path, change: Callable[..., None]
) -> None:
    found = whisper.load_model(str(changed(change, tmp_path))).state_dict()
    assert not any("decoder" in name for name in found)
    assert of_weights(found) == of_weights(model.state_dict())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda s: s.pop("model.encoder.layers.1.fc1.bias"), r"1 missing \(layers\.1\.fc1\.bias\)"),
        (
            lambda s: s.update({"model.encoder.layers.2.fc1.bias": torch.zeros(64)}),
            r"1 unexpected \(.*layers\.2\.fc1\.bias\)",
        ),
        (
            lambda s: s.update({"model.encoder.conv1.bias": torch.zeros(31)}),
            r"1 other shape \(conv1\.bias \(31,\) for \(32,\)\)",
        ),
    ],
)
def test_another_encoder_is_refused_by_name(
    tmp_path: Path, change: Callable[..., object], named: str
) -> None:
    with pytest.raises(ValueError, match=named) as refusal:
        whisper.load_model(str(changed(change, tmp_path)))
    assert "\n" not in str(refusal.value)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = whisper_checkpoint.write(tmp_path, tiny=True) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=str(tmp_path)) as refusal:
        whisper.load_model(str(tmp_path))
    assert "\n" not in str(refusal.value)
