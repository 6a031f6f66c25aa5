import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import unfold

from dasheng.blocks import EncoderConfig
from dasheng.encoder import Dasheng
from dasheng.mae import (
    DecoderConfig,
    MaskedAutoencoder,
    masked_loss,
    normalised,
    patchify,
)
from dasheng.masking import random_mask
from tests.dasheng.make_golden_mae import CASES, FILE
from tests.dasheng.parity_mae import largest, ours, read

CONFIG = EncoderConfig(embed_dim=32, depth=2, num_heads=4, target_length=200)
DECODER = DecoderConfig(embed_dim=24, depth=2, num_heads=3)
SAMPLES = 16000


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def autoencoder(**settings) -> MaskedAutoencoder:
    return MaskedAutoencoder(Dasheng(CONFIG), DECODER, **settings)


def tones(clips: int) -> torch.Tensor:
    """Chords that differ from clip to clip and change within it."""
    time = torch.arange(SAMPLES) / 16000
    pitch = 150 + 700 * torch.rand(clips, 3, 1)
    return 0.2 * torch.sin(2 * torch.pi * pitch * (1 + time) * time).sum(dim=1)


def gradients(model: MaskedAutoencoder) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: CASES[n].name)
def test_a_step_of_the_published_trainer(number: int) -> None:
    found, golden = ours(CASES[number]), read(FILE, f"{number} ")
    assert np.array_equal(found.removed, golden.removed)
    assert found.loss == pytest.approx(golden.loss, abs=1e-5)
    difference, where = largest(found.gradients, golden.gradients)
    assert difference < 2e-4, where
    difference, where = largest(found.statistics, golden.statistics)
    assert difference < 1e-5, where


@pytest.mark.parametrize("layout", ["as the front end makes it", "contiguous"])
def test_gradients_of_the_batch_norm_are_the_slope_of_the_loss(layout: str) -> None:
    """PyTorch 2.11 gets those of a `BatchNorm2d` wrong in some layouts, on the CPU."""
    model = autoencoder()
    norm = model.encoder.init_bn[1]
    spectrogram = model.encoder.front_end(tones(2))
    if layout == "contiguous":
        spectrogram = spectrogram.contiguous()
    mask = random_mask(2, 25)
    targets = normalised(patchify(spectrogram, 4))

    def loss() -> torch.Tensor:
        return masked_loss(model.predict(spectrogram, mask), targets, mask.removed)

    loss().backward()
    for parameter in (norm.weight, norm.bias):
        along = parameter.grad / parameter.grad.norm()
        ends = []
        with torch.no_grad():
            for step in (0.02, -0.04):
                parameter.add_(along, alpha=step)
                ends.append(loss().item())
        slope = (ends[0] - ends[1]) / 0.04
        assert slope == pytest.approx(parameter.grad.norm().item(), rel=0.02)


def test_patches_are_those_of_unfold() -> None:
    """A patch's values in the order of the published trainer's `nn.Unfold`."""
    spectrogram = torch.randn(2, 64, 43)
    expected = unfold(spectrogram[:, None], (64, 4), stride=(64, 4)).transpose(1, 2)
    assert torch.equal(patchify(spectrogram, 4), expected)


