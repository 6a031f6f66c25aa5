"""MSM-MAE against its original code, and its checkpoints in their published form."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from harness.encoders import msm_mae
from harness.encoders.parts import vit
from tasks.errors import UserError
from tests.harness.encoders import msm_mae_checkpoint
from tests.harness.encoders.make_msm_mae_golden import GOLDEN, SAMPLES, kept
from tests.harness.encoders.msm_mae_checkpoint import PAPER, SHORT, TINY, Sizes
from tests.harness.encoders.originals import clip
from tests.tasks.server import Server

NAME = "80x208p16x16_0422"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> msm_mae.MSMMAE:
    folder = tmp_path_factory.mktemp("msm_mae")
    return msm_mae.load_model(str(msm_mae_checkpoint.write(folder, tiny=True)))


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


def distance(found: Tensor, expected: np.ndarray | Tensor) -> float:
    expected = torch.as_tensor(expected)
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.abs().max())


def saved(folder: Path, state: object) -> str:
    torch.save(state, folder / "a.pth")
    return str(folder / "a.pth")


@torch.no_grad()
@pytest.mark.parametrize("samples", SAMPLES)
def test_the_original_code_gives_the_same(model: msm_mae.MSMMAE, samples: int) -> None:
    golden = np.load(GOLDEN)
    audio = torch.from_numpy(clip(samples))[None]
    found = {
        "spectrogram": model.spectrogram(audio)[0],
        "tokens": msm_mae.get_timestamp_embeddings(audio, model)[0][0],
        "scene": msm_mae.get_scene_embeddings(audio, model)[0],
    }
    for what, numbers in found.items():
        name = f"{samples}/{what}"
        assert distance(kept(name, numbers), golden[name]) < 5e-5


def test_golden_covers_what_it_should() -> None:
    steps = {samples: len(np.load(GOLDEN)[f"{samples}/tokens"]) for samples in SAMPLES}
    # 1 frame of the last is the clip's: 209 = 13 · 16 + 1.
    assert steps == {201: 1, 2100: 1, 33_120: 13, 33_280: 14, 80_000: 32}


@pytest.mark.parametrize("sizes", [PAPER, SHORT])
def test_parameters_are_those_of_the_published_sizes(sizes: Sizes) -> None:
    with torch.device("meta"):
        model = msm_mae.MSMMAE(
            embed_dim=768, depth=12, patch=(16, 16), steps=sizes.frames // 16, cls_token=True
        )
    count = sum(parameter.numel() for parameter in model.parameters())
    positions = (PAPER.frames - sizes.frames) // 16 * 5 * 768
    zeros = 12 * 768  # the biases of the keys
    assert count == msm_mae_checkpoint.PARAMETERS - positions + zeros
    assert model.scene_embedding_size == 3840


def test_a_checkpoint_without_cls_loads(tmp_path: Path) -> None:
    sizes = TINY._replace(cls_token=False)
    model = msm_mae.load_model(str(msm_mae_checkpoint.write(tmp_path, sizes=sizes)))
    assert model.lead() is None
    assert model.positions().shape == (13, 5, 128)


def test_the_tensors_alone_load_to_the_same_model(model: msm_mae.MSMMAE, tmp_path: Path) -> None:
    found = msm_mae.load_model(saved(tmp_path, msm_mae_checkpoint.state(TINY)))
    state = found.state_dict()
    assert all(torch.equal(state[name], x) for name, x in model.state_dict().items())
    assert not found.training


@pytest.mark.parametrize(
    "name",
    ["pos_embed", "patch_embed.proj.weight", "blocks.1.attn.v_bias", "blocks.0.norm1.weight"],
)
def test_a_missing_tensor_is_named(name: str, tmp_path: Path) -> None:
    state = msm_mae_checkpoint.state(TINY)
    del state[name]
    with pytest.raises(ValueError, match=rf"a\.pth: expected .*{re.escape(name)}"):
        msm_mae.load_model(saved(tmp_path, state))


@pytest.mark.parametrize("name", ["head.weight", "blocks.0.attn.qkv.bias"])
def test_an_unknown_tensor_is_named(name: str, tmp_path: Path) -> None:
    state = msm_mae_checkpoint.state(TINY) | {name: torch.zeros(384)}
    with pytest.raises(ValueError, match=rf"unexpected.*{re.escape(name)}"):
        msm_mae.load_model(saved(tmp_path, state))


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("norm.bias", (7,), "norm.bias (7,) for (128,)"),
        ("pos_embed", (1, 67, 128), "(1, 67, 128)"),
        ("pos_embed", (1, 1, 128), "(1, 1, 128)"),
        ("patch_embed.proj.weight", (128, 1, 15, 16), "(128, 1, 15, 16)"),
        ("patch_embed.proj.weight", (100, 1, 16, 16), "(100, 1, 16, 16)"),
        ("patch_embed.proj.weight", (128, 256), "(128, 256)"),
        ("patch_embed.proj.weight", (0, 1, 16, 16), "(0, 1, 16, 16)"),
        ("patch_embed.proj.weight", (128, 1, 0, 16), "(128, 1, 0, 16)"),
    ],
)
def test_another_shape_is_named(
    name: str, shape: tuple[int, ...], said: str, tmp_path: Path
) -> None:
    state = msm_mae_checkpoint.state(TINY) | {name: torch.zeros(shape)}
    with pytest.raises(ValueError, match=re.escape(said)):
        msm_mae.load_model(saved(tmp_path, state))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"_paper, .* or a file, found 'no\.pth'"):
        msm_mae.load_model("no.pth")
    for form in ([torch.zeros(1)], {"epoch": 3}, {"model": {"a": 3}}):
        with pytest.raises(ValueError, match=r"expected tensors by name|found no patch"):
            msm_mae.load_model(saved(tmp_path, form))
    file = msm_mae_checkpoint.write(tmp_path, tiny=True)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ValueError, match="could not read it"):
        msm_mae.load_model(str(file))


def zipped(name: str, data: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, data)
    return content.getvalue()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DASHENG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_published_weights_are_fetched_and_unpacked_once(
    tmp_path: Path, home: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = msm_mae_checkpoint.write(tmp_path, tiny=True).read_bytes()
    for name in (msm_mae.DEFAULT, NAME):
        content = zipped(f"{name}/checkpoint-100.pth", data)
        monkeypatch.setitem(msm_mae.WEIGHTS, name, server.publish(f"{name}.zip", content))
    assert msm_mae.load_model().scene_embedding_size == 640
    assert msm_mae.load_model(NAME).scene_embedding_size == 640
    server.files.clear()
    (home / f"{NAME}.zip").unlink()
    assert msm_mae.load_model(NAME).scene_embedding_size == 640  # as an unpacked one of the user's
    assert [file.name for file in (home / NAME).iterdir()] == ["checkpoint-100.pth"]
    (home / NAME / "checkpoint-100.pth").unlink()
    with pytest.raises(UserError, match=rf"no weights for MSM-MAE {NAME}: .*msm-mae:FILE"):
        msm_mae.load_model(NAME)


def test_a_damaged_archive_is_named(home: Path) -> None:
    home.mkdir()
    (home / f"{NAME}.zip").write_bytes(bytes(1000))
    with pytest.raises(ValueError, match=rf"{NAME}\.zip: damaged"):
        msm_mae.load_model(NAME)


@pytest.mark.parametrize(("level", "spread", "frames"), [(25.0, 0.3, 191), (40.0, 0.3, 1100)])
def test_the_mean_is_exact_whatever_the_padding(level: float, spread: float, frames: int) -> None:
    log_mel = level + spread * noise(frames * 80).view(1, frames, 80)
    exact = log_mel.double() - log_mel.double().mean()
    exact /= exact.std()
    for padding in (0, 1, 777, 6000):
        padded = torch.nn.functional.pad(log_mel, (0, 0, 0, padding))
        found = msm_mae.normalised(padded, torch.tensor([frames]))[:, :frames]
        assert distance(found, exact) < 1e-6


@settings(deadline=None, max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 70_000), min_size=1, max_size=5),
    padding=st.sampled_from([0.0, 1.0, 100.0, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(
    model: msm_mae.MSMMAE, lengths: list[int], padding: float
) -> None:
    # Each clip a thousand times softer than the one before: statistics of the batch would show.
    clips = [noise(length, seed) * 1000.0**-seed for seed, length in enumerate(lengths)]
    audio = torch.full((len(clips), max(lengths)), padding)
    for row, own in zip(audio, clips, strict=True):
        row[: len(own)] = own
    scenes = msm_mae.get_scene_embeddings(audio, model, torch.tensor(lengths))
    tokens, _ = msm_mae.get_timestamp_embeddings(audio, model, torch.tensor(lengths))
    for own, scene, row in zip(clips, scenes, tokens, strict=True):
        alone, _ = msm_mae.get_timestamp_embeddings(own[None], model)
        assert distance(row[: alone.shape[1]], alone[0]) <= 1e-5
        assert not row[alone.shape[1] :].any()
        assert distance(scene, msm_mae.get_scene_embeddings(own[None], model)[0]) <= 1e-5


@torch.no_grad()
@pytest.mark.parametrize("samples", [201, 16_000, 90_000])
def test_what_is_constant_is_only_centred(model: msm_mae.MSMMAE, samples: int) -> None:
    silence = torch.zeros(1, samples)
    assert model.spectrogram(silence).abs().max() < 1e-4
    assert msm_mae.get_scene_embeddings(silence, model).isfinite().all()
    beside_noise = torch.cat([silence, noise(samples)[None]])
    lengths = torch.tensor([201, samples])
    assert model.spectrogram(beside_noise, lengths)[0].abs().max() < 1e-4


@torch.no_grad()
def test_the_statistics_are_those_of_each_clip(model: msm_mae.MSMMAE) -> None:
    lengths = torch.tensor([600 * 16000, 201, 8000])
    audio = torch.zeros(3, int(lengths.max()))
    for row, length in enumerate(lengths.tolist()):
        audio[row, :length] = noise(length, row)
    frames = model.front_end.frames(lengths)
    found = model.spectrogram(audio, lengths)
    for row, count in zip(found.double(), frames.tolist(), strict=True):
        assert row[:, :count].mean().abs() < 1e-5
        assert row[:, :count].std() == pytest.approx(1, abs=1e-5)
        assert not row[:, count:].any()


@pytest.mark.parametrize("samples", [1, 200, 201, 2399])
def test_the_shortest_clips_have_one_token(model: msm_mae.MSMMAE, samples: int) -> None:
    for audio in (torch.zeros(1, samples), noise(samples)[None]):
        tokens, times = msm_mae.get_timestamp_embeddings(audio, model)
        assert tokens.shape == (1, 1, 640)
        assert tokens.isfinite().all()
        assert times.tolist() == [[75.0]]
        padded = torch.nn.functional.pad(audio, (0, max(0, model.minimum_samples - samples)))
        assert torch.equal(tokens[:, 0], msm_mae.get_scene_embeddings(padded, model))


def test_long_audio_is_on_one_grid_of_160_ms(
    model: msm_mae.MSMMAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = noise(30 * 16000)[None]
    tokens, times = msm_mae.get_timestamp_embeddings(audio, model)
    assert tokens.shape == (1, 188, 640)
    assert torch.equal(times[0], 75 + 160 * torch.arange(188.0))
    monkeypatch.setitem(vit.TOKENS_PER_PASS, "cpu", 1)
    in_passes, _ = msm_mae.get_timestamp_embeddings(audio, model)
    assert distance(in_passes, tokens) < 1e-5


@torch.no_grad()
def test_a_sound_is_in_the_token_of_its_time(model: msm_mae.MSMMAE) -> None:
    """Seen in the spectrogram's patches: attention and the statistics carry it everywhere."""
    audio = 1e-3 * noise(70_000)
    audio[55_000:55_100] = noise(100)  # 3440 ms: step 21, in the second unit of 13
    loudest = model.spectrogram(audio[None])[0].sum(dim=0).argmax()
    assert (model.centres(28) - 10 * loudest).abs().argmin() == 21


def test_the_front_end_keeps_float32_under_autocast(model: msm_mae.MSMMAE) -> None:
    audio = noise(16000)[None]
    expected = model.spectrogram(audio)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model.spectrogram(audio), expected)
        scenes = msm_mae.get_scene_embeddings(audio, model)
    assert scenes.dtype == torch.float32
    assert not scenes.requires_grad
    assert not torch.equal(scenes, msm_mae.get_scene_embeddings(audio, model))
