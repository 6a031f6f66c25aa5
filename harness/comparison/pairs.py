"""Two models task by task: paired, tested, and who is ahead; all models: their average ranks."""

import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from harness import judged, paired, predictions, results
from harness.errors import UserError
from harness.paired import LEVEL, Paired, Record


@dataclass(frozen=True)
class Results:
    """The records of one model in one folder, by (protocol, task)."""

    name: str
    folder: Path
    records: Mapping[tuple[str, str], Record]

    def of(self, protocol: str, tasks: Collection[str] = ()) -> dict[str, Record]:
        """Its records by one protocol, by task; only of some tasks, where these are named."""
        return {
            task: record
            for (by, task), record in self.records.items()
            if by == protocol and (not tasks or task in tasks)
        }


@dataclass(frozen=True)
class Pair:
    """One task's records of two models.

    Attributes:
        own: the record that the other's is taken from.
        other: that other record.
        paired: the paired comparison; None where there is none.
        adjusted: p after Holm's correction over the tasks of the table; NaN where there is none.
        remark: what a reader must know: what differs between the two, or why there is no test.
        comparable: whether one score may be set against the other.
    """

    own: Record
    other: Record
    paired: Paired | None
    adjusted: float
    remark: str
    comparable: bool

    @property
    def task(self) -> str:
        """The task's name."""
        return self.own["task"]["name"]

    @property
    def difference(self) -> float:
        """Of the two scores, NaN where one is undefined or they are of other clips."""
        if self.paired is not None:
            return self.paired.difference
        scores = self.own["score"], self.other["score"]
        defined = self.comparable and None not in scores
        return round(scores[0] - scores[1], 12) if defined else math.nan

    @property
    def ahead(self) -> float:
        """1 where the first is better, −1 where the other is, 0 if they are equal, or NaN."""
        sign = float(np.sign(self.difference))
        return sign if self.own["task"]["higher_is_better"] else 0.0 - sign

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance; not so where that was not tested."""
        return self.adjusted < LEVEL


def read(typed: Sequence[str], results_folder: Path) -> list[Results]:
    """Read the records of models, each named as in the results folder, or its folder's path.

    Raises:
        UserError: one is neither, is without records, or is named twice.
    """
    folders = [_folder(name, results_folder) for name in typed]
    twice = len({folder.resolve() for folder in folders}) < len(folders)
    if twice or len(folders) < 2:
        found = "one of them twice" if twice else f"{len(folders)}"
        raise UserError(f"expected two models or more to compare, found {found}; name others")
    short = [folder.name for folder in folders]
    names = short if len(set(short)) == len(short) else typed
    return [_read(name, folder) for name, folder in zip(names, folders, strict=True)]


def by_pair(
    models: Sequence[Results], protocols: Collection[str] = (), tasks: Collection[str] = ()
) -> dict[str, list[list[Pair]]]:
    """Set the first model against each other one: by protocol, of each other one, by task.

    protocols, tasks: only these, where some are named. p are corrected for the number of tasks
    of two models by one protocol.

    Raises:
        UserError: one that is named is not there, or no other model has a task of the first by
            the same protocol.
    """
    there = _known("protocols", protocols, {by for model in models for by, _ in model.records})
    _known("tasks", tasks, {task for model in models for _, task in model.records})
    found = {
        protocol: [_pairs(models[0], other, protocol, tasks) for other in models[1:]]
        for protocol in there
        if not protocols or protocol in protocols
    }
    if not any(pairs for compared in found.values() for pairs in compared):
        raise UserError(
            f"expected a task that {models[0].name} and {models[1].name} have by the same "
            "protocol, found none; measure it, or ask for other --tasks or --protocols"
        )
    return found


def _known(what: str, named: Collection[str], there: Collection[str]) -> list[str]:
    """What is there, in order; every one that was named must be."""
    unknown = sorted(set(named) - set(there))
    if unknown:
        raise UserError(
            f"expected {what} that the models have, found {', '.join(unknown)}; they have "
            f"{', '.join(sorted(there))}"
        )
    return sorted(there)


def _pairs(own: Results, other: Results, protocol: str, tasks: Collection[str]) -> list[Pair]:
    both = sorted(own.of(protocol, tasks).keys() & other.of(protocol, tasks).keys())
    found = [_pair(own, other, (protocol, task)) for task in both]
    tested = [math.nan if pair.paired is None else pair.paired.p for pair in found]
    return [replace(pair, adjusted=p) for pair, p in zip(found, paired.holm(tested), strict=True)]


def average_ranks(scores: np.ndarray, higher_is_better: Sequence[bool]) -> np.ndarray:
    """Mean over tasks of each model's rank, 1 the best, equal ones in the middle: (M,).

    scores: (M, T), T > 0. (Demšar, Statistical comparisons of classifiers over multiple data sets,
    2006.)
    """
    better = np.where(higher_is_better, -scores, scores)
    return rankdata(better, axis=0).mean(axis=1)


def _folder(name: str, results_folder: Path) -> Path:
    for folder in (results_folder / name, Path(name)):
        if any(folder.glob("*/*.json")):
            return folder
    known = sorted({file.parent.parent.name for file in results_folder.glob("*/*/*.json")})
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    raise UserError(
        f"expected a model with records in {results_folder}, or the path of its folder, found "
        f"{name!r}: {meant}the models are {', '.join(known) or 'none'}"
    )


def _read(name: str, folder: Path) -> Results:
    records = [results.read(file) for file in sorted(folder.glob("*/*.json"))]
    by_name = {(record["protocol"]["name"], record["task"]["name"]): record for record in records}
    return Results(name, folder, by_name)


def _pair(own: Results, other: Results, key: tuple[str, str]) -> Pair:
    protocol, task = key
    records = own.records[key], other.records[key]
    sides = [side.folder / task / f"{protocol}.json" for side in (own, other)]
    remark = _differing(*records)
    if not all(predictions.beside(file).exists() for file in sides):
        alike = _measured_alike(*records)
        other_clips = "" if alike else "other clips, or another metric"
        lacking = "no paired test, since predictions are missing"
        return Pair(*records, None, math.nan, _joined(remark, other_clips, lacking), alike)
    kept = [judged.read(*side) for side in zip(sides, records, strict=True)]
    try:
        compared = paired.compare(records[0], kept[0], records[1], kept[1])
    except paired.Unpaired as error:
        return Pair(*records, None, math.nan, _joined(remark, str(error)), False)
    return Pair(*records, compared, math.nan, remark, True)


def _measured_alike(own: Record, other: Record) -> bool:
    """Whether both are of as many clips by the same metric: all that records without clips tell."""
    sides = [(side["task"]["metric"], side["n"]["test"]) for side in (own, other)]
    return sides[0] == sides[1]


def _differing(own: Record, other: Record) -> str:
    """What of the task or protocol is not the same, beside the encoder."""
    facts = {
        "the task's version": ("task", "version"),
        "the data": ("task", "data_sha256"),
        "the protocol's version": ("protocol", "version"),
        "the protocol's parameters": ("protocol", "params"),
    }
    differ = [name for name, (part, key) in facts.items() if own[part][key] != other[part][key]]
    return f"{' and '.join(differ)} differ" if differ else ""


def _joined(*remarks: str) -> str:
    return "; ".join(remark for remark in remarks if remark)
