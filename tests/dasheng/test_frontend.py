"""The front end: torchaudio's numbers for a single clip, and nothing else for a batch."""

import pytest
import torch
from torchaudio.transforms import AmplitudeToDB, MelSpectrogram

from dasheng.frontend import LogMel, check_audio

LOG_MEL = LogMel()


def oracle(clip: torch.Tensor) -> torch.Tensor:
    mel = MelSpectrogram(16000, n_fft=512, win_length=512, hop_length=160, n_mels=64, f_max=8000.0)
    return AmplitudeToDB(top_db=120)(mel(clip))


@pytest.mark.parametrize("samples", [480, 512, 1000, 15_999, 16_000, 50_000])
@pytest.mark.parametrize("level", [1e-5, 0.1, 1.0])
def test_equals_torchaudio_on_one_clip(samples: int, level: float) -> None:
    clip = level * torch.randn(samples, generator=torch.Generator().manual_seed(samples))
    torch.testing.assert_close(LOG_MEL(clip[None])[0], oracle(clip), rtol=1e-4, atol=1e-3)


def test_power_on_another_mel_scale() -> None:
    options = {"n_fft": 400, "win_length": 400, "n_mels": 80, "norm": "slaney"}
    mel = MelSpectrogram(16000, hop_length=160, f_max=8000.0, mel_scale="slaney", **options)
    clip = torch.randn(9000, generator=torch.Generator().manual_seed(0))
    found = LogMel(**options, mel_scale="slaney").power(clip[None])
    torch.testing.assert_close(found[0].T, mel(clip), rtol=1e-4, atol=1e-6)


def test_silence_and_a_lone_click() -> None:
    click = torch.zeros(16000)
    click[8000] = 1.0
    for clip in (torch.zeros(16000), click):
        torch.testing.assert_close(LOG_MEL(clip[None])[0], oracle(clip), rtol=1e-4, atol=1e-3)


def test_quiet_clip_is_not_moved_by_a_loud_one() -> None:
    """torchaudio's batch version fails this: its ceiling is the batch's."""
    quiet, loud = 1e-7 * torch.randn(16000), 100 * torch.randn(16000)
    together = LOG_MEL(torch.stack([quiet, loud]))
    torch.testing.assert_close(together[0], LOG_MEL(quiet[None])[0], rtol=1e-6, atol=1e-5)
    moved = oracle(torch.stack([quiet, loud]))[0]
    assert (moved - oracle(quiet)).abs().max() > 1


def test_ragged_batch_mirrors_each_clip_at_its_own_end() -> None:
    clips = [torch.randn(n) for n in (5000, 480, 7777)]
    batch = torch.zeros(3, 8000)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    lengths = torch.tensor([len(clip) for clip in clips])
    audio, checked = check_audio(batch, lengths, minimum=480)
    found = LOG_MEL(audio, checked)
    for row, clip, frames in zip(found, clips, LOG_MEL.frames(lengths).tolist(), strict=True):
        torch.testing.assert_close(row[:, :frames], oracle(clip), rtol=1e-4, atol=1e-3)
        assert not row[:, frames:].any()


def test_buffers_have_the_published_names() -> None:
    assert set(LOG_MEL.state_dict()) == {"0.spectrogram.window", "0.mel_scale.fb"}


def test_check_audio_pads_to_the_minimum_and_drops_needless_columns() -> None:
    audio, lengths = check_audio(torch.ones(1, 100), minimum=480)
    assert audio.shape == (1, 480)
    assert audio.sum() == 100
    assert lengths is None
    audio, lengths = check_audio(torch.ones(2, 1000), torch.tensor([600, 600]))
    assert audio.shape == (2, 600)
    assert lengths is None
