"""The batched fbank against torchaudio's own, which takes one clip at a time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchaudio.compliance import kaldi as torchaudio_kaldi

from harness.encoders.parts import kaldi
from harness.encoders.parts.kaldi import Fbank

FBANK = Fbank(128)


def noise(samples: int, seed: int = 0) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed)) / 10


def expected(clip: Tensor, n_mels: int = 128) -> Tensor:
    """(n_mels, T)."""
    options = {"htk_compat": True, "window_type": "hanning", "dither": 0.0}
    return torchaudio_kaldi.fbank(clip[None], num_mel_bins=n_mels, **options).T


@pytest.mark.parametrize("samples", [400, 559, 560, 16000, 40123])
@pytest.mark.parametrize("level", [1.0, 1e-4, 0.0])
def test_one_clip_is_as_torchaudio_has_it(samples: int, level: float) -> None:
    clip = level * noise(samples) + 0.01 * level
    found = FBANK(clip[None], torch.tensor([samples]))
    assert found.shape == (1, 128, 1 + (samples - 400) // 160)
    torch.testing.assert_close(found[0], expected(clip), atol=1e-5, rtol=1e-5)


def test_another_number_of_bins() -> None:
    clip = noise(8000)
    found = Fbank(64)(clip[None], torch.tensor([8000]))[0]
    torch.testing.assert_close(found, expected(clip, 64), atol=1e-5, rtol=1e-5)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(400, 20000), min_size=1, max_size=5),
    st.sampled_from([0.0, 1.0, 1e6]),
)
def test_a_clip_is_as_alone_whatever_its_batch(lengths: list[int], padding: float) -> None:
    clips = [noise(length, seed) * 10.0**-seed for seed, length in enumerate(lengths)]
    audio = torch.full((len(clips), max(lengths)), padding)
    for row, clip in zip(audio, clips, strict=True):
        row[: len(clip)] = clip
    together = FBANK(audio, torch.tensor(lengths))
    for found, clip in zip(together, clips, strict=True):
        alone = expected(clip)
        torch.testing.assert_close(found[:, : alone.shape[1]], alone, atol=1e-4, rtol=1e-5)
        assert not found[:, alone.shape[1] :].any()


def test_long_audio_goes_through_in_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, samples = torch.stack([noise(9000), noise(9000, 1)]), torch.tensor([9000, 8000])
    whole = FBANK(audio, samples)
    monkeypatch.setattr(kaldi, "_FRAMES_PER_PASS", 10)
    torch.testing.assert_close(FBANK(audio, samples), whole)


def test_a_click_is_loudest_in_the_frame_centred_on_it() -> None:
    for frame in (0, 7, 40):
        audio = torch.zeros(1, 8000)
        audio[0, round(16 * (12.5 + 10 * frame))] = 1.0
        energy = FBANK(audio, torch.tensor([8000]))[0].exp().sum(dim=0)
        assert energy.argmax() == frame


def test_it_stays_float32_under_autocast_and_real_inside_a_meta_model() -> None:
    audio, samples = noise(8000)[None], torch.tensor([8000])
    with torch.device("meta"):
        inside = Fbank(128)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = inside(audio, samples)
    assert found.dtype == torch.float32
    assert torch.equal(found, FBANK(audio, samples))
    assert not inside.state_dict()
