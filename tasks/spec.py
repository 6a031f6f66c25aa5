"""The four shapes a task is made of: where it comes from, what is in it, how it is scored.

A task says *what* is measured and nothing about *how*: no training setting, no
encoder and no tensor appears here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file that can be had from somewhere.

    `size` (bytes) is None where the server makes the file on the fly, and
    `checksum` ("md5:…" or "sha256:…") is None where none is published.
    """

    filename: str
    urls: tuple[str, ...]
    size: int | None
    checksum: str | None
    licence: str
    page: str


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip as its data set describes it, before anything is measured.

    `id` is the stem of the official file name, so that it is the same in every
    layout. `member` is the name inside the archive at `path`, empty for a plain file.
    Clips of one `group` are never parted when a validation split is cut ("" = no group).
    """

    id: str
    path: str
    member: str
    labels: tuple[str, ...]
    split: str
    group: str


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a reader finds in a data set's folder.

    A class's index is its position in `classes`. The order matters: a tie among
    neighbours goes to the smallest index. It is the data set's own numeric order
    where there is one, else the sorted names.
    """

    clips: list[Clip]
    classes: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is measured: the data, its official splits and its metric.

    `read` turns the data set's folder (the official archive inside it, or unpacked)
    into clips and classes. `synthesise` writes the whole data set into an empty
    folder; with it the task is marked synthetic wherever it shows. `version` is
    raised whenever scores stop being comparable.
    """

    name: str
    version: int
    title: str
    domain: str
    dataset: str
    read: Callable[[Path], Labels]
    expected: Mapping[str, int]
    classes: int
    reference: str
    archives: tuple[Archive, ...] = ()
    synthesise: Callable[[Path], None] | None = None
    metric: str = "accuracy"
    multilabel: bool = False

    @property
    def synthetic(self) -> bool:
        """Whether the audio is made by the project itself."""
        return self.synthesise is not None
