"""What heareval and our protocol are both asked: one problem of each kind, real and MelSpec.

fsdd: scenes, train / valid / test. esc10: scenes, five folds. events: a toy detection task,
train / valid / test (tests/tasks/miniature/mixtures.py). And clouds: ESC-50's size, 2000 × 768,
made up, for the time alone.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

import tasks
from harness import splits
from harness.cache import Cache
from harness.embed import Settings, embed
from harness.encoder import load
from harness.events import Events
from harness.problem import Fold, Moments, Problem
from tasks.download import fetch
from tasks.prepare import Index, prepare
from tests.bench import linear
from tests.tasks.miniature.mixtures import mixtures

DIGITS = ("1", "6", "9")
FILES = {"train": 8, "valid": 8, "test": 16}  # of 10 s
AVERAGED = 4  # frames of MelSpec, 10 ms each, in one embedding of a moment
SCENES = {"top1_acc": "accuracy", "mAP": "mAP", "d_prime": "d_prime", "aucroc": "auc_roc"}
EVENTS = {name: name for name in ("event_onset_200ms_fms", "segment_1s_er")}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A problem, and what heareval is told of it.

    ids: of the clips, sorted in each split. splits: name → positions of its clips, in the order
    of heareval's metadata. metrics: heareval's name → ours.
    """

    name: str
    problem: Problem
    ids: list[str]
    classes: tuple[str, ...]
    splits: Mapping[str, np.ndarray]
    metrics: Mapping[str, str]


def fsdd(data: Path, kept: Path) -> Case:
    """Spoken digits; the harness cuts the validation clips out of train."""
    index = _index("fsdd", data, kept)
    (fold,) = splits.folds(index)
    named = {"train": fold.train, "valid": fold.valid, "test": fold.test}
    return _scenes("fsdd", index, (fold,), named, kept)


def esc10(data: Path, kept: Path) -> Case:
    """Ten environmental sounds in their five folds."""
    index = _index("esc10", data, kept)
    folds = splits.folds(index)
    named = {f"fold{i:02d}": fold.test for i, fold in enumerate(folds)}
    return _scenes("esc10", index, folds, named, kept)


def clouds(data: Path, kept: Path) -> Case:
    """The problem that the linear probe is timed on."""
    problem = linear.problem()
    folds = {f"fold{i:02d}": fold.test for i, fold in enumerate(problem.folds)}
    return Case(
        name="clouds",
        problem=problem,
        ids=[f"{i:04d}" for i in range(len(problem.targets))],
        classes=tuple(str(label) for label in range(problem.classes)),
        splits=folds,
        metrics=SCENES,
    )


def events(data: Path, kept: Path) -> Case:
    """Spoken digits to be found in noise; heareval validates every ten epochs, as for DCASE."""
    encoder = load("melspec", "cpu")
    named, ids, values, times, spans = {}, [], [], [], []
    for split, files in mixtures(data / "fsdd", splits=FILES, digits=DIGITS).items():
        named[split] = np.arange(len(ids), len(ids) + len(files))
        for file, mixture in files.items():
            audio, _ = soundfile.read(io.BytesIO(mixture.wav), dtype="float32")
            found, at = encoder.module.get_timestamp_embeddings(
                torch.from_numpy(audio)[None], encoder.model
            )
            whole = found.shape[1] // AVERAGED * AVERAGED
            values.append(found[0, :whole].reshape(-1, AVERAGED, found.shape[2]).mean(1).numpy())
            times.append(at[0, :whole].double().reshape(-1, AVERAGED).mean(1).numpy())
            spans.append([(DIGITS.index(label), *span) for label, *span in mixture.events])
            ids.append(Path(file).stem)
    offsets = np.cumsum([0, *map(len, values)])
    sounding = np.zeros((len(ids), len(DIGITS)), bool)
    for clip, mine in enumerate(spans):
        sounding[clip, [label for label, *_ in mine]] = True
    return Case(
        name="events",
        problem=Problem(
            embeddings=np.concatenate(values),
            targets=sounding,
            folds=(Fold("test", *named.values()),),
            classes=len(DIGITS),
            metric="event_onset_200ms_fms",
            device="cpu",
            seed=0,
            moments=Moments(offsets, np.concatenate(times), Events.of(spans)),
            evaluation={"task_specific_param_grid": {"check_val_every_n_epoch": [10]}},
        ),
        ids=ids,
        classes=DIGITS,
        splits=named,
        metrics=EVENTS,
    )


CASES: dict[str, Callable[[Path, Path], Case]] = {
    "fsdd": fsdd,
    "esc10": esc10,
    "events": events,
    "clouds": clouds,
}


def _index(name: str, data: Path, kept: Path) -> Index:
    return prepare(tasks.load(name), data, index=kept / "index", fetch=fetch)


def _scenes(
    name: str,
    index: Index,
    folds: tuple[Fold, ...],
    named: Mapping[str, np.ndarray],
    kept: Path,
) -> Case:
    found = embed(index, load("melspec", "cpu"), Cache(kept), Settings(), lambda *_: None)
    return Case(
        name=name,
        problem=Problem(
            embeddings=found.values,
            targets=index.targets(),
            folds=folds,
            classes=len(index.classes),
            metric="accuracy",
            device="cpu",
            seed=0,
        ),
        ids=index.clips["id"].tolist(),
        classes=index.classes,
        splits=named,
        metrics=SCENES,
    )
