"""Clips → shards of embeddings: decoded ahead, batched, embedded.

A shard is a run of clips of nearly one length, so batches waste no padding. While
the encoder works on one shard, threads decode the next two.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from harness.audio import BadAudio, Decoded, Decoder
from harness.cache import Shard
from harness.encoder import Encoder, embed_batch
from harness.errors import UserError
from harness.timeline import Timeline
from harness.timestamps import clip_fault, embed_timestamps
from tasks.archive import Place
from tasks.prepare import Index

SHARD_SECONDS = 300.0  # audio a kill can lose: 11 s of work for `base` on two CPU cores
SHARD_CLIPS = 1024
LOOKAHEAD = 2  # shards decoded ahead of the encoder

PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}

Audio = Mapping[int, np.ndarray]  # position in the shard → samples of a clip, skipped ones left out


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How embeddings are computed; only `precision` can change a number beyond noise."""

    precision: str = "float32"
    batch_seconds: float = 64.0
    workers: int = 2
    skip_bad: bool = False


def plan_shards(ids: np.ndarray, durations: np.ndarray) -> list[np.ndarray]:
    """Clip positions per shard, longest clips first: what does not fit in memory fails at once."""
    order = np.lexsort((ids, -durations))
    plan: list[np.ndarray] = []
    start, seconds = 0, 0.0
    for stop, position in enumerate(order):
        if stop > start and (seconds >= SHARD_SECONDS or stop - start >= SHARD_CLIPS):
            plan.append(order[start:stop])
            start, seconds = stop, 0.0
        seconds += durations[position]
    return [*plan, order[start:]]


def compute(
    index: Index,
    encoder: Encoder,
    settings: Settings,
    plan: Sequence[np.ndarray],
    missing: Sequence[int],
) -> Iterator[tuple[int, Shard]]:
    """The missing shards of a plan, one after the other, with their numbers.

    Raises BadAudio and UserError as `harness.embed.embed` does.
    """
    places = index.places() if missing else []
    embed = _embed_moments if index.task.timestamps else _embed_scenes
    ahead: dict[int, Decoded] = {}
    # One autocast context for all batches: it casts each weight once, not once a batch.
    with Decoder(encoder.sample_rate, settings.workers) as decoder, _autocast(encoder, settings):
        for turn, number in enumerate(missing):
            for soon in missing[turn : turn + 1 + LOOKAHEAD]:
                if soon not in ahead:
                    ahead[soon] = decoder.start([places[clip] for clip in plan[soon]])
            clips = [places[clip] for clip in plan[number]]
            yield number, embed(encoder, settings, clips, ahead.pop(number))


def _autocast(encoder: Encoder, settings: Settings) -> AbstractContextManager[object]:
    dtype = PRECISIONS[settings.precision]
    return nullcontext() if dtype is None else torch.autocast(encoder.device.type, dtype)


def _heard(decoded: Decoded, settings: Settings) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """The clips that could be decoded, and why the others could not."""
    audio: dict[int, np.ndarray] = {}
    skipped: dict[int, str] = {}
    for row, clip in enumerate(decoded):
        if not isinstance(clip, BadAudio):
            audio[row] = clip
        elif settings.skip_bad:
            skipped[row] = str(clip)
        else:
            raise BadAudio(f"{clip}; restore the file, or leave it out with --skip-bad")
    return audio, skipped


def _embed_scenes(
    encoder: Encoder, settings: Settings, places: Sequence[Place], decoded: Decoded
) -> Shard:
    audio, skipped = _heard(decoded, settings)
    values = np.full((len(places), encoder.embedding_size), np.nan, dtype=np.float32)
    for rows in _batches(audio, settings.batch_seconds * encoder.sample_rate, encoder.ragged):
        batch, lengths = _stacked([audio[row] for row in rows])
        values[rows] = embed_batch(encoder, batch, lengths)
        for row in rows:
            if not np.isfinite(values[row]).all():
                raise UserError(
                    f"{places[row]}: expected a finite embedding, found NaN or infinity "
                    f"from model {encoder.name}; try --precision float32"
                )
    return Shard(values, skipped, _padded(audio, encoder))


def _embed_moments(
    encoder: Encoder, settings: Settings, places: Sequence[Place], decoded: Decoded
) -> Shard:
    audio, skipped = _heard(decoded, settings)
    values = [np.empty((0, encoder.timestamp_embedding_size), dtype=np.float32)] * len(places)
    times = [np.empty(0)] * len(places)
    # Only clips of one length meet: of a ragged batch the HEAR API does not say what is padding.
    for rows in _batches(audio, settings.batch_seconds * encoder.sample_rate, ragged=False):
        try:
            found, when = embed_timestamps(encoder, np.stack([audio[row] for row in rows]))
        except UserError as error:
            raise UserError(f"{places[rows[0]]}: {error}") from None
        samples = max(len(audio[rows[0]]), encoder.minimum_samples)
        for number, row in enumerate(rows):
            values[row], times[row] = found[number], when[number]
            fault = clip_fault(values[row], times[row], 1000 * samples / encoder.sample_rate)
            if fault:
                raise UserError(f"{places[row]}: {fault}, from {encoder.module.__name__}")
    return Shard(np.concatenate(values), skipped, _padded(audio, encoder), Timeline.of(times))


def _padded(audio: Audio, encoder: Encoder) -> int:
    return sum(len(clip) < encoder.minimum_samples for clip in audio.values())


def _batches(audio: Audio, limit: float, ragged: bool) -> Iterator[list[int]]:
    """Rows to embed together: at most `limit` samples with padding, or a single longer clip.

    Unless the encoder takes ragged batches (exactly), only clips of one length meet.
    """
    batch: list[int] = []
    for row in sorted(audio, key=lambda row: (-len(audio[row]), row)):
        longest = len(audio[batch[0]]) if batch else 0
        full = (len(batch) + 1) * longest > limit
        if batch and (full or (not ragged and len(audio[row]) != longest)):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _stacked(clips: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    """Clips as one batch (B, N), and their lengths (B,) int64 unless they are all equal."""
    lengths = np.array([len(clip) for clip in clips], dtype=np.int64)
    batch = np.zeros((len(clips), lengths.max()), dtype=np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    return batch, None if (lengths == lengths[0]).all() else lengths
