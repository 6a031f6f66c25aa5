"""Batches by worker processes: the same from any position on, and of all data."""

import json
import multiprocessing
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dasheng.train.augment import augment
from dasheng.train.augment import settings as augment_settings
from dasheng.train.batches import TrainingBatches, validation_batches
from dasheng.train.config import TrainConfig
from tasks.errors import UserError
from tests.dasheng.train.shards_of import constant, shard

SAMPLES = 1600


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Five shards of seven clips of 1 to 5 crops; each clip a value of its own, 1 to 35."""
    folder = tmp_path_factory.mktemp("shards")
    for n in range(5):
        clips = {n * 7 + m + 1: 1 + (n * 7 + m + 1) % 5 for m in range(7)}
        members = {f"{v}.flac": constant(v, crops * SAMPLES) for v, crops in clips.items()}
        shard(folder / f"{n}.tar", members)
    return f"{folder}/{{0..4}}.tar"


def config(*shards: str, **more: Any) -> TrainConfig:
    usual: dict[str, Any] = {"num_workers": 0, "batch_size": 4, "crop_shuffle": 10}
    chosen = usual | {"chunk_length": 0.1, "cv_data": shards} | more
    return TrainConfig(train_data=shards, **chosen)


def taken(batches: TrainingBatches, count: int) -> list[np.ndarray]:
    return [next(batches).numpy().copy() for _ in range(count)]


def values(audio: torch.Tensor) -> list[int]:
    return (audio[:, 0] * 1024).round().int().tolist()


def test_a_batch_is_float32_crops(shards: str) -> None:
    audio = next(TrainingBatches(config(shards)))
    assert (audio.shape, audio.dtype, audio.device.type) == ((4, SAMPLES), torch.float32, "cpu")
    assert len(set(values(audio))) > 1


@settings(deadline=None, max_examples=15)
@given(before=st.integers(0, 40), resampled=st.booleans(), rank=st.integers(0, 1))
def test_a_run_goes_on_from_any_position_to_the_bit(
    shards: str, before: int, resampled: bool, rank: int
) -> None:
    goes_on(config(shards, resampled=resampled, augment=AUGMENT), before, rank)


@pytest.mark.parametrize(("workers", "before"), [(1, 9), (2, 0), (2, 13), (3, 11)])
def test_a_run_of_several_workers_goes_on_to_the_bit(
    shards: str, workers: int, before: int
) -> None:
    goes_on(config(shards, num_workers=workers, augment=AUGMENT), before, rank=1)


AUGMENT = {"gain_db": [-6, 6], "mix": 0.5, "synthetic": 0.1}


def goes_on(chosen: TrainConfig, before: int, rank: int) -> None:
    whole = TrainingBatches(chosen, rank=rank, world=2)
    taken(whole, before)
    position = json.loads(json.dumps(whole.position))
    expected = taken(whole, 7)
    whole.close()
    resumed = TrainingBatches(chosen, rank=rank, world=2, position=position)
    assert resumed.position == position
    np.testing.assert_array_equal(taken(resumed, 7), expected)
    assert resumed.position == whole.position
    assert (resumed.read, resumed.bad) == (whole.read, whole.bad)
    resumed.close()


def test_closed_batches_go_on_where_they_are(shards: str) -> None:
    batches, other = (TrainingBatches(config(shards, num_workers=1)) for _ in range(2))
    taken(batches, 3)
    batches.close()
    found, expected = taken(batches, 1), taken(other, 4)[3:]
    batches.close()
    other.close()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("world", "workers"), [(1, 0), (1, 3), (2, 0), (3, 2), (8, 0)])
def test_validation_is_all_crops_once_over_all_processes(
    shards: str, world: int, workers: int
) -> None:
    seen: list[Counter[int]] = []
    for rank in range(world):
        batches = validation_batches(
            config(shards, num_workers=workers, augment={"mix": 1.0}), rank=rank, world=world
        )
        seen.append(Counter(value for audio in batches for value in values(audio)))
    assert sum(len(one) for one in seen) == 35  # no clip on two processes
    assert sum(seen, Counter()) == Counter({v: 1 + v % 5 for v in range(1, 36)})


@pytest.mark.parametrize("resampled", [False, True])
@pytest.mark.parametrize(("world", "workers"), [(1, 2), (2, 1), (8, 0)])
def test_what_processes_train_on_does_not_overlap(
    shards: str, world: int, workers: int, resampled: bool
) -> None:
    seen: set[int] = set()
    chosen = config(shards, num_workers=workers, resampled=resampled)
    for rank in range(world):
        batches = TrainingBatches(chosen, rank=rank, world=world)
        mine = {value for _ in range(40) for value in values(next(batches))}
        batches.close()
        assert not mine & seen
        seen |= mine
    assert seen == set(range(1, 36)) or resampled


def test_readers_without_a_clip_are_passed_over(tmp_path: Path) -> None:
    file = shard(tmp_path / "s.tar", {f"{v}.flac": constant(v, 3200) for v in (1, 2)})
    chosen = config(file, num_workers=3)
    batches = TrainingBatches(chosen)
    assert {value for _ in range(4) for value in values(next(batches))} == {1, 2}
    position = batches.position
    expected = taken(batches, 3)
    batches.close()
    resumed = TrainingBatches(chosen, position=position)
    np.testing.assert_array_equal(taken(resumed, 3), expected)
    resumed.close()
    with pytest.raises(UserError, match="found none for process 3 of 4"):
        next(TrainingBatches(config(file), rank=3, world=4))
    assert list(validation_batches(config(file), rank=3, world=4)) == []


def test_augmentation_depends_on_the_batch_alone(shards: str) -> None:
    plain = taken(TrainingBatches(config(shards)), 3)
    louder = {"gain_db": [-6.0, 6.0]}
    augmented = taken(TrainingBatches(config(shards, augment=louder)), 3)
    gains = [a[:, 0] / p[:, 0] for a, p in zip(augmented, plain, strict=True)]
    assert all(0.5 < gain < 2 for batch in gains for gain in batch)
    assert len({round(float(gain), 6) for batch in gains for gain in batch}) == 12
    chosen = augment_settings(louder)
    assert chosen is not None
    rng = np.random.default_rng([42, 2, 0, 1])
    np.testing.assert_array_equal(augment(plain[1], rng, chosen), augmented[1])


def test_random_numbers_of_others_are_not_drawn(shards: str) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    batches = TrainingBatches(config(shards, num_workers=1))
    next(batches)
    batches.close()
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()


def test_missing_shards_are_found_at_the_start(shards: str, tmp_path: Path) -> None:
    for given_shards in [{"train_data": (f"{tmp_path}/{{0..8}}.tar",)}, {"cv_data": ("no.tar",)}]:
        chosen = TrainConfig(**({"train_data": (shards,)} | given_shards))
        with pytest.raises(UserError, match=r"^(train|cv)_data: expected [19] shards.*not found"):
            TrainingBatches(chosen)


def test_a_mistake_in_augment_is_found_at_the_start(shards: str) -> None:
    with pytest.raises(UserError, match=r"augment\.mix"):
        TrainingBatches(config(shards, augment={"mix": 2}))


def test_validation_data_without_audio_are_told_before_training(
    shards: str, tmp_path: Path
) -> None:
    labels = shard(tmp_path / "labels.tar", {"a.json": b"{}"})
    with pytest.raises(UserError, match=r"^expected audio .* cv_data, found none[^\n]*$"):
        TrainingBatches(config(shards, cv_data=(labels,)))


@pytest.mark.parametrize("workers", [0, 2])
def test_data_without_audio_are_told_in_one_line(tmp_path: Path, workers: int) -> None:
    labels = shard(tmp_path / "labels.tar", {"a.json": b"{}", "b.txt": b""})
    text = tmp_path / "text.tar"
    text.write_text("a list of files\n" * 99)
    for file in (labels, str(text)):
        with pytest.raises(UserError, match=r"^expected audio .* train_data, found none[^\n]*$"):
            next(TrainingBatches(config(file, num_workers=workers, cv_data=())))
        with pytest.raises(UserError, match=r"^expected audio .* cv_data, found none[^\n]*$"):
            next(validation_batches(config(file, num_workers=workers)))


@pytest.mark.parametrize("workers", [0, 2])
def test_bad_members_are_counted_and_bounded(tmp_path: Path, workers: int) -> None:
    good = {f"{n}.flac": constant(n + 1, 1600) for n in range(60)}
    bad = {f"bad{n}.wav": b"damaged" for n in range(4)}
    few = shard(tmp_path / "few.tar", good | bad)
    batches = TrainingBatches(config(few, num_workers=workers, crop_shuffle=64))
    taken(batches, 4)
    batches.close()
    assert 1 <= batches.bad < batches.read
    assert all(reason.startswith(f"{few}: bad") for reason in batches.reasons)
    assert not multiprocessing.active_children()
    many = shard(tmp_path / "many.tar", {f"{n}.wav": b"damaged" for n in range(99)} | good)
    with pytest.raises(UserError, match=r"^expected at most 10% of the files[^\n]*$"):
        taken(TrainingBatches(config(many, num_workers=workers)), 99)
    assert not multiprocessing.active_children()


def test_another_number_of_workers_is_refused(shards: str) -> None:
    batches = TrainingBatches(config(shards))
    next(batches)
    for more, world in [({"num_workers": 2}, 1), ({}, 2)]:
        with pytest.raises(UserError, match="num_workers and the number of processes"):
            TrainingBatches(config(shards, **more), world=world, position=batches.position)
