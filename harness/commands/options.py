"""Options that several commands share, and what they mean."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from harness import suites
from harness.errors import UserError

FAULT, MISTAKE, INTERRUPTED = 1, 2, 130
DEFAULT_DATA = Path("data")

_Command = TypeVar("_Command", bound=Callable[..., object])
_Record = TypeVar("_Record", bound=Mapping[str, Any])

data = click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="HARNESS_DATA",
    help="Folder with the data sets; what is missing is downloaded there.  [default: data]",
)
cache = click.option(
    "--cache",
    "cache_folder",
    type=click.Path(path_type=Path),
    envvar="HARNESS_CACHE",
    default=lambda: _user_cache() / "dasheng-bench",
    help="Folder for embeddings and indexes.  [default: the user's cache folder]",
)
results = click.option(
    "--results",
    "results_folder",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for records and tables.",
)
device = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"
)
trust_remote_code = click.option(
    "--trust-remote-code",
    is_flag=True,
    help="Execute code that comes with an hf: model; the record says so.",
)
yes = click.option("--yes", is_flag=True, help="Agree to the downloads without being asked.")


def tasks_or_suite(command: _Command) -> _Command:
    """Add --tasks and --suite, one of which has to be given: see `chosen`."""
    one = click.option(
        "--tasks",
        "task_names",
        help="Comma-separated; see `list tasks`. hear:/path/to/directory is a HEAR task of yours.",
    )
    all_ = click.option("--suite", help="A named list of tasks instead; see `list suites`.")
    return one(all_(command))


def chosen(task_names: str | None, suite: str | None) -> list[str]:
    """The tasks that were named one by one or as a suite. Raises UserError for both or neither."""
    if (task_names is None) == (suite is None):
        found = "neither" if suite is None else "both"
        raise UserError(f"expected --tasks or --suite, found {found}; see `list`")
    return list(suites.load(suite).tasks) if suite is not None else names(task_names or "")


def names(text: str) -> list[str]:
    """Part comma-separated names, without repetitions. Raises UserError if there are none."""
    found = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not found:
        raise UserError(f"expected comma-separated names, found {text!r}")
    return found


def part(command: _Command) -> _Command:
    """Add --models, --tasks and --protocols: which records a command is about; see `of_part`."""
    for what in ("protocols", "tasks", "models"):  # the last is listed first
        own = f"Comma-separated; these {what}' records only."
        command = click.option(f"--{what}", help=own)(command)
    return command


def of_part(
    records: Sequence[_Record], models: str | None, tasks: str | None, protocols: str | None
) -> list[_Record]:
    """The records of the models, tasks and protocols named. Raises UserError if one has none."""
    found = list(records)
    for kind, text in (("model", models), ("task", tasks), ("protocol", protocols)):
        if text is not None:
            found = only(found, kind, names(text))
    return found


def only(records: Sequence[_Record], part: str, names: Sequence[str]) -> list[_Record]:
    """The records of the named models, tasks or protocols. Raises UserError if one has none."""
    there = sorted({record[part]["name"] for record in records})
    for name in names:
        if name not in there:
            found = ", ".join(there) or "none"
            raise UserError(f"expected records of the {part} {name}, found those of {found}")
    return [record for record in records if record[part]["name"] in names]


def data_folder(given: Path | None) -> Path:
    """The folder with the data sets; only the default one may be missing until it is needed."""
    if given is not None and not given.is_dir():
        raise UserError(
            f"expected the data folder {given} to exist, found none; create it or pass --data"
        )
    return given or DEFAULT_DATA


def exit_code(failures: Mapping[str, Exception]) -> int:
    """What a command ends with whose tasks failed so: nothing, mistakes only, or worse."""
    if not failures:
        return 0
    return MISTAKE if all(isinstance(e, UserError) for e in failures.values()) else FAULT


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
