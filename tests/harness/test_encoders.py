"""Every row of the tables and every door: what all of them owe to whoever measures them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import contract
from harness.encoder import Encoder, embed_batch, load
from harness.targets import ALIASES
from tests.harness.encoders.rows import ROWS

OURS = {"tiny", "base", "0.6B", "1.2B", "melspec"}


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Row → spec of tiny random weights in the published form."""
    folder = tmp_path_factory.mktemp("checkpoints")
    found = {}
    for name, row in ROWS.items():
        own = folder / name.rstrip(":")
        own.mkdir()
        found[name] = f"{row.opens}:{row.write(own, tiny=True)}"
    return found


@pytest.fixture(scope="module")
def encoders(specs: dict[str, str]) -> dict[str, Encoder]:
    return {name: load(spec, "cpu") for name, spec in specs.items()}


def noise(seed: int, samples: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def test_every_alias_has_a_checkpoint_to_try() -> None:
    assert set(ALIASES) == OURS | {name for name in ROWS if not name.endswith(":")}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_keeps_the_api(name: str, specs: dict[str, str]) -> None:
    report = contract.validate(specs[name], "cpu")
    assert report.ok, "\n".join(report.lines())


@pytest.mark.parametrize("name", ROWS)
@settings(deadline=None, max_examples=5)
@given(data=st.data())
def test_an_embedding_depends_on_its_clip_alone(
    name: str, data: st.DataObject, encoders: dict[str, Encoder]
) -> None:
    encoder = encoders[name]
    lengths = data.draw(st.lists(st.integers(1, 40000), min_size=2, max_size=4))
    if not encoder.ragged:
        lengths = [lengths[0]] * len(lengths)
    lengths = [max(length, encoder.minimum_samples) for length in lengths]
    clips = [noise(seed, length) for seed, length in enumerate(lengths)]
    scales = data.draw(st.lists(st.sampled_from([0.0, 1e-4, 1.0, 10.0]), min_size=4, max_size=4))
    clips = [clip * np.float32(scale) for clip, scale in zip(clips, scales, strict=False)]
    batch = np.full((len(clips), max(lengths)), np.nan, dtype=np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    together = embed_batch(encoder, batch, np.array(lengths) if encoder.ragged else None)
    for clip, found in zip(clips, together, strict=True):
        alone = embed_batch(encoder, clip[None])[0]
        assert np.isfinite(alone).all()
        assert np.abs(found - alone).max() <= 1e-5 * np.abs(alone).max() + 1e-7


@pytest.mark.parametrize("name", ROWS)
def test_the_same_file_gives_the_same_bytes(
    name: str, specs: dict[str, str], encoders: dict[str, Encoder]
) -> None:
    again = load(specs[name], "cpu")
    assert again.weights_sha256 == encoders[name].weights_sha256
    assert again.canary == encoders[name].canary
    clip = noise(0, 20000)[None]
    assert np.array_equal(embed_batch(again, clip), embed_batch(encoders[name], clip))


@pytest.mark.parametrize("name", ROWS)
def test_half_precision_stays_near(name: str, encoders: dict[str, Encoder]) -> None:
    encoder, clip = encoders[name], noise(0, 32000)[None]
    exact = embed_batch(encoder, clip)[0]
    with torch.autocast("cpu", torch.bfloat16):
        near = embed_batch(encoder, clip)[0]
    cosine = near @ exact / np.linalg.norm(near) / np.linalg.norm(exact)
    assert cosine > 0.97


@pytest.mark.parametrize("name", ROWS)
def test_long_audio_stays_on_one_grid(name: str, encoders: dict[str, Encoder]) -> None:
    encoder = encoders[name]
    audio = torch.from_numpy(noise(0, 70 * 16000))[None]
    found, times = encoder.module.get_timestamp_embeddings(audio, encoder.model)
    assert found.shape[:2] == times.shape
    assert found.isfinite().all()
    steps = times[0].diff()
    assert float((steps - steps.mean()).abs().max()) < 0.02  # float32 at 70,000 ms
    assert times[0, -1] < 70_000
    assert 70_000 - times[0, -1] < 2 * steps.mean()


@pytest.mark.validator
@pytest.mark.parametrize("name", ROWS)
def test_official_validator(name: str, specs: dict[str, str]) -> None:
    checkpoint = specs[name].partition(":")[2]
    program = str(Path(sys.executable).with_name("hear-validator"))
    command = [program, ROWS[name].module, "-m", checkpoint]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("Looks good!")
