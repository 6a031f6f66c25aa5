"""Timestamp embeddings through shards and cache: true, complete, resumed, and scenes untouched."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from dasheng.blocks import EncoderConfig
from harness import shards as module
from harness.audio import BadAudio
from harness.cache import Cache
from harness.embed import Embeddings, Settings, embed
from harness.encoder import Encoder, load
from harness.errors import UserError
from tasks.prepare import Index
from tests.dasheng.miniature import miniature, write_published
from tests.harness import plain_hear
from tests.harness.clips import RATE, click, index_of, noise, prepare_clips

ROOT = Path(__file__).parent.parent.parent
LENGTHS = (300, 480, 700, 8000, 8000, 8000, 16000, 16000, 19999, 52000)
ROWS = [1 + max(480, length) // 160 for length in LENGTHS]  # of melspec


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """Ten clips, of which some share a length, with a click each; a shard is of three."""
    clips = {f"{n}": click(length, 31 * n + 7) for n, length in enumerate(LENGTHS)}
    return index_of(tmp_path, clips, timestamps=True)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_CLIPS", 3)


@pytest.fixture(scope="module")
def melspec() -> Encoder:
    return load("melspec", "cpu")


Measure = Callable[..., Embeddings]


@pytest.fixture
def measure(index: Index, tmp_path: Path) -> Measure:
    def run(encoder: Encoder, cache: str = "cache", **settings: Any) -> Embeddings:
        again = prepare_clips(tmp_path, timestamps=True) if settings.get("skip_bad") else index
        return embed(again, encoder, Cache(tmp_path / cache), Settings(**settings), silent)

    return run


def silent(done: float, total: float) -> None:
    assert 0 <= done <= total + 1e-9


def rows_of(found: Embeddings, clip: int) -> slice:
    return slice(found.offsets[clip], found.offsets[clip + 1])


def test_each_clip_has_its_own_rows(measure: Measure, melspec: Encoder, index: Index) -> None:
    found = measure(melspec)
    assert (found.values.dtype, found.times.dtype) == (np.float32, np.float64)
    assert np.diff(found.offsets).tolist() == ROWS
    assert found.values.shape == (sum(ROWS), 64)
    assert found.kept.tolist() == list(range(10))
    assert found.padded == 1
    for clip, length in enumerate(LENGTHS):
        audio, _ = soundfile.read(index.clips["path"].iloc[clip], dtype="float32")
        alone = torch.from_numpy(audio)[None]
        expected, times = melspec.module.get_timestamp_embeddings(alone, melspec.model)
        rows = rows_of(found, clip)
        np.testing.assert_allclose(found.values[rows], expected[0], rtol=1e-5, atol=1e-4)
        np.testing.assert_array_equal(found.times[rows], times[0])
        loudest = found.times[rows][found.values[rows].mean(axis=1).argmax()]
        assert abs(loudest - 1000 * (31 * clip + 7) / RATE) <= 10, length


@pytest.mark.parametrize("batch_seconds", [0.001, 0.7, 100.0])
def test_batches_and_workers_change_nothing(
    measure: Measure, tmp_path: Path, batch_seconds: float
) -> None:
    encoder = load(str(write_published(miniature(), tmp_path / "mini.pt")), "cpu")
    alone = measure(encoder, cache="alone", batch_seconds=1e-9, workers=1)
    found = measure(encoder, batch_seconds=batch_seconds, workers=3)
    np.testing.assert_allclose(found.values, alone.values, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.offsets, alone.offsets)
    np.testing.assert_array_equal(found.times, alone.times)


def test_only_clips_of_one_length_meet(
    melspec: Encoder, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = []
    real = module.embed_timestamps

    def notes(encoder: Encoder, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        met.append(audio.shape)
        return real(encoder, audio)

    monkeypatch.setattr(module, "embed_timestamps", notes)
    measure(melspec)
    assert [length for n, length in met for _ in range(n)] == sorted(LENGTHS, reverse=True)
    assert max(n for n, _ in met) > 1


def test_scene_embeddings_have_an_entry_of_their_own(
    measure: Measure, melspec: Encoder, index: Index, tmp_path: Path
) -> None:
    measure(melspec)
    cache = Cache(tmp_path / "cache")
    whole = replace(index, task=replace(index.task, timestamps=False))
    scenes = embed(whole, melspec, cache, Settings(), silent)
    assert scenes.computed == 10
    assert scenes.values.shape == (10, 64)
    assert len(scenes.offsets) == len(scenes.times) == 0
    assert {entry.key["pooling"] for entry in cache.entries()} == {"scene", "timestamp"}
    (kept,) = [e.key["canary"] for e in cache.entries() if e.key["pooling"] == "scene"]
    assert tuple(kept) == melspec.canary
    assert measure(melspec).computed == 0


def test_second_run_computes_and_decodes_nothing(
    measure: Measure, melspec: Encoder, tmp_path: Path
) -> None:
    first = measure(melspec)
    shutil.rmtree(tmp_path / "clips")
    second = measure(melspec)
    assert (first.computed, second.computed) == (10, 0)
    for name in ("values", "offsets", "times", "kept"):
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))


def test_an_interrupted_run_resumes(
    measure: Measure, melspec: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of four shards are there when the run is killed."""
    whole = measure(melspec, cache="other")
    real, calls = module._embed_moments, []

    def breaks(*arguments: Any) -> object:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(module, "_embed_moments", breaks)
    with pytest.raises(KeyboardInterrupt):
        measure(melspec)
    monkeypatch.setattr(module, "_embed_moments", real)
    resumed = measure(melspec)
    assert resumed.computed == 4
    np.testing.assert_array_equal(resumed.values, whole.values)
    np.testing.assert_array_equal(resumed.times, whole.times)


