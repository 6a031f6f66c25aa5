"""The validation loss and its floors, against loops written out."""

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.mae import DecoderConfig, MaskedAutoencoder
from dasheng.masking import random_mask
from dasheng.train.config import TrainConfig
from dasheng.train.validation import floors, nearest_kept, validate
from tasks.errors import UserError
from tests.dasheng.miniature import miniature

CONFIG = TrainConfig(train_data=("a.tar",), chunk_length=0.4)
ACCELERATOR = Accelerator(cpu=True)


@pytest.fixture(scope="module")
def model() -> MaskedAutoencoder:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return MaskedAutoencoder(miniature(), DecoderConfig(embed_dim=16, depth=1, num_heads=2))


def audio(crops: int, seed: int = 0) -> torch.Tensor:
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (crops, 6400))
    return torch.from_numpy(noise.astype(np.float32))


@settings(deadline=None)
@given(
    tokens=st.integers(4, 30),
    group=st.integers(1, 3),
    ratio=st.floats(0.2, 0.9),
    seed=st.integers(0, 99),
)
def test_the_floors_are_those_of_loops(tokens: int, group: int, ratio: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    mask = random_mask(2, tokens, ratio, group=group, generator=generator)
    patches = torch.randn(2, tokens, 5, generator=generator)
    mean, copied, places = [], [], nearest_kept(mask)
    for clip in range(2):
        kept = sorted(mask.ids_keep[clip].tolist())
        for token in range(tokens):
            nearest = min(kept, key=lambda place, token=token: (abs(place - token), place))
            assert places[clip, token] == nearest
            if mask.removed[clip, token]:
                x = patches[clip, token].numpy()
                mean.append(np.mean((x - x.mean()) ** 2))
                copied.append(np.mean((x - patches[clip, nearest].numpy()) ** 2))
    found = [float(x) for x in floors(patches, mask)]
    assert found == pytest.approx([np.mean(mean), np.mean(copied)], rel=1e-4)


def test_predicting_the_mean_costs_the_variance(model: MaskedAutoencoder) -> None:
    patches = model.targets(model.encoder.front_end(audio(3)))
    mean, _ = floors(patches, random_mask(3, patches.shape[1]))
    assert float(mean) == pytest.approx(1 - 1 / patches.shape[2], rel=1e-3)  # of 256 values


def test_it_is_the_mean_over_crops_however_they_are_batched(model: MaskedAutoencoder) -> None:
    state = torch.get_rng_state()
    once = validate(model, iter([audio(4), audio(1, seed=1)]), ACCELERATOR, CONFIG)
    assert validate(model, iter([audio(4), audio(1, seed=1)]), ACCELERATOR, CONFIG) == once
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert once["crops"] == 5
    alone = validate(model, iter([audio(4)]), ACCELERATOR, CONFIG)
    # Of the five crops the first four have the same masks as alone.
    rest = {name: 5 * once[name] - 4 * alone[name] for name in ("loss", "mean_floor")}
    assert 0.5 < rest["loss"] < 2
    assert rest["mean_floor"] == pytest.approx(1, abs=0.05)
    assert validate(model, iter([audio(4)]), ACCELERATOR, CONFIG) == alone
    other = TrainConfig(train_data=("a.tar",), chunk_length=0.4, seed=1)
    assert validate(model, iter([audio(4)]), ACCELERATOR, other)["loss"] != alone["loss"]


def test_held_out_data_without_audio_are_told(model: MaskedAutoencoder) -> None:
    with pytest.raises(UserError, match="expected audio to validate on in cv_data, found none"):
        validate(model, iter([]), ACCELERATOR, CONFIG)
