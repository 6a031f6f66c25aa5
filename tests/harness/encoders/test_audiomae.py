"""AudioMAE: the original's numbers, both published files, and each clip as alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from harness.encoders import audiomae
from harness.encoders.audiomae import AudioMAE
from tests.harness.encoders.audiomae_checkpoint import PARAMETERS, encoder, write, write_original
from tests.harness.encoders.make_audiomae_golden import GOLDEN, SECONDS
from tests.harness.encoders.parity_audiomae import clips, difference, front_end, tokens


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AudioMAE:
    return audiomae.load_model(str(write(tmp_path_factory.mktemp("weights"), tiny=True)))


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


def test_numbers_are_those_of_the_original_code(model: AudioMAE) -> None:
    golden, audio = np.load(GOLDEN), clips(SECONDS)
    assert difference(front_end(model, audio["short"]), golden["short/fbank"]) < 1e-5
    for name, found in tokens(model, audio).items():  # in one ragged batch
        assert difference(found, golden[f"{name}/tokens"]) < 1e-5


def test_every_published_form_gives_the_same_encoder(model: AudioMAE, tmp_path: Path) -> None:
    original = write_original(tmp_path, tiny=True)
    pickled = tmp_path / "pytorch_model.bin"
    torch.save(encoder(tiny=True), pickled)
    clip = noise(20000)[None]
    expected = audiomae.get_scene_embeddings(clip, model)
    for file in (original, pickled):
        found = audiomae.load_model(str(file))
        assert not found.training
        assert torch.equal(audiomae.get_scene_embeddings(clip, found), expected)


def test_weights_that_were_fetched_before_are_used(
    model: AudioMAE, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, tiny=True).rename(tmp_path / "audiomae_as2m.safetensors")
    monkeypatch.setenv("DASHENG_HOME", str(tmp_path))
    found = audiomae.load_model().state_dict()
    assert all(torch.equal(value, found[name]) for name, value in model.state_dict().items())


def test_the_published_size() -> None:
    with torch.device("meta"):
        whole = AudioMAE()
    assert sum(parameter.numel() for parameter in whole.parameters()) == PARAMETERS
    assert whole.scene_embedding_size == whole.timestamp_embedding_size == 768


def without(name: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda state: state.pop(name)


def having(name: str, *shape: int) -> Callable[[dict[str, Tensor]], object]:
    return lambda state: state.update({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("norm.weight"), r"1 missing \(norm.weight"),
        (without("cls_token"), r"missing \(cls_token"),
        (without("patch_embed.proj.weight"), r"1 missing \(patch_embed.proj.weight"),
        (without("blocks.0.attn.qkv.bias"), r"1 missing \(blocks.0.attn.qkv.bias"),
        (having("head.weight", 527, 128), r"1 unexpected \(head.weight"),
        (having("blocks.2.norm1.bias", 128), r"11 missing \(blocks.2"),
        (having("blocks.999999999.norm1.bias", 128), r"1 unexpected \(blocks.999999999"),
        (having("pos_embed", 1, 197, 128), r"pos_embed \(1, 197, 128\) for \(1, 513, 128\)"),
        (having("patch_embed.proj.weight", 128, 3, 16, 16), r"1 other shape \(patch_embed"),
        (having("patch_embed.proj.weight", 128), r"1 other shape \(patch_embed"),
        (having("cls_token", 1, 1, 100), "expected a width in heads of 64, found width 100"),
    ],
)
def test_another_encoder_is_refused_by_name(
    change: Callable[[dict[str, Tensor]], object], message: str, tmp_path: Path
) -> None:
    state = encoder(tiny=True)
    change(state)
    file = tmp_path / "other.safetensors"
    save_file(state, file)
    with pytest.raises(ValueError, match=message) as caught:
        audiomae.load_model(str(file))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


class Foreign:
    """Something that a checkpoint would have to execute code for."""


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="found no file"):
        audiomae.load_model(str(tmp_path / "nowhere.pth"))
    damaged = tmp_path / "damaged.pth"
    damaged.write_bytes(write_original(tmp_path, tiny=True).read_bytes()[:-1000])
    with pytest.raises(ValueError, match="could not read it"):
        audiomae.load_model(str(damaged))
    torch.save([1, 2], damaged)
    with pytest.raises(ValueError, match="expected tensors by name"):
        audiomae.load_model(str(damaged))
    torch.save({"model": encoder(tiny=True), "args": Foreign()}, damaged)
    with pytest.raises(ValueError, match="execute"):
        audiomae.load_model(str(damaged))


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.integers(1, 40000), min_size=1, max_size=5),
    st.sampled_from([0.0, 1.0, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(
    model: AudioMAE, lengths: list[int], padding: float
) -> None:
    batch = [noise(length, seed) * 10.0**-seed for seed, length in enumerate(lengths)]
    audio = torch.full((len(batch), max(lengths)), padding)
    for row, clip in zip(audio, batch, strict=True):
        row[: len(clip)] = clip
    counts = torch.tensor(lengths)
    scenes = audiomae.get_scene_embeddings(audio, model, lengths=counts)
    found, _ = audiomae.get_timestamp_embeddings(audio, model, lengths=counts)
    for i, clip in enumerate(batch):
        alone = audiomae.get_scene_embeddings(clip[None], model)[0]
        assert torch.linalg.norm(scenes[i] - alone) <= 1e-5 * torch.linalg.norm(alone)
        steps, _ = audiomae.get_timestamp_embeddings(clip[None], model)
        count = steps.shape[1]
        torch.testing.assert_close(found[i, :count], steps[0], atol=1e-5, rtol=1e-5)
        assert not found[i, count:].any()


def test_padding_does_not_move_the_mean_by_a_digit(model: AudioMAE) -> None:
    # In the lowest bin of this clip's frame 12 there is next to no energy.
    clip = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 2800).astype(np.float32)) * 10
    audio = torch.stack([torch.nn.functional.pad(clip, (0, 16)), torch.zeros(2816)])
    together = audiomae.get_scene_embeddings(audio, model, torch.tensor([2800, 2816]))[0]
    alone = audiomae.get_scene_embeddings(clip[None], model)[0]
    assert (together - alone).abs().max() <= 2e-6 * alone.abs().max()


@pytest.mark.parametrize("samples", [1, 160, 2799])
def test_short_clips_are_padded_to_one_patch(model: AudioMAE, samples: int) -> None:
    padded = torch.zeros(1, 2800)
    padded[0, :samples] = noise(samples)
    found, times = audiomae.get_timestamp_embeddings(padded[:, :samples], model)
    assert found.shape == (1, 1, 128)
    assert times.tolist() == [[87.5]]
    assert torch.equal(found, audiomae.get_timestamp_embeddings(padded, model)[0])


def test_silence_is_finite_and_as_any_constant(model: AudioMAE) -> None:
    found, _ = audiomae.get_timestamp_embeddings(torch.zeros(1, 16000), model)
    assert found.isfinite().all()
    constant, _ = audiomae.get_timestamp_embeddings(torch.full((1, 16000), 0.25), model)
    assert torch.equal(found, constant)


@pytest.mark.parametrize(
    ("samples", "count"), [(2800, 1), (5359, 1), (5360, 2), (16000, 6), (164080, 64), (400000, 156)]
)
def test_a_token_is_16_whole_frames_at_their_centre(
    model: AudioMAE, samples: int, count: int
) -> None:
    found, times = audiomae.get_timestamp_embeddings(noise(samples)[None], model)
    assert found.shape == (1, count, 128)
    assert found.dtype == times.dtype == torch.float32
    frames = 12.5 + 10 * np.arange(16 * count)
    np.testing.assert_allclose(times[0], frames.reshape(count, 16).mean(axis=1))


def test_the_second_chunk_of_a_long_clip_knows_nothing_of_the_first(model: AudioMAE) -> None:
    long = noise(300000)
    changed = long.clone()
    changed[:160000] = noise(160000, seed=1)
    changed[:160000] += long[:160000].mean() - changed[:160000].mean()  # the mean is the clip's
    found, other = (
        audiomae.get_timestamp_embeddings(clip[None], model)[0][0] for clip in (long, changed)
    )
    torch.testing.assert_close(found[64:], other[64:], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found[:64], other[:64], atol=1e-2)


@pytest.mark.parametrize("samples", [1, 2800, 16000, 167000])  # 1 step, and 64 + 1, among them
def test_reduced_precision_gives_float32_near_the_same(model: AudioMAE, samples: int) -> None:
    clip = noise(samples)[None]
    exact, _ = audiomae.get_timestamp_embeddings(clip, model)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, _ = audiomae.get_timestamp_embeddings(clip, model)
    assert found.dtype == torch.float32
    apart = torch.linalg.norm(found - exact, dim=2)
    assert (apart < 0.05 * torch.linalg.norm(exact, dim=2)).all()
