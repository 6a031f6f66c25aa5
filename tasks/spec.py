"""What a task is made of: where its data come from, what is in them, how it is scored.

A task says *what* is measured and nothing about *how*: no training setting, no
encoder and no tensor appears here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from tasks.archive import Place, Tree


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file that can be had from somewhere.

    `size` (bytes) is None where it is not published or the server makes the file on the
    fly; `about` is then roughly what to expect. `checksum` ("md5:…" or "sha256:…") is None
    where none is published. One behind a `registration` is never fetched: the text says
    what the owner asks for, `page` where. `instead` are glob patterns of what may lie in the
    data set's folder in its place, such as what it holds.
    """

    filename: str
    urls: tuple[str, ...]
    size: int | None
    checksum: str | None
    licence: str
    page: str
    about: int = 0
    registration: str = ""
    instead: tuple[str, ...] = ()


class Event(NamedTuple):
    """Something heard in a clip, from `start` to `end`, ms."""

    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip as its data set describes it, before anything is measured.

    `id` is the stem of the official file name (with the folder where stems repeat), so
    that it is the same in every layout and from every source. Clips of one `group` are
    never parted when a validation split is cut ("" = no group). `events` are those of a
    clip that is judged by its events; `labels` then are the classes that occur in it.
    """

    id: str
    place: Place
    labels: tuple[str, ...]
    split: str
    group: str
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a reader finds in a data set's folder.

    A class's index is its position in `classes`. The order matters: a tie among
    neighbours goes to the smallest index. It is the data set's own numeric order
    where there is one, else the sorted names.
    """

    clips: list[Clip]
    classes: tuple[str, ...]

    @classmethod
    def alphabetical(cls, clips: list[Clip]) -> "Labels":
        """Return the clips with the sorted names of their classes."""
        return cls(clips=clips, classes=tuple(sorted({n for clip in clips for n in clip.labels})))


@dataclass(frozen=True, kw_only=True)
class Source:
    """One way to have a data set: files to fetch, and the reader of their layout.

    The files are `archives`, or those whose whole name matches the pattern `wanted` in
    `listing`, a file list as Zenodo's API gives it. `read` turns the data set's folder
    into clips and classes and raises FileNotFoundError where it holds another layout.
    `sample_rate`, in Hz, is that of all its audio, where the source promises one.
    """

    name: str
    read: Callable[[Tree], Labels]
    archives: tuple[Archive, ...] = ()
    listing: Archive | None = None
    wanted: str = r".*\.tar"
    sample_rate: int | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is measured: the data, its official splits and its metric.

    The data lie in the folder `dataset`, or among those of the larger data set `within`,
    which then is what gets downloaded. `sources` are tried in order; all give the same
    clips, labels and splits. `synthesise` writes the whole data set into an empty folder
    instead; with it the task is marked synthetic wherever it shows. `footprint` is roughly
    the bytes of the data set unpacked. `version` is raised whenever scores stop being
    comparable. `expected` counts the clips of each split; it is empty where the data set
    lists its files itself, so that its reader misses none. `dataset` is a path where the data
    lie at a place of their own.

    `metric` is the score; `further_metrics` are told beside it. With `timestamps` the clips
    are judged by their events, moment by moment. `protocols` are those that the task is
    meant for. `evaluation` is what the data set's own evaluation prescribes where it departs
    from its protocol, in the words of HEAR's task_metadata.json: a task passes it on unread.
    """

    name: str
    version: int
    title: str
    domain: str
    dataset: str
    sources: tuple[Source, ...]
    expected: Mapping[str, int]
    classes: int
    reference: str
    footprint: int
    within: str = ""
    synthesise: Callable[[Path], None] | None = None
    metric: str = "accuracy"
    further_metrics: tuple[str, ...] = ()
    multilabel: bool = False
    timestamps: bool = False
    protocols: tuple[str, ...] = ("knn", "linear")
    evaluation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def synthetic(self) -> bool:
        """Whether the audio is made by the project itself."""
        return self.synthesise is not None

    def at(self, sample_rate: int) -> "Task":
        """Return the task as an encoder of that rate, Hz, wants it.

        Sources at its rate come first, then those to be resampled: of any rate, or of the
        first source's.
        """
        native = [source for source in self.sources if source.sample_rate == sample_rate]
        resampled = (None, self.sources[0].sample_rate)
        others = [source for source in self.sources if source.sample_rate in resampled]
        return replace(self, sources=tuple(dict.fromkeys([*native, *others])))
