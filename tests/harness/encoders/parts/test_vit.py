"""The grid of tokens against a plain loop over single clips and their chunks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from harness.encoders.parts import vit

STEPS, BANDS, D = 5, 3, 16


class Toy(vit.VisionTransformer):
    def __init__(self, *, lead: bool, whole: bool = False) -> None:
        super().__init__(embed_dim=D, depth=2, num_heads=2, patch=(4, 2), steps=STEPS)
        self.whole_chunks = whole
        self.own = nn.Parameter(torch.randn(STEPS, BANDS, D))
        self.cls = nn.Parameter(torch.randn(D)) if lead else None

    def positions(self) -> Tensor:
        return self.own

    def lead(self) -> Tensor | None:
        return self.cls


def toy(*, lead: bool, whole: bool = False) -> Toy:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Toy(lead=lead, whole=whole).eval()


def alone(model: Toy, spectrogram: Tensor, count: int) -> Tensor:
    """One clip, chunk by chunk, through PyTorch's own attention."""
    found = []
    for start in range(0, count, STEPS):
        own = min(STEPS, count - start)
        piece = spectrogram[:, 2 * start : 2 * (start + own)]
        length = STEPS if model.whole_chunks else own
        piece = nn.functional.pad(piece, (0, 2 * length - piece.shape[1]))
        x = nn.functional.conv2d(piece[None, None], model.patch_embed.proj.weight, stride=(4, 2))
        x = x + model.patch_embed.proj.bias[:, None, None]
        x = x[0].permute(2, 1, 0) + model.own[:length]
        x = x.reshape(1, -1, D)
        if model.cls is not None:
            x = torch.cat([model.cls.view(1, 1, D), x], dim=1)
        for block in model.blocks:
            q, k, v = (
                part.unflatten(-1, (2, -1)) for part in block.attn.qkv(block.norm1(x)).chunk(3, -1)
            )
            weights = (torch.einsum("bqhd,bkhd->bhqk", q, k) * (D / 2) ** -0.5).softmax(dim=-1)
            x = x + block.attn.proj(torch.einsum("bhqk,bkhd->bqhd", weights, v).flatten(2))
            x = x + block.mlp.fc2(nn.functional.gelu(block.mlp.fc1(block.norm2(x))))
        x = model.norm(x)[0, -length * BANDS :]
        found.append(x.view(length, BANDS, D)[:own])
    return torch.cat(found)


@torch.no_grad()
@pytest.mark.parametrize("lead", [False, True])
@pytest.mark.parametrize("whole", [False, True])
@settings(deadline=None, max_examples=20)
@given(counts=st.lists(st.integers(1, 13), min_size=1, max_size=6), extra=st.integers(0, 3))
def test_a_clip_is_as_alone_whatever_its_batch(
    lead: bool, whole: bool, counts: list[int], extra: int
) -> None:
    model = toy(lead=lead, whole=whole)
    frames = 2 * max(counts) + extra
    spectrogram = torch.randn(
        len(counts), 4 * BANDS, frames, generator=torch.Generator().manual_seed(1)
    )
    if whole:
        for row, count in zip(spectrogram, counts, strict=True):
            row[:, 2 * count :] = 0
    found = model.grid(spectrogram, torch.tensor(counts))
    assert found.shape == (len(counts), max(counts), BANDS, D)
    for row, count in enumerate(counts):
        torch.testing.assert_close(
            found[row, :count], alone(model, spectrogram[row], count), atol=1e-5, rtol=1e-5
        )
        assert not found[row, count:].any()


@torch.no_grad()
def test_missing_frames_are_zeros() -> None:
    model = toy(lead=False, whole=True)
    spectrogram = torch.randn(1, 4 * BANDS, 7)
    padded = nn.functional.pad(spectrogram, (0, 1))
    assert torch.equal(
        model.grid(spectrogram, torch.tensor([4])), model.grid(padded, torch.tensor([4]))
    )


@torch.no_grad()
def test_long_input_goes_through_in_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    model = toy(lead=True)
    spectrogram = torch.randn(3, 4 * BANDS, 40)
    whole = model.grid(spectrogram, torch.tensor([20, 18, 20]))
    monkeypatch.setitem(vit.TOKENS_PER_PASS, "cpu", 1)
    torch.testing.assert_close(model.grid(spectrogram, torch.tensor([20, 18, 20])), whole)
