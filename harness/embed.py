"""Clips → embeddings: computed once, kept in the cache shard by shard.

A task that is judged clip by clip has one row per clip; one that is judged by its events
has timestamp embeddings, a row per moment. Each shard is written as soon as it is computed:
a run that is killed loses one shard at most.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness import timestamps
from harness.cache import Cache, Entry, Shard
from harness.encoder import Encoder
from harness.errors import UserError
from harness.gather import Scenes, Timestamps
from harness.shards import Settings, compute, plan_shards
from harness.timeline import NO_TIMES
from tasks.prepare import Index

PIPELINE_VERSION = 1  # bump when the same clip and weights come to another embedding

Progress = Callable[[float, float], None]  # seconds of audio done, seconds in all


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """What a protocol measures.

    Attributes:
        values: (kept, D) float32 scene embeddings, in the index's order; or (F, D) float32
            timestamp embeddings, of one clip after the other in that order.
        offsets: (kept + 1,) int64; rows offsets[i]:offsets[i + 1] are those of clip kept[i].
            Empty for scene embeddings, as are the times.
        times: (F,) float64, when each row is, ms from the start of its clip.
        kept: (kept,) int64 positions in the index of the clips that could be measured.
        skipped: clip id → reason.
        padded: clips shorter than the encoder's minimum, zero-padded to it.
        audio_seconds: length of all clips, s.
        seconds: wall time, s.
        computed: clips that were not in the cache.
        computed_seconds: their length, s.
    """

    values: np.ndarray
    offsets: np.ndarray = field(default_factory=lambda: NO_TIMES.offsets)
    times: np.ndarray = field(default_factory=lambda: NO_TIMES.times)
    kept: np.ndarray
    skipped: dict[str, str]
    padded: int
    audio_seconds: float
    seconds: float
    computed: int
    computed_seconds: float


def embed(
    index: Index, encoder: Encoder, cache: Cache, settings: Settings, progress: Progress
) -> Embeddings:
    """The scene embedding of every clip of a task, or its timestamp embeddings.

    Raises:
        BadAudio: a clip cannot be measured and `settings.skip_bad` is off.
        UserError: the encoder gave what cannot be used (a number that is not finite, times
            outside of a clip); names the clip. Or the cache lost what it had been given.
        OSError: the cache cannot be written.
    """
    start = time.perf_counter()
    durations = (index.clips["frames"] / index.clips["sample_rate"].clip(lower=1)).to_numpy()
    plan = plan_shards(index.clips["id"].to_numpy(dtype=str), durations)
    seconds = [float(durations[clips].sum()) for clips in plan]
    total = sum(seconds)
    entry = cache.entry(encoder.name, _key(index, encoder, settings, plan))
    kind = Timestamps if index.task.timestamps else Scenes
    gathered = kind(len(durations), _size(index, encoder))
    missing = []
    for number, clips in enumerate(plan):
        shard = entry.read(number, len(clips))
        # A clip that was skipped is tried again: what kept it from being read may be mended.
        if shard is None or shard.skipped:
            missing.append(number)
        else:
            gathered.add(clips, shard)
    computed_seconds = float(sum(seconds[number] for number in missing))
    done = total - computed_seconds
    progress(done, total)
    for number, shard in compute(index, encoder, settings, plan, missing):
        entry.write(number, shard)
        gathered.add(plan[number], shard)
        done += seconds[number]
        progress(done, total)
    if entry.rows is None or missing:
        entry.finish([len(clips) for clips in plan])
    values, timeline = gathered.finish(lambda: _again(entry, plan))
    ids = index.clips["id"]
    return Embeddings(
        values=values,
        offsets=timeline.offsets,
        times=timeline.times,
        kept=gathered.kept(),
        skipped={ids.iloc[row]: why for row, why in sorted(gathered.skipped.items())},
        padded=gathered.padded,
        audio_seconds=total,
        seconds=time.perf_counter() - start,
        computed=sum(len(plan[number]) for number in missing),
        computed_seconds=computed_seconds,
    )


def _again(entry: Entry, plan: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, Shard]]:
    """Every shard, from the cache."""
    for number, clips in enumerate(plan):
        shard = entry.read(number, len(clips))
        if shard is None:
            raise UserError(
                f"expected in {entry.folder} the embeddings that were there a moment ago, found "
                f"shard {number} lost or damaged; run again, and see to that disk if it recurs"
            )
        yield clips, shard


def _size(index: Index, encoder: Encoder) -> int:
    return encoder.timestamp_embedding_size if index.task.timestamps else encoder.embedding_size


def _key(
    index: Index, encoder: Encoder, settings: Settings, plan: Sequence[np.ndarray]
) -> dict[str, object]:
    moments = index.task.timestamps
    return {
        "pipeline": PIPELINE_VERSION,
        "model": encoder.name,
        "weights_sha256": encoder.weights_sha256,
        **({"code_sha256": encoder.code_sha256} if encoder.code_sha256 else {}),
        "canary": (*encoder.canary, *(timestamps.canary(encoder) if moments else ())),
        "sample_rate": encoder.sample_rate,
        "embedding_size": _size(index, encoder),
        "pooling": "timestamp" if moments else "scene",
        "precision": settings.precision,
        "dataset": index.task.dataset,
        "audio_sha256": index.audio_sha256(),
        "shards_sha256": _sha256(plan),
    }


def _sha256(plan: Sequence[np.ndarray]) -> str:
    """Which clips are in which shard."""
    digest = hashlib.sha256()
    for clips in plan:
        digest.update(f"{clips.tolist()}\n".encode())
    return digest.hexdigest()
