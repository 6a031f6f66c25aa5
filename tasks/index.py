"""The index of a prepared task: one row per clip, kept in a Parquet file.

Beside the rows the file keeps the classes, the identity of the data and the stamp of what
it was made from: while that holds, a task is prepared by reading this one file.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks import parquet
from tasks.archive import Place
from tasks.balance import balanced
from tasks.errors import UserError
from tasks.measure import Measure
from tasks.spec import Event, Labels, Task

_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "source": pa.string(),
        "path": pa.string(),
        "member": pa.string(),
        "offset": pa.int64(),
        "stored": pa.int64(),
        "size": pa.int64(),
        "deflated": pa.bool_(),
        "crc32": pa.int64(),
        "frames": pa.int64(),
        "sample_rate": pa.int64(),
        "labels": pa.list_(pa.string()),
        "split": pa.string(),
        "group": pa.string(),
        "sha256": pa.string(),
        "events": pa.list_(
            pa.struct({"label": pa.string(), "start": pa.float64(), "end": pa.float64()})
        ),
    }
)
_CLIP = ["id", "labels", "split", "group"]
_PLACE = ["path", "member", "offset", "stored", "size", "deflated", "crc32"]
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, eq=False)
class Index:
    """The clips of a prepared task, sorted by id.

    `clips` has the columns id, source (its name), those of a `Place`, frames and
    sample_rate (int64; both 0 where the audio header cannot be read), labels (list of
    str), split, group, sha256 (of the encoded bytes) and events (list of `Event`).
    `data_sha256` identifies the task's data: audio, labels, events, splits, groups and the
    order of the classes.
    """

    task: Task
    clips: pd.DataFrame
    classes: tuple[str, ...]
    source: str
    data_sha256: str

    def targets(self) -> np.ndarray:
        """Return the class indices, (N,) int64, or (N, C) bool for a multilabel task."""
        position = {name: index for index, name in enumerate(self.classes)}
        labels = self.clips["labels"].tolist()
        if not self.task.multilabel:
            return np.array([position[names[0]] for names in labels], np.int64)
        targets = np.zeros((len(labels), len(self.classes)), bool)
        for row, names in enumerate(labels):
            targets[row, [position[name] for name in names]] = True
        return targets

    def places(self) -> list[Place]:
        """Return where each clip's bytes lie."""
        rows = zip(*(self.clips[column].tolist() for column in _PLACE), strict=True)
        return [
            Place(path=p, member=m, offset=o, stored=s, size=n, deflated=d, crc32=c)
            for p, m, o, s, n, d, c in rows
        ]

    def audio_sha256(self) -> str:
        """Return the identity of what is embedded: ids and checksums, in order, no labels."""
        return _digest(zip(self.clips["id"].tolist(), self.clips["sha256"].tolist(), strict=True))

    def limited(self, n: int) -> "Index":
        """Return the first `n` clips of an order that balances classes, then splits.

        The order is fixed by the clips' ids, so a smaller subset is part of a larger one.
        """
        if n < 1:
            raise UserError(f"expected a limit of at least 1 clip, found {n}")
        columns = (self.clips[column].tolist() for column in ("id", "labels", "split"))
        chosen = sorted(islice(balanced(*columns), n))
        return _index(self.task, self.clips.iloc[chosen], self.classes, self.source)


def build(task: Task, labels: Labels, source: str, measures: Sequence[Measure]) -> Index:
    """Return the index of the clips that `source` gave, each with its measure."""
    rows = sorted(zip(labels.clips, measures, strict=True), key=lambda row: row[0].id)
    columns: dict[str, list[Any]] = {"source": [source] * len(rows)}
    columns |= {name: [getattr(clip, name) for clip, _ in rows] for name in _CLIP}
    columns |= {name: [getattr(clip.place, name) for clip, _ in rows] for name in _PLACE}
    columns |= {name: [getattr(found, name) for _, found in rows] for name in Measure._fields}
    columns["events"] = [[event._asdict() for event in clip.events] for clip, _ in rows]
    table = pa.table({name: columns[name] for name in _SCHEMA.names}, _SCHEMA)
    return _index(task, _frame(table), labels.classes, source)


def save(index: Index, file: Path, stamp: str) -> None:
    """Keep the index, made from what `stamp` stands for. Raises UserError if it cannot be.

    An index with a clip that could not be read holds for no stamp: it is tried again.
    """
    complete = bool((index.clips["sha256"] != "").all())
    facts = {
        "stamp": stamp if complete else "",
        "source": index.source,
        "classes": index.classes,
        "data_sha256": index.data_sha256,
    }
    text = json.dumps(facts).encode()
    # Parquet's checksums cover its pages, not this.
    notes = {"index": text, "sha256": hashlib.sha256(text).hexdigest()}
    events = [[event._asdict() for event in clip] for clip in index.clips["events"]]
    clips = index.clips.assign(events=pd.Series(events, dtype=object))
    table = pa.Table.from_pandas(clips, _SCHEMA, preserve_index=False)
    parquet.save(table.replace_schema_metadata(notes), file)


def load(task: Task, file: Path, stamp: str | None = None) -> Index | None:
    """Return the index kept in `file` if it was made from what `stamp` stands for.

    Without a stamp, whatever it was made from. None if there is none or it is damaged.
    """
    table = parquet.load(file, _SCHEMA)
    if table is None:
        return None
    notes = table.schema.metadata or {}
    text = notes.get(b"index", b"")
    if notes.get(b"sha256") != hashlib.sha256(text).hexdigest().encode():
        return None
    facts = json.loads(text)
    if stamp not in (None, facts["stamp"]):
        return None
    return Index(
        task=task,
        clips=_frame(table),
        classes=tuple(facts["classes"]),
        source=facts["source"],
        data_sha256=facts["data_sha256"],
    )


def _frame(table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas()
    # pandas would make arrays of the lists, and floats of numbers that may be missing.
    for name in ("labels", "crc32"):
        frame[name] = pd.Series(table[name].to_pylist(), dtype=object)
    events = [[Event(**event) for event in clip] for clip in table["events"].to_pylist()]
    frame["events"] = pd.Series(events, dtype=object)
    return frame


def _index(task: Task, clips: pd.DataFrame, classes: tuple[str, ...], source: str) -> Index:
    clips = clips.reset_index(drop=True)
    names = ["id", "sha256", "labels", "split", "group", *(["events"] if task.timestamps else [])]
    columns = (clips[name].tolist() for name in names)
    identity = _digest([*zip(*columns, strict=True), classes])
    return Index(task=task, clips=clips, classes=classes, source=source, data_sha256=identity)


def _digest(rows: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(_encode(row).encode() + b"\n")
    return digest.hexdigest()
