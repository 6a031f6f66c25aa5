"""The command line: `python -m harness …`. The only file that prints."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

import tasks
from harness import contract, doctor, results, tables
from harness.cache import Cache, Entry
from harness.display import Display
from harness.embed import PRECISIONS, Settings
from harness.encoder import ALIASES
from harness.errors import UserError, storage_error
from harness.files import write_atomically
from harness.protocols import PROTOCOLS
from harness.runner import Plan, run

FAULT, MISTAKE, INTERRUPTED = 1, 2, 130

_data = click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="HARNESS_DATA",
    help="Folder with the data sets; what is missing is downloaded there.  [default: data]",
)
_cache = click.option(
    "--cache",
    "cache_folder",
    type=click.Path(path_type=Path),
    envvar="HARNESS_CACHE",
    default=lambda: _user_cache() / "dasheng-bench",
    help="Folder for embeddings and indexes.  [default: the user's cache folder]",
)
_results = click.option(
    "--results",
    "results_folder",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder for records and tables.",
)
_device = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure audio encoders: any HEAR module, on any task, with any protocol."""


@cli.command("run")
@click.option("--tasks", "task_names", required=True, help="Comma-separated; see `list tasks`.")
@click.option(
    "--model",
    required=True,
    help="An alias (see `list models`), a HEAR module, module:checkpoint, or a checkpoint file.",
)
@click.option(
    "--protocols",
    default="knn,linear",
    show_default=True,
    help="Comma-separated; see `list protocols`.",
)
@_data
@_cache
@_results
@_device
@click.option(
    "--precision", type=click.Choice(list(PRECISIONS)), default="float32", show_default=True
)
@click.option(
    "--batch-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=Settings.batch_seconds,
    show_default=True,
    help="Audio in one batch, s.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=os.cpu_count(),
    help="Threads that decode audio.  [default: one per core]",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Use N clips of each task; marked partial."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--skip-bad", is_flag=True, help="Leave out clips that cannot be read; counted and marked."
)
def _run(
    task_names: str,
    model: str,
    protocols: str,
    data: Path | None,
    cache_folder: Path,
    results_folder: Path,
    device: str,
    precision: str,
    batch_seconds: float,
    workers: int,
    limit: int | None,
    seed: int,
    skip_bad: bool,
) -> int:
    """Measure a model on tasks and write the records."""
    if data is None:
        data = Path("data")
        data.mkdir(exist_ok=True)
    plan = Plan(
        model=model,
        tasks=_names(task_names),
        protocols=_names(protocols),
        data=data,
        cache=cache_folder,
        results=results_folder,
        device=device,
        seed=seed,
        limit=limit,
        settings=Settings(
            precision=precision, batch_seconds=batch_seconds, workers=workers, skip_bad=skip_bad
        ),
    )
    with Display() as display:
        summary = run(plan, display)
    if summary.records:
        click.echo()
        click.echo(tables.markdown(summary.records))
        _write_table(results_folder)
    if not summary.failures:
        return 0
    mistakes = all(isinstance(error, UserError) for error in summary.failures.values())
    return MISTAKE if mistakes else FAULT


@cli.command("list")
@click.argument("kind", type=click.Choice(["tasks", "models", "protocols"]), required=False)
def _list(kind: str | None) -> None:
    """Show what can be named on the command line."""
    lists: dict[str, Callable[[], Sequence[tuple[str, str]]]] = {
        "tasks": lambda: [(name, tasks.load(name).title) for name in tasks.names()],
        "models": lambda: sorted(ALIASES.items()),
        "protocols": lambda: [
            (name, ", ".join(f"{key} {value}" for key, value in protocol.params.items()))
            for name, protocol in PROTOCOLS.items()
        ],
    }
    for name in [kind] if kind else lists:
        if not kind:
            click.echo(f"{name}:")
        for key, text in lists[name]():
            click.echo(f"  {key:16} {text}" if not kind else f"{key:16} {text}")


@cli.command("table")
@_results
def _table(results_folder: Path) -> None:
    """Regenerate results/README.md from the records and print it."""
    click.echo(_write_table(results_folder))


@cli.command("validate")
@click.argument("module")
@_device
@click.option("--json", "as_json", is_flag=True, help="Machine-readable report.")
def _validate(module: str, device: str, as_json: bool) -> int:
    """Check MODULE[:CHECKPOINT] against the HEAR API, and for faults that ruin scores."""
    report = contract.validate(module, device)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    return 0 if report.ok else FAULT


@cli.group("cache")
def _cache_group() -> None:
    """Look after the embeddings on disk."""


@_cache_group.command("ls")
@_cache
def _cache_ls(cache_folder: Path) -> None:
    """List the entries: model, data set, precision, size, state."""
    for entry in Cache(cache_folder).entries():
        click.echo(_describe(entry))


@_cache_group.command("rm")
@click.argument("model", required=False)
@click.option("--all", "everything", is_flag=True, help="Every model.")
@_cache
def _cache_rm(model: str | None, everything: bool, cache_folder: Path) -> None:
    """Delete the embeddings of MODEL (or of every model)."""
    if everything == bool(model):
        raise UserError("expected a model or --all, found both or neither; see `cache ls`")
    cache = Cache(cache_folder)
    found = [entry for entry in cache.entries() if everything or entry.key.get("model") == model]
    if model and not found:
        raise UserError(
            f"expected embeddings of {model!r} in {cache_folder}, found none; see `cache ls`"
        )
    for entry in found:
        click.echo(f"removed {_describe(entry)}")
        cache.remove(entry)


@_cache_group.command("verify")
@_cache
def _cache_verify(cache_folder: Path) -> int:
    """Read every shard back; name the damaged ones (the next run recomputes them)."""
    bad = [shard for entry in Cache(cache_folder).entries() for shard in entry.damaged()]
    for shard in bad:
        click.echo(f"damaged: {shard}")
    click.echo(f"{len(bad)} damaged" if bad else "all embeddings read back")
    return FAULT if bad else 0


@cli.command("doctor")
@_data
@_cache
def _doctor(data: Path | None, cache_folder: Path) -> None:
    """Show versions, devices, folders and what is missing."""
    for key, text in doctor.examine(data or Path("data"), cache_folder):
        click.echo(f"{key:16} {text}")


def _describe(entry: Entry) -> str:
    key = entry.key
    state = "complete" if entry.rows is not None else "partial"
    return (
        f"{key.get('model', '?'):24} {key.get('dataset', '?'):12} {key.get('precision', '?'):8} "
        f"{entry.size / 1e6:9.1f} MB  {state}  {entry.folder.name}"
    )


def _write_table(results_folder: Path) -> str:
    text = tables.markdown(results.read_all(results_folder))
    head = (
        "# Results\n\nGenerated by `python -m harness table` from the records in this folder.\n\n"
    )
    write_atomically(results_folder / "README.md", (head + text).encode())
    return text


def _names(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UserError(f"expected comma-separated names, found {text!r}")
    return names


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line; mistakes become one line and exit code 2."""
    try:
        code = cli.main(arguments, prog_name="python -m harness", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = MISTAKE
    except click.Abort:
        click.echo("interrupted; the same command resumes", err=True)
        code = INTERRUPTED
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        code = MISTAKE
    except OSError as error:
        known = storage_error(error)
        if known is None:
            raise
        click.echo(f"error: {known}", err=True)
        code = MISTAKE
    sys.exit(code)
