"""The list of files that `wavlist_to_tar` packs: with a header line and columns, or bare names."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from tasks.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file to pack.

    `line`: where in the list it stands, from 1. `key`: the member's name up to the suffix.
    `columns`: what else the list says of it, as JSON; empty where it says nothing.
    """

    line: int
    file: Path
    key: str
    columns: str

    @property
    def suffix(self) -> str:
        """The file's suffix, without its dot."""
        return self.file.suffix.removeprefix(".")


def read(source: Path, column: str, delimiter: str) -> list[Entry]:
    """The entries of a list, in its order; every file exists.

    A first line with a field called `column`, and which is no file itself, is a header. Without
    one, each line is a file's name, whatever characters are in it.

    Raises:
        UserError: the list cannot be read or is empty, or a file of it does not exist: names the
            file and the line.
    """
    try:
        text = source.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"{source}: expected a list of files, {error.strerror}") from None
    lines = text.split("\n")  # nothing else ends a line: a name may hold it
    if _is_header(lines[0], column, delimiter):
        entries = _with_columns(source, column, delimiter)
    else:
        names = ((number, line) for number, line in enumerate(lines, 1) if line)
        entries = [_entry(number, name, "") for number, name in names]
    if not entries:
        raise UserError(f"{source}: expected a list of files, found none in it")
    for entry in entries:
        _check(entry, source, column)
    return entries


def unique(entries: Sequence[Entry], *, rename: bool) -> list[Entry]:
    """The entries, no two with one key: a reader groups members by it.

    Args:
        entries: in the list's order.
        rename: give a later one a free key: its own with `_1`, `_2`, …

    Raises:
        UserError: without `rename`, names the first two that share a key.
    """
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.key, entry)
    taken = set(first)
    numbers = dict.fromkeys(first, 0)
    renamed = []
    for entry in entries:
        if (before := first[entry.key]) is entry:
            renamed.append(entry)
            continue
        if not rename:
            raise UserError(
                f"lines {before.line} and {entry.line}: expected files with different names, found "
                f"{before.file} and {entry.file}, both {entry.key} in a shard; rename one, or use "
                "--on-duplicate rename"
            )
        while (key := f"{entry.key}_{numbers[entry.key] + 1}") in taken:
            numbers[entry.key] += 1
        taken.add(key)
        renamed.append(replace(entry, key=key))
    return renamed


def _is_header(line: str, column: str, delimiter: str) -> bool:
    fields = next(csv.reader([line], delimiter=delimiter), [])
    return column in fields and not _is_there(Path(line))


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # a name longer than any file's, such as a header of many columns
        return False


def _with_columns(source: Path, column: str, delimiter: str) -> list[Entry]:
    """Read a table; pandas decides what is a number, from the whole column."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # fields beyond the header's
            table = pd.read_csv(
                source,
                sep=delimiter,
                dtype={column: str},
                index_col=False,
                encoding="utf-8-sig",
                encoding_errors="surrogateescape",
                keep_default_na=False,
                na_values=["", "nan", "NaN"],
                skip_blank_lines=False,
                low_memory=False,
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise UserError(f"{source}: expected a table, could not read it ({error})") from None
    table = table.dropna(how="all")
    names = table.pop(column)
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    entries = []
    for index, name, record in zip(names.index, names, records, strict=True):
        line = int(index) + 2
        if not isinstance(name, str):
            raise UserError(f"{source}, line {line}: expected a file in {column}, found none")
        entries.append(_entry(line, name, json.dumps(record) if record else ""))
    return entries


def _entry(line: int, name: str, columns: str) -> Entry:
    file = Path(name)
    # A reader takes all after a name's first dot for its suffix.
    return Entry(line=line, file=file, key=file.stem.replace(".", "_"), columns=columns)


def _check(entry: Entry, source: Path, column: str) -> None:
    there = _is_there(entry.file)
    if there and entry.file.is_file():
        if entry.columns and entry.suffix == "json":
            raise UserError(
                f"{source}, line {entry.line}: expected audio, found {entry.file}, whose place in "
                "the shard is its columns'"
            )
        return
    found = "a folder" if there and entry.file.is_dir() else "none"
    header = f" (nor a header line with {column})" if entry.line == 1 else ""
    raise UserError(
        f"{source}, line {entry.line}: expected a file{header} at {entry.file}, found {found}; "
        "nothing was written"
    )
