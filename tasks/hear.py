"""HEAR 2021: the nineteen tasks, and any other directory in their layout.

J. Turian et al., "HEAR: Holistic Evaluation of Audio Representations", NeurIPS 2021
Competitions and Demonstrations, PMLR 176. What a task is taken from, its clips, their length,
classes and scores are those of hearbenchmark.com (hear-tasks) and of hear-preprocess; Beehive
States is two directories, whose mean is one of the nineteen. All are on Zenodo at 48 kHz; the
other rates are to be had from a bucket whose reader pays, so they are only looked for.

A directory is `hear:/path/to/it` on the command line.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tasks import hear_layout, zenodo
from tasks.archive import Tree
from tasks.archive.folder import files
from tasks.errors import UserError
from tasks.hear_metadata import Kind, Metadata
from tasks.spec import Archive, Source, Task

PREFIX = "hear:"

_RATES = (48_000, 44_100, 32_000, 22_050, 16_000)  # Hz; the first is on Zenodo
_BYTES = 2  # of a sample
_PACKED = 0.7  # of a wav in a .tar.gz, roughly: the sizes are on Zenodo only
_REFERENCE = "https://arxiv.org/abs/2203.03022"
_LICENCE = "each data set's own: see https://zenodo.org/records/5887964/files/LICENSE.txt"


class _Row(NamedTuple):
    """A task; the seconds are those of a clip, the mean where they differ."""

    name: str
    directory: str
    title: str
    domain: str
    kind: tuple[str, str]
    classes: int
    clips: int
    seconds: float
    scores: tuple[str, ...]


_ONE, _SOME, _EVENTS = ("scene", "multiclass"), ("scene", "multilabel"), ("event", "multilabel")
_ACCURACY = ("top1_acc",)
_RANKED = ("mAP", "d_prime", "aucroc")
_PITCH = ("pitch_acc", "chroma_acc")
_OFFICE = ("event_onset_200ms_fms", "segment_1s_er")
_NOTES = ("event_onset_50ms_fms", "event_onset_offset_50ms_20perc_fms")

# fmt: off
_ROWS = (
    _Row("hear-dcase2016-task2", "dcase2016_task2-hear2021-full",
         "DCASE 2016 Task 2: sounds in an office, and when", "environment",
         _EVENTS, 11, 72, 120, _OFFICE),
    _Row("hear-nsynth-pitch-5h", "nsynth_pitch-v2.2.3-5h",
         "NSynth, 5 hours: the pitch of a note", "music",
         _ONE, 88, 5_000, 4, _PITCH),
    _Row("hear-nsynth-pitch-50h", "nsynth_pitch-v2.2.3-50h",
         "NSynth, 50 hours: the pitch of a note", "music",
         _ONE, 88, 49_060, 4, _PITCH),
    _Row("hear-speech-commands-5h", "speech_commands-v0.0.2-5h",
         "Speech Commands, 5 hours: which of ten words, another or none", "speech",
         _ONE, 12, 22_890, 1, _ACCURACY),
    _Row("hear-speech-commands-full", "speech_commands-v0.0.2-full",
         "Speech Commands: which of ten words, another or none", "speech",
         _ONE, 12, 100_503, 1, _ACCURACY),
    _Row("hear-beehive-states-fold0", "beehive_states_fold0-v2-full",
         "Beehive States: is the queen there, trained on hive 1, tested on hive 3", "environment",
         _ONE, 2, 576, 600, ("aucroc", "mAP", "d_prime", "top1_acc")),
    _Row("hear-beehive-states-fold1", "beehive_states_fold1-v2-full",
         "Beehive States: is the queen there, trained on hive 3, tested on hive 1", "environment",
         _ONE, 2, 576, 600, ("aucroc", "mAP", "d_prime", "top1_acc")),
    _Row("hear-beijing-opera", "beijing_opera-v1.0-hear2021-full",
         "Beijing Opera Percussion: which instrument", "music",
         _ONE, 4, 236, 4.77, _ACCURACY + _RANKED),
    _Row("hear-crema-d", "tfds_crema_d-1.0.0-full",
         "CREMA-D: the emotion of a voice", "speech",
         _ONE, 6, 7_438, 5, _ACCURACY + _RANKED),
    _Row("hear-esc50", "esc50-v2.0.0-full",
         "ESC-50: environmental sounds", "environment",
         _ONE, 50, 2_000, 5, _ACCURACY + _RANKED),
    _Row("hear-fsd50k", "fsd50k-v1.0-full",
         "FSD50K: what sounds are heard", "environment",
         _SOME, 200, 51_185, 7.6, _RANKED + _ACCURACY),
    _Row("hear-gunshot", "gunshot_triangulation-v1.0-full",
         "Gunshot Triangulation: which microphone recorded the shot", "environment",
         _ONE, 4, 88, 1.5, _ACCURACY + _RANKED),
    _Row("hear-gtzan", "tfds_gtzan-1.0.0-full",
         "GTZAN: the genre of music", "music",
         _ONE, 10, 1_000, 30, _ACCURACY + _RANKED),
    _Row("hear-gtzan-music-speech", "tfds_gtzan_music_speech-1.0.0-full",
         "GTZAN Music Speech: music or speech", "music",
         _ONE, 2, 128, 30, _ACCURACY + _RANKED),
    _Row("hear-libricount", "libricount-v1.0.0-hear2021-full",
         "LibriCount: how many people speak at once", "speech",
         _ONE, 11, 5_720, 5, _ACCURACY + _RANKED),
    _Row("hear-maestro-5h", "maestro-v3.0.0-5h",
         "MAESTRO, 5 hours: the notes of a piano, and when", "music",
         _EVENTS, 88, 185, 120, _NOTES),
    _Row("hear-mridangam-stroke", "mridangam_stroke-v1.5-full",
         "Mridangam: the stroke", "music",
         _ONE, 10, 6_977, 0.81, _ACCURACY + _RANKED),
    _Row("hear-mridangam-tonic", "mridangam_tonic-v1.5-full",
         "Mridangam: the tonic of the drum", "music",
         _ONE, 6, 6_977, 0.81, _ACCURACY + _RANKED),
    _Row("hear-vocal-imitation", "vocal_imitation-v1.1.3-full",
         "Vocal Imitation: which sound is imitated", "speech",
         _ONE, 302, 5_601, 11.26, _RANKED + _ACCURACY),
    _Row("hear-vox-lingua", "vox_lingua_top10-hear2021-full",
         "VoxLingua107, ten languages: which one is spoken", "speech",
         _ONE, 10, 972, 18.64, _ACCURACY + _RANKED),
)
# fmt: on

# heareval has this in its code (task_predictions.py), for whatever is called dcase2016_task2 …
_OFFICE_GRID = {"check_val_every_n_epoch": [10]}
_PRESCRIBED: Mapping[str, Mapping[str, Any]] = {
    "hear-dcase2016-task2": {"task_specific_param_grid": _OFFICE_GRID},
    # … and this stands in MAESTRO's task_metadata.json (hearsecrettasks/maestro.py).
    "hear-maestro-5h": {
        "use_scoring_for_early_stopping": False,
        "task_specific_param_grid": {"max_epochs": [50], "check_val_every_n_epoch": [1]},
        "event_postprocessing_grid": {"median_filter_ms": [150], "min_duration": [50]},
    },
}


def local(path: str) -> Task:
    """Return the task of the HEAR directory at `path`, which is never fetched.

    Raises UserError if there is none, there are several, or its metadata are malformed.
    """
    folder = Path(path).expanduser().resolve()
    if not path or not folder.is_dir():
        raise UserError(f"expected a folder after {PREFIX}, found {path or 'nothing'}; name one")
    footprint = sum((folder / name).stat().st_size for name in files(folder))
    tree = Tree(folder, 3 * footprint)
    directories = hear_layout.found(tree)
    if len({told.kind for told in directories.values()}) != 1:
        named = " and ".join(told.kind.directory for told in directories.values()) or "none"
        raise UserError(
            f"{folder}: expected one HEAR task with its task_metadata.json, found {named[:99]}; "
            "name the folder of one, unpacked"
        )
    told = next(iter(directories.values()))
    there = {rate for root in directories for rate in hear_layout.rates(tree, root)}
    rates = tuple(dict.fromkeys([*_RATES, *sorted(there)]))
    return Task(
        name=re.sub(r"[^\w.-]+", "_", told.kind.directory).lstrip("."),
        version=1,
        title=f"{told.kind.directory}, in HEAR's layout",
        domain="mixed",
        dataset=str(folder),
        sources=_sources(told.kind, rates),
        expected={},
        classes=len(hear_layout.vocabulary(tree, next(iter(directories)))),
        footprint=footprint,
        reference="",
        metric=told.metrics[0],
        further_metrics=told.metrics[1:],
        multilabel=told.kind.multilabel,
        timestamps=told.kind.timestamps,
        protocols=("hear2021",),
        evaluation=_evaluation(told),
    )


def _evaluation(told: Metadata) -> Mapping[str, Any]:
    if told.task_name != "dcase2016_task2":
        return told.evaluation
    grid = {**_OFFICE_GRID, **told.evaluation.get("task_specific_param_grid", {})}
    return {**told.evaluation, "task_specific_param_grid": grid}


def _sources(
    kind: Kind, rates: tuple[int, ...] = _RATES, record: Archive | None = None
) -> tuple[Source, ...]:
    """Return a source for each rate; only the first is in the `record` on Zenodo, if any is."""
    return tuple(
        Source(
            name=f"HEAR, {rate} Hz",
            read=partial(hear_layout.read, kind=kind, rate=rate, others=rates),
            listing=record if rate == rates[0] else None,
            wanted=re.escape(f"hear2021-{kind.directory}-{rate}.tar.gz"),
            sample_rate=rate,
        )
        for rate in rates
    )


def _task(row: _Row) -> Task:
    kind = Kind(row.directory, *row.kind)
    metrics = [kind.metrics[score] for score in row.scores]
    footprint = int(row.clips * row.seconds * _RATES[0] * _BYTES)
    record = zenodo.record("6332517", licence=_LICENCE, about=int(_PACKED * footprint))
    return Task(
        name=row.name,
        version=1,
        title=row.title,
        domain=row.domain,
        dataset=row.name,
        sources=_sources(kind, record=record),
        expected={},
        classes=row.classes,
        footprint=footprint,
        reference=_REFERENCE,
        metric=metrics[0],
        further_metrics=tuple(metrics[1:]),
        multilabel=kind.multilabel,
        timestamps=kind.timestamps,
        protocols=("hear2021",),
        evaluation=_PRESCRIBED.get(row.name, {}),
    )


TASKS = {row.name: _task(row) for row in _ROWS}
