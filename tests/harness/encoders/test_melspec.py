"""MelSpec is the time mean of what torchaudio computes of one clip, also in a ragged batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchaudio.transforms import AmplitudeToDB, MelSpectrogram

from harness.encoders import melspec

MODEL = melspec.load_model()
ORACLE = torch.nn.Sequential(
    MelSpectrogram(16000, n_fft=512, win_length=512, hop_length=160, n_mels=64, f_max=8000.0),
    AmplitudeToDB(top_db=120),
)


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


@pytest.mark.parametrize("samples", [480, 2400, 16000, 40123])
@pytest.mark.parametrize("level", [1.0, 1e-4])
def test_scene_is_the_mean_of_torchaudio_frames(samples: int, level: float) -> None:
    clip = level * noise(samples)
    expected = ORACLE(clip).mean(dim=1).numpy()
    scene = melspec.get_scene_embeddings(clip[None], MODEL)
    assert scene.shape == (1, 64)
    assert scene.dtype == torch.float32
    np.testing.assert_allclose(scene[0], expected, rtol=1e-4, atol=1e-3)


def test_timestamps_are_frames_and_their_centres() -> None:
    audio = torch.stack([noise(16000), noise(16000, 1)])
    frames, times = melspec.get_timestamp_embeddings(audio, MODEL)
    assert frames.shape == (2, 101, 64)
    assert torch.equal(times, torch.arange(0, 1001, 10).float().expand(2, -1))
    np.testing.assert_allclose(frames[1], ORACLE(audio[1]).T, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(
        frames.mean(dim=1), melspec.get_scene_embeddings(audio, MODEL), rtol=1e-5
    )


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(1, 20000), min_size=1, max_size=5),
    st.sampled_from([0.0, 1e-4, 1.0, 100.0, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(lengths: list[int], padding: float) -> None:
    clips = [noise(length, seed) * 10.0**-seed for seed, length in enumerate(lengths)]
    audio = torch.full((len(clips), max(lengths)), padding)
    for row, clip in zip(audio, clips, strict=True):
        row[: len(clip)] = clip
    together = melspec.get_scene_embeddings(audio, MODEL, lengths=torch.tensor(lengths))
    for embedding, clip in zip(together, clips, strict=True):
        alone = melspec.get_scene_embeddings(clip[None], MODEL)[0]
        assert torch.linalg.norm(embedding - alone) <= 1e-5 * torch.linalg.norm(alone)


def test_short_clips_are_padded_to_the_minimum() -> None:
    clip = noise(100)
    padded = torch.nn.functional.pad(clip, (0, 380))
    assert MODEL.minimum_samples == 480
    assert torch.equal(
        melspec.get_scene_embeddings(clip[None], MODEL),
        melspec.get_scene_embeddings(padded[None], MODEL),
    )


def test_what_is_no_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        melspec.get_scene_embeddings(torch.full((1, 16000), torch.nan), MODEL)
    with pytest.raises(ValueError, match="shape"):
        melspec.get_scene_embeddings(noise(16000), MODEL)
    with pytest.raises(ValueError, match="no weights"):
        melspec.load_model("base.pt")
