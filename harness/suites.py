"""Suites: named lists of tasks with the protocols and averages that they are published with."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.errors import UserError

Columns = Mapping[str, tuple[str, ...]]  # of a table: names, each with the tasks whose mean it is


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Tasks, in the order in which their scores are published, and how they are judged.

    `domains` are the groups of tasks that are averaged; a task may be in none. `part_of` names
    the whole that a task is a part of, where tables show the mean of the parts as one task.
    `variants` are further protocols with tables like those of `protocols`. `notes` is what a
    reader of the averages must know.
    """

    title: str
    tasks: tuple[str, ...]
    protocols: tuple[str, ...]
    variants: tuple[str, ...] = ()
    domains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    part_of: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def columns(self, tasks: Iterable[str]) -> Columns:
        """What tables show of some tasks: their own names, or the whole that they are part of."""
        columns: dict[str, tuple[str, ...]] = {}
        for task in tasks:
            name = self.part_of.get(task, task)
            columns[name] = (*columns.get(name, ()), task)
        return columns


SUITES: Mapping[str, Suite] = {
    "knn": Suite(
        title="k nearest neighbours, as in the Dasheng paper",
        tasks=(
            *("esc50", "fsdkaggle18", "nsynth", "spc1", "spc2"),
            *("us8k", "vox1", "ravdess", "fsc"),
        ),
        protocols=("knn",),
    ),
    "hear": Suite(
        title="the HEAR 2021 benchmark",
        tasks=(
            *("hear-dcase2016-task2", "hear-nsynth-pitch-5h", "hear-nsynth-pitch-50h"),
            *("hear-speech-commands-5h", "hear-speech-commands-full"),
            *("hear-beehive-states-fold0", "hear-beehive-states-fold1", "hear-beijing-opera"),
            *("hear-crema-d", "hear-esc50", "hear-fsd50k", "hear-gunshot", "hear-gtzan"),
            *("hear-gtzan-music-speech", "hear-libricount", "hear-maestro-5h"),
            *("hear-mridangam-stroke", "hear-mridangam-tonic"),
            *("hear-vocal-imitation", "hear-vox-lingua"),
        ),
        protocols=("hear2021",),
        variants=("hear2021-strict",),
        domains={
            "environment": ("hear-dcase2016-task2", "hear-esc50", "hear-fsd50k", "hear-gunshot"),
            "speech": (
                *("hear-crema-d", "hear-libricount", "hear-speech-commands-5h"),
                *("hear-speech-commands-full", "hear-vocal-imitation", "hear-vox-lingua"),
            ),
            "music": (
                *("hear-beijing-opera", "hear-gtzan", "hear-gtzan-music-speech"),
                *("hear-maestro-5h", "hear-mridangam-stroke", "hear-mridangam-tonic"),
                *("hear-nsynth-pitch-5h", "hear-nsynth-pitch-50h"),
            ),
        },
        part_of={
            "hear-beehive-states-fold0": "hear-beehive-states",
            "hear-beehive-states-fold1": "hear-beehive-states",
        },
        notes=(
            "Which tasks the paper averages is not published. The domains are inferred from its "
            "radar plot, which has 18 tasks, without Beehive: the values read off it give the "
            "published averages of Dasheng-1.2B within 0.1.",
        ),
    ),
}


def load(name: str) -> Suite:
    """Return the suite called `name`. Raises UserError for an unknown one."""
    if name not in SUITES:
        close = difflib.get_close_matches(name.lower(), SUITES, n=1, cutoff=0.5)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UserError(f"unknown suite {name!r}: {meant}the suites are {', '.join(SUITES)}")
    return SUITES[name]


def averaged(protocol: str) -> Suite | None:
    """Return the suite whose scores by this protocol are averaged by domain, if there is one."""
    for suite in SUITES.values():
        if suite.domains and protocol in (*suite.protocols, *suite.variants):
            return suite
    return None
