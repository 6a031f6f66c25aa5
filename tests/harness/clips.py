"""Clips of chosen lengths as a task of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tasks.archive import Tree
from tasks.prepare import Index, prepare
from tasks.spec import Clip, Labels, Source, Task

RATE = 16000


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def click(samples: int, at: int) -> np.ndarray:
    """Faint noise with a click in it."""
    clip = 1e-4 * noise(samples, seed=at)
    clip[at] = 1.0
    return clip


def index_of(folder: Path, clips: Mapping[str, np.ndarray], rate: int = RATE, **task: Any) -> Index:
    """Write the clips, samples (N,) by name, and prepare a task of them."""
    (folder / "clips").mkdir(parents=True)
    for name, samples in clips.items():
        soundfile.write(folder / "clips" / f"{name}.wav", samples, rate, subtype="FLOAT")
    return prepare_clips(folder, **task)


def prepare_clips(folder: Path, **task: Any) -> Index:
    """Prepare a task of the files in `folder`/clips."""
    count = sum(1 for _ in (folder / "clips").glob("*.wav"))
    facts = {
        "name": "clips",
        "version": 1,
        "title": "Clips",
        "domain": "environment",
        "dataset": "clips",
        "sources": (Source(name="folder", read=_read),),
        "expected": {"train": count},
        "classes": 1,
        "reference": "",
        "footprint": 1,
    }
    return prepare(Task(**(facts | task)), folder, index=folder / "index", fetch=_never)


def _read(tree: Tree) -> Labels:
    return Labels.alphabetical(
        [
            Clip(id=Path(n).stem, place=tree.place(n), labels=("any",), split="train", group="")
            for n in tree.names
        ]
    )


def _never(*_: object) -> Path:
    raise AssertionError("nothing to download")