def test_only_missing_and_damaged_shards_are_computed(
    measure: Measure, melspec: Encoder, tmp_path: Path
) -> None:
    first = measure(melspec)
    files = sorted(tmp_path.glob("cache/embeddings/*/*/*.safetensors"))
    assert len(files) == 4
    files[0].unlink()
    files[2].write_bytes(files[2].read_bytes()[:-1] + b"\x55")
    again = measure(melspec)
    assert again.computed == 6
    np.testing.assert_array_equal(again.values, first.values)


def test_a_shard_lost_before_it_is_read_again(
    measure: Measure, melspec: Encoder, index: Index, tmp_path: Path
) -> None:
    """The cache is emptied by somebody else while a run fills it."""

    def empty(done: float, total: float) -> None:
        if done == total:
            for file in tmp_path.glob("cache/embeddings/*/*/*.safetensors"):
                file.unlink()

    with pytest.raises(UserError, match="shard 0 lost or damaged; run again"):
        embed(index, melspec, Cache(tmp_path / "cache"), Settings(), empty)


@pytest.mark.parametrize("bad", [[0], [9], [2, 4, 5], list(range(10))])
def test_bad_clips_are_left_out_on_request(
    bad: list[int], measure: Measure, melspec: Encoder, tmp_path: Path
) -> None:
    whole = measure(melspec, cache="whole")
    for clip in bad:
        (tmp_path / "clips" / f"{clip}.wav").write_bytes(b"not audio")
    left = measure(melspec, skip_bad=True)
    assert left.kept.tolist() == [clip for clip in range(10) if clip not in bad]
    assert list(left.skipped) == [str(clip) for clip in bad]
    for number, clip in enumerate(left.kept):
        np.testing.assert_allclose(
            left.values[rows_of(left, number)], whole.values[rows_of(whole, clip)], rtol=1e-5
        )
    assert left.offsets[-1] == len(left.values) == len(left.times)
    with pytest.raises(BadAudio, match=r"\d\.wav"):
        measure(melspec)


def planted(melspec: Encoder, change: Callable[..., Any]) -> Encoder:
    odd: Any = ModuleType("odd_hear")
    odd.get_timestamp_embeddings = lambda audio, model: change(
        *melspec.module.get_timestamp_embeddings(audio, model)
    )
    return replace(melspec, module=odd)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e, t: (e * torch.nan if e.shape[1] == 125 else e, t), "finite embeddings"),
        (lambda e, t: (e, t.flip(1) if e.shape[1] == 125 else t), "order of time"),
        (lambda e, t: (e, t + 30.0 * (e.shape[1] == 125)), "within the clip, 0 to 1249.94 ms"),
        (lambda e, t: (e, t[:, 1:] if e.shape[1] == 125 else t), "must return timestamps"),
    ],
)
def test_a_fault_names_the_clip_and_the_module(
    change: Callable[..., Any], words: str, measure: Measure, melspec: Encoder
) -> None:
    """A fault for 8.wav alone."""
    with pytest.raises(UserError) as caught:
        measure(planted(melspec, change))
    line = str(caught.value)
    assert words in line
    assert "8.wav" in line
    assert "odd_hear" in line
    assert "\n" not in line


def test_a_module_as_most_are(measure: Measure, index: Index, tmp_path: Path) -> None:
    """No lengths, no minimum, frames that do not reach the end."""
    clips = {"a": click(8000, 100), "b": click(1300, 100)}
    few = index_of(tmp_path / "few", clips, timestamps=True)
    plain = load("tests.harness.plain_hear", "cpu")
    found = embed(few, plain, Cache(tmp_path / "cache"), Settings(), silent)
    assert np.diff(found.offsets).tolist() == [12, 2]
    assert found.times[rows_of(found, 1)].tolist() == [20.0, 60.0]
    assert found.values.shape == (14, plain_hear.Plain.timestamp_embedding_size)


def test_ten_minutes_at_48_khz_stay_in_2_gb(tmp_path: Path) -> None:
    """With weights of the shape of the base; the whole process, PyTorch included."""
    weights = write_published(miniature(EncoderConfig()), tmp_path / "base.pt")
    (tmp_path / "clips").mkdir()
    minute = noise(60 * 48000)[:, None].repeat(2, axis=1)
    with soundfile.SoundFile(tmp_path / "clips" / "long.wav", "w", 48000, 2, "PCM_16") as file:
        for _ in range(10):
            file.write(minute)
    command = [sys.executable, "-m", "tests.harness.long_clip", str(tmp_path), str(weights)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found = json.loads(done.stdout)
    assert found["rows"] == 15000
    assert found["last"] == 599_975
    assert found["peak"] < 2e9
