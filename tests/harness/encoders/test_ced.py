"""CED against its original code, and its checkpoints in their published forms."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from harness.encoders import ced
from tasks.errors import UserError
from tests.harness.encoders import ced_checkpoint
from tests.harness.encoders.make_ced_golden import GOLDEN, SAMPLES
from tests.harness.encoders.originals import clip
from tests.tasks.server import Server


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ced.CED:
    return ced.load_model(str(ced_checkpoint.write(tmp_path_factory.mktemp("ced"), tiny=True)))


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


def near(found: Tensor, expected: np.ndarray | Tensor) -> bool:
    expected = torch.as_tensor(expected)
    return bool((found - expected).abs().max() <= 1e-5 * expected.abs().max())


@torch.no_grad()
@pytest.mark.parametrize("samples", SAMPLES)
def test_the_original_code_gives_the_same(model: ced.CED, samples: int) -> None:
    golden = {
        name.partition("/")[2]: numbers
        for name, numbers in np.load(GOLDEN).items()
        if name.startswith(f"{samples}/")
    }
    audio = torch.from_numpy(clip(samples))[None]
    tokens, times = ced.get_timestamp_embeddings(audio, model)
    assert tokens.shape == (1, *golden["tokens"].shape)
    assert near(tokens[0], golden["tokens"])
    assert times.shape == (1, len(golden["tokens"]))
    if "mel" in golden:
        assert near(model.front_end(audio)[0], golden["mel"])
    if "pooled" in golden:
        assert near(ced.get_scene_embeddings(audio, model)[0], golden["pooled"])


def test_golden_covers_what_it_should() -> None:
    kinds = {name.partition("/")[2] for name in np.load(GOLDEN)}
    assert kinds == {"mel", "tokens", "pooled"}
    longest = np.load(GOLDEN)[f"{max(SAMPLES)}/tokens"]
    assert len(longest) > 2 * ced_checkpoint.TINY["steps"]


@pytest.mark.parametrize(
    ("width", "millions"),  # the table of the original repository
    [(192, 5.5), (256, 9.6), (384, 22), (768, 86)],
)
def test_published_sizes_have_the_published_parameters(width: int, millions: float) -> None:
    with torch.device("meta"):
        model = ced.CED(embed_dim=width, depth=12, steps=63)
    classifier = 2 * width + 527 * (width + 1)
    count = sum(parameter.numel() for parameter in model.parameters()) + classifier
    assert count / 1e6 == pytest.approx(millions, rel=0.02)


def test_both_forms_load_to_the_same_model(model: ced.CED, tmp_path: Path) -> None:
    folder = ced_checkpoint.write_hub(tmp_path, tiny=True)
    for path in (folder, folder / "model.safetensors"):
        state = ced.load_model(str(path)).state_dict()
        assert all(torch.equal(state[name], x) for name, x in model.state_dict().items())


def test_the_original_names_load_from_safetensors_too(model: ced.CED, tmp_path: Path) -> None:
    save_file(ced_checkpoint.state(**ced_checkpoint.TINY), tmp_path / "a.safetensors")
    state = ced.load_model(str(tmp_path / "a.safetensors")).state_dict()
    assert all(torch.equal(state[name], x) for name, x in model.state_dict().items())


def test_a_trainers_file_holds_the_tensors_under_model(model: ced.CED, tmp_path: Path) -> None:
    torch.save({"model": ced_checkpoint.state(**ced_checkpoint.TINY)}, tmp_path / "a.pt")
    found = ced.load_model(str(tmp_path / "a.pt"))
    assert torch.equal(found.positions(), model.positions())
    assert not found.training


@pytest.mark.parametrize("name", ["time_pos_embed", "freq_pos_embed", "init_bn.1.running_mean"])
def test_a_missing_tensor_is_named(name: str, tmp_path: Path) -> None:
    state = ced_checkpoint.state(**ced_checkpoint.TINY)
    del state[name]
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=rf"a\.pt: expected .*{re.escape(name)}"):
        ced.load_model(str(tmp_path / "a.pt"))


def test_an_unknown_tensor_and_another_shape_are_named(tmp_path: Path) -> None:
    state = ced_checkpoint.state(**ced_checkpoint.TINY)
    state |= {"cls_token": torch.zeros(1), "norm.bias": torch.zeros(7)}
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"cls_token.*norm\.bias \(7,\) for \(128,\)"):
        ced.load_model(str(tmp_path / "a.pt"))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected a checkpoint of CED at .*nowhere"):
        ced.load_model(str(tmp_path / "nowhere"))
    file = tmp_path / "a.pt"
    for form in ([torch.zeros(1)], {"epoch": 3}):
        torch.save(form, file)
        with pytest.raises(ValueError, match="expected tensors by name"):
            ced.load_model(str(file))
    for shape in ((1, 100, 1, 63), (1, 0, 1, 63), (1, 128, 1, 0), (1, 128)):
        torch.save({"time_pos_embed": torch.zeros(shape)}, file)
        with pytest.raises(ValueError, match=rf"multiple of 64, found .*{re.escape(str(shape))}"):
            ced.load_model(str(file))
    ced_checkpoint.write(tmp_path, tiny=True).rename(file)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ValueError, match="could not read it"):
        ced.load_model(str(file))


def test_the_published_weights_are_fetched_once(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHENG_HOME", str(tmp_path / "home"))
    file = ced_checkpoint.write(tmp_path, tiny=True)
    archive = server.publish(file.name, file.read_bytes())
    monkeypatch.setattr(ced, "SOURCES", (archive,))
    assert ced.load_model().scene_embedding_size == 128
    server.files.clear()
    assert ced.load_model().scene_embedding_size == 128
    (tmp_path / "home" / file.name).unlink()
    with pytest.raises(UserError, match=r"no weights for CED-Base: .*give a local file"):
        ced.load_model()


@settings(deadline=None, max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 70_000), min_size=1, max_size=5),
    padding=st.sampled_from([0.0, 1.0, 100.0, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(
    model: ced.CED, lengths: list[int], padding: float
) -> None:
    # Each clip a thousand times softer than the one before: a floor of the batch would show.
    clips = [noise(length, seed) * 1000.0**-seed for seed, length in enumerate(lengths)]
    audio = torch.full((len(clips), max(lengths)), padding)
    for row, own in zip(audio, clips, strict=True):
        row[: len(own)] = own
    scenes = ced.get_scene_embeddings(audio, model, torch.tensor(lengths))
    tokens, _ = ced.get_timestamp_embeddings(audio, model, torch.tensor(lengths))
    for own, scene, row in zip(clips, scenes, tokens, strict=True):
        alone, _ = ced.get_timestamp_embeddings(own[None], model)
        assert near(row[: alone.shape[1]], alone[0])
        assert not row[alone.shape[1] :].any()
        assert near(scene, ced.get_scene_embeddings(own[None], model)[0])


@pytest.mark.parametrize("samples", [1, 160, 2399, 2400, 4959])
def test_the_shortest_clips_have_one_token(model: ced.CED, samples: int) -> None:
    for audio in (torch.zeros(1, samples), noise(samples)[None]):
        tokens, times = ced.get_timestamp_embeddings(audio, model)
        assert tokens.shape == (1, 1, 128)
        assert tokens.isfinite().all()
        assert times.tolist() == [[75.0]]
        padded = torch.nn.functional.pad(audio, (0, max(0, model.minimum_samples - samples)))
        assert torch.equal(tokens[:, 0], ced.get_scene_embeddings(padded, model))


def test_long_audio_is_on_one_grid_of_160_ms(model: ced.CED) -> None:
    tokens, times = ced.get_timestamp_embeddings(noise(30 * 16000)[None], model)
    assert tokens.shape == (1, 3001 // 16, 128)
    assert torch.equal(times[0], 75 + 160 * torch.arange(187.0))


def test_a_sound_is_in_the_token_of_its_time(model: ced.CED) -> None:
    steps = ced_checkpoint.TINY["steps"]
    audio = noise(70_000)
    louder = audio.clone()
    louder[55_000:55_100] *= 3  # 3440 ms: token 21, in the second chunk of 12
    tokens, times = ced.get_timestamp_embeddings(torch.stack([audio, louder]), model)
    moved = (tokens[0] - tokens[1]).norm(dim=1)
    assert moved.argmax() == (times[0] - 3440).abs().argmin() == 21
    assert (moved > 0).nonzero()[:, 0].tolist() == list(range(steps, 2 * steps))


def test_the_front_end_keeps_float32_under_autocast(model: ced.CED) -> None:
    audio = noise(16000)[None]
    expected = model.spectrogram(audio)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model.spectrogram(audio), expected)
        scenes = ced.get_scene_embeddings(audio, model)
    assert scenes.dtype == torch.float32
    assert not scenes.requires_grad
    assert not torch.equal(scenes, ced.get_scene_embeddings(audio, model))
