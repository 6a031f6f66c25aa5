"""The encoder: the published package's numbers, and each clip on its own."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng import checkpoint
from dasheng.blocks import EncoderConfig
from dasheng.configuration import SIZES
from dasheng.encoder import Dasheng
from tests.dasheng.make_golden import GOLDEN, MINIATURES, clips
from tests.dasheng.miniature import miniature

MODEL = miniature()


@pytest.mark.parametrize("size", MINIATURES)
def test_golden_outputs_of_the_published_package(size: str) -> None:
    model = checkpoint.load(GOLDEN / f"{size}.pt").eval()
    golden = np.load(GOLDEN / f"{size}.npz")
    assert sum(p.numel() for p in model.parameters()) == golden["parameters"]
    for name, clip in clips().items():
        with torch.inference_mode():
            found = model(torch.from_numpy(clip)[None])[0].numpy()
        expected = golden[name]
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize(("size", "millions"), [("base", 85.4), ("0.6B", 630.0), ("1.2B", 1133.7)])
def test_published_sizes(size: str, millions: float) -> None:
    with torch.device("meta"):
        model = Dasheng(EncoderConfig(**SIZES[size]))
    count = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.002)


@pytest.mark.parametrize("samples", [1, 479, 480, 639, 640, 16000, 32000, 32640, 100_000])
def test_one_token_per_40_ms(samples: int) -> None:
    with torch.inference_mode():
        tokens = MODEL(torch.randn(2, samples))
    frames = 1 + max(samples, 480) // 160
    assert tokens.shape == (2, frames // 4, 32)
    assert int(MODEL.tokens(torch.tensor(samples))) == tokens.shape[1]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 70_000), st.sampled_from([0.0, 1e-6, 1e-3, 1.0, 30.0])),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 2**31 - 1),
    st.sampled_from([0.0, 1e3, float("nan")]),
)
def test_an_embedding_depends_on_its_clip_alone(
    mates: list[tuple[int, float]], seed: int, padding: float
) -> None:
    """Loud, quiet, silent, shorter, longer batch-mates and rubbish in the padding: no change."""
    random = np.random.default_rng(seed)
    alone = [random.normal(0, 1, n).astype(np.float32) * level for n, level in mates]
    batch = np.full((len(alone), max(map(len, alone))), padding, np.float32)
    for row, clip in zip(batch, alone, strict=True):
        row[: len(clip)] = clip
    lengths = torch.tensor([len(clip) for clip in alone])
    with torch.inference_mode():
        together = MODEL(torch.from_numpy(batch), lengths)
        for row, clip in zip(together, alone, strict=True):
            single = MODEL(torch.from_numpy(clip)[None])[0]
            own = row[: len(single)]
            assert (own - single).norm() <= 1e-5 * single.norm()
            assert not row[len(single) :].any()


def test_blocks_of_a_long_clip_know_nothing_of_each_other() -> None:
    samples = 50 * 640  # one block of the miniature, less what the front end mirrors
    spectrogram = torch.randn(1, 64, 400)
    with torch.inference_mode():
        whole = MODEL._encode_blocks(MODEL.patch_embed(spectrogram), torch.tensor([100]))
        halves = [
            MODEL._encode_blocks(MODEL.patch_embed(part), torch.tensor([50]))
            for part in spectrogram.split(200, dim=2)
        ]
    assert samples == 32000
    torch.testing.assert_close(whole, torch.cat(halves, dim=1), rtol=1e-5, atol=1e-5)


def test_input_is_never_changed() -> None:
    audio = torch.randn(2, 20_000)
    before = audio.clone()
    MODEL(audio, torch.tensor([20_000, 300]))
    assert torch.equal(audio, before)


@pytest.mark.parametrize(
    ("audio", "lengths", "error", "message"),
    [
        (torch.zeros(16000), None, ValueError, r"\(clips, samples\)"),
        (torch.zeros(1, 1, 16000), None, ValueError, r"\(clips, samples\)"),
        (torch.zeros(1, 16000, dtype=torch.int16), None, TypeError, "int16"),
        (torch.zeros(1, 0), None, ValueError, "empty"),
        (torch.full((2, 900), torch.nan), None, ValueError, "NaN"),
        (torch.full((2, 900), torch.inf), None, ValueError, "NaN or infinite"),
        (torch.zeros(2, 900), torch.tensor([900]), ValueError, "one per clip"),
        (torch.zeros(2, 900), torch.tensor([900, 0]), ValueError, r"1\.\.900"),
        (torch.zeros(2, 900), torch.tensor([900, 901]), ValueError, r"1\.\.900"),
        (torch.zeros(2, 900), torch.tensor([0.5, 1.0]), TypeError, "integer"),
    ],
)
def test_bad_input_is_refused(
    audio: torch.Tensor, lengths: torch.Tensor | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        MODEL(audio, lengths)


def test_half_precision_keeps_the_front_end_in_float32() -> None:
    audio = torch.randn(2, 16000)
    with torch.inference_mode():
        expected = MODEL(audio)
        with torch.autocast("cpu", torch.bfloat16):
            spectrogram = MODEL.spectrogram(audio)
            found = MODEL(audio)
    assert spectrogram.dtype == found.dtype == torch.float32
    torch.testing.assert_close(spectrogram, MODEL.spectrogram(audio))
    assert (found - expected).norm() < 0.03 * expected.norm()
    assert not torch.equal(found, expected)


def test_gradients_reach_every_parameter() -> None:
    model = miniature().train()
    model(torch.randn(2, 16000)).square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"num_heads": 5}, "num_heads=5"),
        ({"patch_size": (16, 16)}, "patch_size"),
        ({"target_length": 2}, "target_length=2"),
    ],
)
def test_impossible_configurations_are_refused(setting: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderConfig(**setting)
