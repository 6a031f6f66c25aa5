"""Free Spoken Digit Dataset: 3000 recordings of ten digits by six speakers, 8 kHz.

Files are called {digit}_{speaker}_{index}.wav; the official test set is the
recordings with index 0 to 4, and 5 to 49 are for training.
"""

import re
from pathlib import Path

from tasks.archive import Tree, trees
from tasks.spec import Archive, Clip, Labels, Task

# GitHub makes these archives on the fly: the number of recordings is checked instead.
ARCHIVE = Archive(
    filename="free-spoken-digit-dataset-1.0.10.zip",
    urls=(
        "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
        "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/master.zip",
    ),
    size=None,
    checksum=None,
    licence="CC BY-SA 4.0",
    page="https://github.com/Jakobovski/free-spoken-digit-dataset",
)
_ARCHIVE_NAMES = (
    ARCHIVE.filename,
    "v1.0.10.zip",
    "free-spoken-digit-dataset-master.zip",
    "master.zip",
)
_RECORDING = re.compile(r"(?:.*/)?recordings/((\d)_([^_/]+)_(\d+))\.(?:wav|flac|ogg|opus)", re.I)


def read_digits(folder: Path) -> Labels:
    """Read the recordings, labelled by digit. Raises FileNotFoundError if there are none."""
    return _read(folder, label=2)


def read_speakers(folder: Path) -> Labels:
    """Read the same recordings, labelled by speaker."""
    return _read(folder, label=3)


def _read(folder: Path, label: int) -> Labels:
    for tree in trees(folder, _ARCHIVE_NAMES):
        matches = [match for name in tree.names if (match := _RECORDING.fullmatch(name))]
        if matches:
            clips = [_clip(tree, match, label) for match in matches]
            classes = tuple(sorted({clip.labels[0] for clip in clips}))
            return Labels(clips=clips, classes=classes, source=tree.source)
    raise FileNotFoundError(f"no recordings/{{digit}}_{{speaker}}_{{index}}.wav in {folder}")


def _clip(tree: Tree, match: re.Match[str], label: int) -> Clip:
    path, member = tree.place(match[0])
    split = "test" if int(match[4]) < 5 else "train"
    return Clip(
        id=match[1], path=path, member=member, labels=(match[label],), split=split, group=""
    )


TASK = Task(
    name="fsdd",
    version=1,
    title="Free Spoken Digit Dataset: which digit",
    domain="speech",
    dataset="fsdd",
    archives=(ARCHIVE,),
    read=read_digits,
    expected={"train": 2700, "test": 300},
    classes=10,
    reference="https://doi.org/10.5281/zenodo.1342401",
)
