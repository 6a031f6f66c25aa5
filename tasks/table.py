"""The table of a data set: a CSV file with one row per clip.

It is found by how its name ends, so that it may lie in an archive, unpacked, or some
folders deeper; where it lies is where the rest of the data set is.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tasks.archive import Place, Tree
from tasks.errors import UserError

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of the table called `name` in the tree.

    `root` is the data set's own folder as a beginning of names: "" or what ends in "/".
    """

    tree: Tree
    name: str
    root: str
    rows: Sequence[Row]

    def below(self, folders: str) -> str:
        """Return the pattern of `folders`, a pattern itself, in the data set's own folder."""
        return re.escape(self.root) + folders

    def clips(self, column: str, audio: Mapping[str, str]) -> Iterator[tuple[str, Place, Row]]:
        """Yield stem, place and row of every clip; `column` has the file names.

        `audio` is stem → name (`tasks.recordings`). Raises UserError if a row has none.
        """
        stems = [PurePosixPath(row[column]).stem for row in self.rows]
        missing = [row for row, stem in zip(self.rows, stems, strict=True) if stem not in audio]
        if missing:
            raise UserError(
                f"{self.tree.folder}: expected audio for {len(stems)} rows of {self.name}, "
                f"{len(missing)} have none, the first is {missing[0][column]}; restore the data "
                "set, or delete it so that it is fetched or made again"
            )
        for row, stem in zip(self.rows, stems, strict=True):
            yield stem, self.tree.place(audio[stem]), row


def find(tree: Tree, *endings: str, columns: tuple[str, ...]) -> Table:
    """Return the table whose name is or ends in one of `endings`, an earlier one first.

    Raises FileNotFoundError if there is none, UserError if it cannot be read or a row has
    no value in one of `columns`.
    """
    for ending in endings:
        for name in tree.names:
            if name == ending or name.endswith("/" + ending):
                root = name.removesuffix(ending)
                return Table(tree=tree, name=name, root=root, rows=rows(tree, name, columns))
    raise FileNotFoundError(f"no {' or '.join(endings)} in {tree.folder}")


def rows(tree: Tree, name: str, columns: tuple[str, ...]) -> Sequence[Row]:
    """Return the rows of the table called `name`, at least one.

    Raises KeyError if there is no such file, UserError if it cannot be read or a row has no
    value in one of `columns`.
    """
    try:
        # With a signature, where a spreadsheet has saved it.
        reader = csv.DictReader(io.StringIO(tree.read(name).decode("utf-8-sig"), newline=""))
        header, found = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{tree.folder}: cannot read {name} ({error}); restore the official table"
        ) from error
    if not set(columns) <= set(header):
        raise UserError(
            f"{tree.folder}: expected columns {', '.join(columns)} in {name}, "
            f"found {', '.join(header)[:99]!r}; restore the official table"
        )
    if not found:
        raise UserError(f"{tree.folder}: expected rows in {name}, found none; restore the table")
    for number, row in enumerate(found, 1):
        empty = [column for column in columns if not row[column]]
        if empty:
            raise UserError(
                f"{tree.folder}: expected a value for {empty[0]} in row {number} of {name}, "
                "found none; restore the official table"
            )
    return found
