"""The data sets that encoders are measured on: one file per task; the folder is the registry.

The tasks of HEAR share a layout and a file: `tasks.hear` is their registry.
"""

import difflib
import importlib
import pkgutil

from tasks import hear
from tasks.errors import UserError
from tasks.spec import Task

_INFRASTRUCTURE = {
    "acquire",
    "archive",
    "balance",
    "connection",
    "download",
    "errors",
    "growing",
    "hear",
    "hear_layout",
    "hear_metadata",
    "index",
    "measure",
    "obtain",
    "parallel",
    "parquet",
    "prepare",
    "recordings",
    "spec",
    "stamp",
    "synthesis",
    "table",
    "transfer",
    "wav",
    "webdataset",
    "zenodo",
}


def names() -> list[str]:
    """Return the names of all tasks, sorted."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)} - _INFRASTRUCTURE
    return sorted([*(module.replace("_", "-") for module in modules), *hear.TASKS])


def load(name: str) -> Task:
    """Return the task called `name`; `hear:/path` is that of a HEAR directory anywhere.

    Raises UserError for an unknown one, or a directory that holds none.
    """
    if name.startswith(hear.PREFIX):
        return hear.local(name.removeprefix(hear.PREFIX))
    if name in hear.TASKS:
        return hear.TASKS[name]
    known = names()
    if name not in known:
        close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UserError(f"unknown task {name!r}: {meant}the tasks are {', '.join(known)}")
    task: Task = importlib.import_module(f"tasks.{name.replace('-', '_')}").TASK
    return task
