"""Embeddings depend on the clip alone, are computed once, and survive interruptions."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import tasks
from harness import shards as module
from harness.audio import BadAudio
from harness.cache import Cache
from harness.embed import Embeddings, Settings, embed
from harness.encoder import Encoder, load
from harness.errors import UserError
from tasks.prepare import Index, prepare
from tests.harness import plain_hear

RATE = 16000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 noises of 10 lengths, some below the encoder's minimum, in the layout of fsdd."""
    recordings = tmp_path / "data" / "fsdd" / "recordings"
    recordings.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(40):
        length = [300, 480, 481, 1000, 1001, 1002, 4000, 8000, 8001, 16000][number % 10]
        clip = random.normal(size=length) * 10.0 ** random.uniform(-4, -1)
        soundfile.write(recordings / f"{number % 2}_ann_{number}.wav", clip, RATE, subtype="FLOAT")
    return tmp_path / "data"


@pytest.fixture
def index(folder: Path, tmp_path: Path) -> Index:
    task = replace(tasks.load("fsdd"), expected={"train": 35, "test": 5}, classes=2)

    def never(*_: object) -> Path:
        raise AssertionError("nothing to download")

    return prepare(task, folder, index=tmp_path / "index", fetch=never)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_CLIPS", 12)


@pytest.fixture(scope="session")
def melspec() -> Encoder:
    return load("harness.encoders.melspec", "cpu")


@pytest.fixture(scope="session")
def plain() -> Encoder:
    return load("tests.harness.plain_hear", "cpu")


def silent(done: float, total: float) -> None:
    assert 0 <= done <= total + 1e-9


Measure = Callable[..., Embeddings]


@pytest.fixture
def measure(index: Index, tmp_path: Path) -> Measure:
    def run(encoder: Encoder, cache: str = "cache", **settings: object) -> Embeddings:
        return embed(index, encoder, Cache(tmp_path / cache), Settings(**settings), silent)  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize("batch_seconds", [0.001, 0.3, 2.0, 100.0])
@pytest.mark.parametrize("workers", [1, 4])
def test_batching_and_workers_change_nothing(
    measure: Measure, melspec: Encoder, batch_seconds: float, workers: int
) -> None:
    alone = measure(melspec, cache="alone", batch_seconds=1e-9, workers=1)
    batched = measure(melspec, batch_seconds=batch_seconds, workers=workers)
    np.testing.assert_allclose(batched.values, alone.values, rtol=1e-5)
    assert batched.padded == 4
    assert list(batched.kept) == list(range(40))


def test_rows_are_in_the_order_of_the_index(
    measure: Measure, melspec: Encoder, index: Index
) -> None:
    values = measure(melspec).values
    for row in (0, 7, 39):
        audio, _ = soundfile.read(index.clips["path"].iloc[row], dtype="float32")
        expected = melspec.module.get_scene_embeddings(torch.from_numpy(audio)[None], melspec.model)
        np.testing.assert_allclose(values[row], expected[0].numpy(), rtol=1e-5)


def test_a_module_without_lengths_gets_equal_lengths_only(measure: Measure, plain: Encoder) -> None:
    plain_hear.calls.clear()
    measure(plain)
    assert sum(batch for batch, _ in plain_hear.calls) == 40
    assert {length for _, length in plain_hear.calls} == {
        *(300, 480, 481, 1000, 1001, 1002, 4000, 8000, 8001, 16000)
    }
    assert max(batch for batch, _ in plain_hear.calls) == 4


def test_second_run_computes_and_decodes_nothing(
    measure: Measure, melspec: Encoder, folder: Path
) -> None:
    first = measure(melspec)
    shutil.rmtree(folder)
    second = measure(melspec)
    assert (first.computed, second.computed) == (40, 0)
    assert first.values.tobytes() == second.values.tobytes()
    assert second.padded == first.padded


