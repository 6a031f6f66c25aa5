"""The spectrograms are those of transformers' extractor, given one clip at a time."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import WhisperFeatureExtractor

from harness.encoders.parts.whisper_log_mel import WhisperLogMel

WINDOW = 480000


def clips() -> list[Tensor]:
    noise = torch.randn(WINDOW, generator=torch.Generator().manual_seed(0))
    tone = torch.sin(0.3 * torch.arange(16000))
    return [noise / 10, noise[: WINDOW - 1] * 1e-4, tone, noise[:1000], noise[:1], 0 * noise[:100]]


@pytest.mark.parametrize("n_mels", [80, 128])
def test_a_batch_of_windows_is_as_the_extractor_has_each(n_mels: int) -> None:
    log_mel, oracle = WhisperLogMel(n_mels), WhisperFeatureExtractor(feature_size=n_mels)
    batch = torch.stack([F.pad(clip, (0, WINDOW - len(clip))) for clip in clips()])
    found = log_mel(batch)
    assert found.shape == (len(batch), n_mels, 3000)
    for row, clip in zip(found, clips(), strict=True):
        expected = oracle(clip.numpy(), sampling_rate=16000).input_features[0]
        np.testing.assert_allclose(row, expected, atol=1e-5, rtol=0)


def test_autocast_does_not_reach_it() -> None:
    log_mel, audio = WhisperLogMel(80), clips()[2][None]
    with torch.autocast("cpu", torch.bfloat16):
        found = log_mel(audio.bfloat16().float())
    assert found.dtype == torch.float32
    assert torch.equal(found, log_mel(audio.bfloat16().float()))


def test_it_brings_no_weights() -> None:
    assert not WhisperLogMel(80).state_dict()
