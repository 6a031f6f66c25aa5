"""A results folder as the gate sees it: each record that it holds, or why it cannot be read.

A gate that stops at the first damaged file hides the others, so what is wrong with a file is kept
beside its name. Names are those of the path, which are there even if the record is not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness import judged, predictions, results
from harness.errors import UserError
from harness.judged import Kept
from harness.results import Record


class Name(NamedTuple):
    """Which record: results/<model>/<task>/<protocol>.json."""

    model: str
    task: str
    protocol: str

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(frozen=True)
class Entry:
    """A record and its predictions.

    record: None if it cannot be read. kept: None if there are no predictions, they cannot be read,
    or the record is not looked at. fault: what is wrong with the files, in a line, "" if nothing.
    """

    file: Path
    record: Record | None
    kept: Kept | None
    fault: str = ""


Folder = Mapping[Name, Entry]


@dataclass(frozen=True)
class Selection:
    """The records that are looked at: those of these names, all where none is given."""

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()

    def has(self, name: Name) -> bool:
        """Whether a record is looked at."""
        return all(
            not chosen or own in chosen for own, chosen in zip(name, self._parts(), strict=True)
        )

    def require_known(self, names: Iterable[Name]) -> None:
        """Raise UserError if one of the chosen names is none of `names`': a gate left ajar."""
        for part, chosen, known in zip(
            Name._fields, self._parts(), zip(*names, strict=True), strict=True
        ):
            strangers = [one for one in chosen if one not in known]
            if strangers:
                raise UserError(
                    f"expected records of each {part} that is chosen, found none of "
                    f"{', '.join(strangers)}; there are {', '.join(sorted(set(known)))}"
                )

    def _parts(self) -> tuple[tuple[str, ...], ...]:
        return self.models, self.tasks, self.protocols


def read(folder: Path, selection: Selection) -> Folder:
    """Every record in a results folder, by name; those that are looked at, with predictions.

    Raises:
        UserError: there is no such folder, or no record in it.
    """
    files = sorted(folder.glob("*/*/*.json"))
    if not files:
        found = "none in it" if folder.is_dir() else "no such folder"
        raise UserError(
            f"expected records at {folder}/<model>/<task>/<protocol>.json, found {found}; "
            "`run` writes them, --results and --reference say where they are"
        )
    names = [Name(file.parts[-3], file.parts[-2], file.stem) for file in files]
    return {name: _read(file, selection.has(name)) for name, file in zip(names, files, strict=True)}


def _read(file: Path, looked_at: bool) -> Entry:
    record = None
    try:
        record = results.read(file)
        there = looked_at and predictions.beside(file).exists()
        return Entry(file, record, judged.read(file, record) if there else None)
    except UserError as error:
        return Entry(file, record, None, str(error))