def test_only_missing_and_damaged_shards_are_computed(
    measure: Measure, melspec: Encoder, tmp_path: Path
) -> None:
    first = measure(melspec)
    shards = sorted(tmp_path.glob("cache/embeddings/*/*/*.safetensors"))
    assert len(shards) == 4
    shards[1].unlink()
    shards[2].write_bytes(shards[2].read_bytes()[:-1] + b"\x55")
    again = measure(melspec)
    assert again.computed == 24
    assert again.values.tobytes() == first.values.tobytes()


def test_weights_and_precision_have_their_own_entries(measure: Measure, melspec: Encoder) -> None:
    measure(melspec)
    assert measure(replace(melspec, weights_sha256="other")).computed == 40
    assert measure(replace(melspec, canary=("1", "2", "3", "4"))).computed == 40
    assert measure(melspec, precision="bf16").computed == 40
    assert measure(melspec).computed == 0


def test_shards_of_clips_in_another_order_are_not_taken(
    index: Index, melspec: Encoder, tmp_path: Path
) -> None:
    """As when a later libsndfile tells other lengths of the same files."""
    cache = Cache(tmp_path / "cache")
    first = embed(index, melspec, cache, Settings(), silent)
    told = index.clips.assign(frames=index.clips["frames"].to_numpy()[::-1])
    again = embed(replace(index, clips=told), melspec, cache, Settings(), silent)
    np.testing.assert_allclose(again.values, first.values, rtol=1e-5)


def test_an_interrupted_run_resumes(
    measure: Measure, melspec: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measure(melspec, cache="other")
    real, calls = module.embed_batch, []

    def breaks(*arguments: object) -> np.ndarray:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "embed_batch", breaks)
    with pytest.raises(KeyboardInterrupt):
        measure(melspec)
    monkeypatch.setattr(module, "embed_batch", real)
    resumed = measure(melspec)
    assert 0 < resumed.computed < 40
    assert resumed.values.tobytes() == whole.values.tobytes()


@pytest.fixture
def bad_clip(folder: Path) -> Path:
    file = folder / "fsdd" / "recordings" / "1_ann_7.wav"
    file.write_bytes(b"not audio")
    return file


def test_bad_clip_is_named(bad_clip: Path, measure: Measure, melspec: Encoder) -> None:
    with pytest.raises(BadAudio, match=r"1_ann_7\.wav"):
        measure(melspec)


def test_bad_clip_is_left_out_on_request(
    bad_clip: Path, measure: Measure, melspec: Encoder
) -> None:
    good = measure(melspec, skip_bad=True)
    assert list(good.skipped) == ["1_ann_7"]
    assert good.values.shape == (39, 64)
    assert np.isfinite(good.values).all()
    assert measure(melspec, skip_bad=True).computed == 4  # its shard is tried again
    with pytest.raises(BadAudio, match=r"1_ann_7\.wav: expected .*; restore the file, or "):
        measure(melspec)


@pytest.mark.parametrize("bad", [[0], [39], [3, 4, 20], list(range(0, 40, 2))])
def test_clips_left_out_leave_no_gap(
    bad: list[int], measure: Measure, melspec: Encoder, index: Index
) -> None:
    whole = measure(melspec, cache="whole")
    for row in bad:
        Path(index.clips["path"].iloc[row]).write_bytes(b"not audio")
    left = measure(melspec, skip_bad=True)
    kept = np.setdiff1d(np.arange(40), bad)
    np.testing.assert_array_equal(left.kept, kept)
    np.testing.assert_allclose(left.values, whole.values[kept], rtol=1e-5)
    assert list(left.skipped) == [index.clips["id"].iloc[row] for row in bad]


def test_embedding_that_is_not_finite_names_the_clip(
    measure: Measure, plain: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "embed_batch", lambda e, audio, _: np.full((len(audio), 4), np.nan, np.float32)
    )
    with pytest.raises(UserError, match=r"\.wav: expected a finite embedding"):
        measure(plain)
