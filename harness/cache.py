"""Embeddings on disk: content-addressed, in shards, each written whole or not at all.

An entry belongs to a key: what the weights are, what the audio is, and how the
one became numbers. A file that lies there under another key can never be taken
for it. A shard carries a checksum of its numbers; one that is damaged is
treated as missing. `manifest.json`, written last, says that all shards are there.

A scene embedding is one row per clip. Of timestamp embeddings a clip has as many rows as
its encoder gave it, and a shard holds their timeline beside them.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from harness.files import write_atomically
from harness.timeline import NO_TIMES, Timeline


@dataclass(frozen=True)
class Shard:
    """Embeddings of some clips of a task.

    Attributes:
        values: (clips, embedding_size) float32, NaN in the rows of skipped clips; or, of
            timestamp embeddings, (moments, embedding_size): a skipped clip has none.
        skipped: position in the shard → why that clip could not be measured.
        padded: clips shorter than the encoder's minimum.
        timeline: when the moments are, NO_TIMES for scene embeddings.
    """

    values: np.ndarray
    skipped: dict[int, str]
    padded: int
    timeline: Timeline = NO_TIMES

    @property
    def clips(self) -> int:
        """How many clips it is of."""
        return len(self.values) if self.timeline is NO_TIMES else len(self.timeline.offsets) - 1

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All numbers, by the names that they have in the file."""
        moments = {} if self.timeline is NO_TIMES else vars(self.timeline)
        return {"values": self.values, **moments}


@dataclass(frozen=True)
class Entry:
    """One key's folder in the cache."""

    folder: Path

    def read(self, number: int, clips: int | None = None) -> Shard | None:
        """The shard, or None where it is missing, damaged or not of so many clips."""
        try:
            with safe_open(self._shard(number), framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                notes = file.metadata()
            if _sha256(arrays) != notes["sha256"]:
                return None
            skipped = {int(row): why for row, why in json.loads(notes["skipped"]).items()}
            values = arrays.pop("values")
            timeline = Timeline(**arrays) if arrays else NO_TIMES
            shard = Shard(values, skipped, int(notes["padded"]), timeline)
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return None
        return shard if clips in (None, shard.clips) else None

    def write(self, number: int, shard: Shard) -> None:
        """Store a shard; safe beside other writers of the same entry."""
        notes = {
            "sha256": _sha256(shard.arrays),
            "skipped": json.dumps({str(row): why for row, why in shard.skipped.items()}),
            "padded": str(shard.padded),
        }
        write_atomically(self._shard(number), save(shard.arrays, notes))

    def finish(self, rows: list[int]) -> None:
        """Write the manifest: every shard (of `rows[i]` clips) is there."""
        write_atomically(self.folder / "manifest.json", _json({"rows": rows}))

    @property
    def rows(self) -> list[int] | None:
        """Clips per shard, or None while the entry is incomplete."""
        try:
            return list(json.loads((self.folder / "manifest.json").read_bytes())["rows"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def key(self) -> dict[str, Any]:
        """What the entry holds, in words."""
        try:
            return dict(json.loads((self.folder / "key.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return {}

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.glob("*") if path.is_file())

    def damaged(self) -> list[Path]:
        """Shards on disk that do not read back, or that a complete entry lacks."""
        promised = self.rows
        if promised is None:
            numbers = (int(path.stem) for path in sorted(self.folder.glob("*.safetensors")))
            return [self._shard(n) for n in numbers if self.read(n) is None]
        return [self._shard(n) for n, rows in enumerate(promised) if self.read(n, rows) is None]

    def _shard(self, number: int) -> Path:
        return self.folder / f"{number:06d}.safetensors"


@dataclass(frozen=True)
class Cache:
    """All embeddings under one folder: `<root>/embeddings/<model>/<key digest>/`."""

    root: Path

    @property
    def index(self) -> Path:
        """Where the indexes of prepared tasks lie, beside the embeddings."""
        return self.root / "index"

    def entry(self, model: str, key: Mapping[str, Any]) -> Entry:
        """The entry for `key`, created if it is not there.

        Raises:
            OSError: it is not there and the cache cannot be written.
        """
        text = _json(key)
        folder = self.root / "embeddings" / model / hashlib.sha256(text).hexdigest()[:24]
        if not (folder / "key.json").exists():
            write_atomically(folder / "key.json", text)
        return Entry(folder)

    def entries(self) -> Iterator[Entry]:
        """Every entry, sorted by model and key."""
        for path in sorted(self.root.glob("embeddings/*/*/key.json")):
            yield Entry(path.parent)

    def remove(self, entry: Entry) -> None:
        """Delete an entry; the manifest goes first, so half a removal never looks complete."""
        (entry.folder / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(entry.folder)


def _sha256(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{arrays[name].dtype.str} {arrays[name].shape} ".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=2, default=list) + "\n").encode()