@pytest.mark.parametrize("target", ["patch", "batch"])
def test_targets_have_mean_0_and_variance_1(target) -> None:
    patches = (20 * torch.randn(3, 7, 1) + 10 * torch.randn(3, 7, 256) - 30).double()
    found = normalised(patches, target).numpy()
    values = patches.numpy()
    if target == "patch":
        mean, deviation = values.mean(-1, keepdims=True), values.std(-1, keepdims=True, ddof=1)
    else:
        mean, deviation = values.mean(), values.std(ddof=1)
    np.testing.assert_allclose(found, (values - mean) / deviation, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_the_target_input_is_what_a_batch_norm_gives_without_its_own_gain(training: bool) -> None:
    model = autoencoder(target="input").train(training)
    norm = model.encoder.init_bn[1]
    oracle = torch.nn.BatchNorm1d(64, affine=False).train(training)
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.normal_()
        for statistics in (norm, oracle):
            statistics.running_mean.copy_(torch.linspace(-40, -20, 64))
            statistics.running_var.copy_(torch.linspace(100, 300, 64))
    before = copy.deepcopy(norm.state_dict())
    spectrogram = model.encoder.front_end(tones(3))
    found = model.targets(spectrogram)
    expected = unfold(oracle(spectrogram.contiguous())[:, None], (64, 4), stride=(64, 4))
    torch.testing.assert_close(found, expected.transpose(1, 2), rtol=1e-5, atol=1e-5)
    assert not found.requires_grad
    for name, value in norm.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_step_towards_the_target_input() -> None:
    """The loss is that of the targets; the statistics move once, by what the encoder is fed."""
    model, plain = autoencoder(target="input"), autoencoder()
    plain.load_state_dict(model.state_dict())
    audio, mask = tones(2), random_mask(2, 25)
    loss = model(audio, mask)
    plain(audio, mask)
    for name, value in plain.encoder.init_bn.state_dict().items():
        assert torch.equal(model.encoder.init_bn.state_dict()[name], value), name
    spectrogram = model.encoder.front_end(audio)
    mean, deviation = spectrogram.mean((0, 2)), spectrogram.var((0, 2), correction=0).sqrt()
    targets = patchify((spectrogram - mean[:, None]) / deviation[:, None], 4)
    expected = masked_loss(model.predict(spectrogram, mask), targets, mask.removed)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("width", [24, 9])
def test_positions_start_from_sines_and_cosines(width: int) -> None:
    decoder = DecoderConfig(embed_dim=width, depth=1, num_heads=3)
    started = []
    for config in (CONFIG, replace(CONFIG, sinusoids=True)):
        torch.manual_seed(0)
        started.append(MaskedAutoencoder(Dasheng(config), decoder))
    before, model = started[0].state_dict(), started[1]
    names = {"encoder.time_pos_embed", "decoder.pos_embed"}
    after = model.state_dict()
    assert {name for name in after if not torch.equal(after[name], before[name])} == names
    assert all(model.get_parameter(name).requires_grad for name in names)
    for found, size in [
        (model.encoder.time_pos_embed[0, :, 0].T, 32),
        (model.decoder.pos_embed[0], width),
    ]:
        assert found.shape == (50 + (size == width), size)
        half = -(-size // 2)
        for position in (0, 1, 7, 49):
            angles = [position / 10000 ** (2 * i / size) for i in range(half)]
            expected = [*map(math.sin, angles), *map(math.cos, angles)][:size]
            assert found[position].tolist() == pytest.approx(expected, abs=1e-5)


def test_a_silent_patch_has_a_finite_target() -> None:
    assert (normalised(torch.full((1, 2, 256), -100.0)) == 0).all()


def test_the_loss_ignores_kept_tokens() -> None:
    removed = torch.tensor([[True, False, True], [False, True, True]])
    predicted, targets = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    loss = masked_loss(predicted, targets, removed)
    expected = np.mean([((predicted - targets)[b, t] ** 2).mean() for b, t in removed.nonzero()])
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    predicted[~removed] = 1e6
    targets[~removed] = -1e6
    assert masked_loss(predicted, targets, removed) == loss


def test_what_is_removed_reaches_no_prediction() -> None:
    """Neither encoder nor decoder sees a removed patch; a kept one changes every prediction."""
    model = autoencoder().eval()
    spectrogram = torch.randn(1, 64, 100)
    mask = random_mask(1, 25)
    # The place of a patch, frame by frame.
    hidden = mask.removed[0].repeat_interleave(4)
    with torch.no_grad():
        before = model.predict(spectrogram, mask)
        after = model.predict(torch.where(hidden, 7.0, spectrogram), mask)
        assert torch.equal(before, after)
        other = model.predict(torch.where(hidden, spectrogram, 7.0), mask)
    assert ((before - other).abs().amax(dim=-1) > 0).all()


def test_the_order_of_what_is_kept_means_nothing() -> None:
    """Tokens are put back to their places: the same set in another order predicts the same."""
    model = autoencoder().eval().double()
    spectrogram = torch.randn(1, 64, 100, dtype=torch.float64)
    mask = random_mask(1, 25)
    kept = mask.ids_keep.shape[1]
    swapped = mask.ids_keep.flip(1)
    restore = torch.where(mask.removed, mask.ids_restore, kept - 1 - mask.ids_restore)
    with torch.no_grad():
        expected = model.predict(spectrogram, mask)
        found = model.predict(spectrogram, mask._replace(ids_keep=swapped, ids_restore=restore))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("group", [1, 2])
def test_a_tiny_model_overfits_one_batch(group: int) -> None:
    model = autoencoder(group=group)
    audio = tones(2)[:, :8000]
    mask = random_mask(2, 12, group=group)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = model(audio, mask)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # 1 is what predicting each patch's mean costs.
    assert losses[0] > 0.9
    assert losses[-1] < 0.1


def test_every_parameter_is_trained() -> None:
    model = autoencoder()
    model(tones(2)).backward()
    still = [name for name, grad in gradients(model).items() if grad is None or not grad.any()]
    assert still == []


def test_recomputing_changes_no_gradient() -> None:
    model = autoencoder(group=2)
    thrifty = copy.deepcopy(model)
    thrifty.recompute = True
    audio, mask = tones(2), random_mask(2, 25, group=2)
    losses = []
    for each in (model, thrifty):
        loss = each(audio, mask)
        loss.backward()
        losses.append(loss)
    assert losses[0] == losses[1]
    expected = gradients(model)
    for name, found in gradients(thrifty).items():
        assert torch.equal(found, expected[name]), name


def test_recomputing_keeps_less() -> None:
    """What the graph holds for the backward pass, counted as PyTorch packs it."""

    def held(model: MaskedAutoencoder) -> int:
        sizes: list[int] = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            model(tones(2))
        return sum(sizes)

    assert held(autoencoder(recompute=True)) < 0.5 * held(autoencoder())


def test_bf16_leaves_front_end_and_loss_in_float32() -> None:
    model = autoencoder()
    audio, mask = tones(2), random_mask(2, 25)
    seen = []
    model.encoder.front_end.register_forward_hook(lambda *at: seen.append(at[2]))
    model.encoder.init_bn.register_forward_hook(lambda *at: seen.append(at[2]))
    expected = model(audio, mask)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(audio, mask)
        half = model.predict(seen[0], mask)
    loss.backward()
    assert half.dtype == torch.bfloat16
    assert {tensor.dtype for tensor in (loss, *seen, *gradients(model).values())} == {torch.float32}
    assert torch.equal(seen[0], seen[2])
    assert loss.item() == pytest.approx(expected.item(), rel=1e-2)
    # bf16 has 8 bits: a loss in it would be one of few values.
    assert loss.item() != loss.bfloat16().item()


def test_any_number_of_tokens_can_be_masked_in_groups() -> None:
    """The published grouped masking crashes on an odd number."""
    model = autoencoder(group=2)
    for samples in (7040, 8000, 16000, 16640):
        model(tones(2)[:, :samples]).backward()
    assert all(grad.isfinite().all() for grad in gradients(model).values())


def test_an_encoder_of_several_clips_is_trained_on_each_alone() -> None:
    """The floor of `top_db` is each clip's: silence beside a loud clip has its own targets."""
    model = autoencoder().eval()
    clips = torch.stack([torch.zeros(SAMPLES), tones(1)[0]])
    mask = random_mask(2, 25)
    with torch.no_grad():
        both = model(clips, mask)
        alone = [
            model(clips[row : row + 1], type(mask)(*(part[row : row + 1] for part in mask)))
            for row in range(2)
        ]
    torch.testing.assert_close(both, torch.stack(alone).mean())
