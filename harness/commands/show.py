"""`list`, `validate`, `doctor`: commands that look and tell."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import click

import tasks
from harness import contract, doctor, tables
from harness.commands import options
from harness.protocols import PROTOCOLS
from harness.suites import SUITES
from harness.targets import ALIASES, FORMS


@click.command("list")
@click.argument(
    "kind", type=click.Choice(["tasks", "suites", "models", "protocols"]), required=False
)
def list_(kind: str | None) -> None:
    """Show what can be named on the command line."""
    lists: dict[str, Callable[[], Sequence[tuple[str, str]]]] = {
        "tasks": lambda: [(name, tasks.load(name).title) for name in tasks.names()],
        "suites": lambda: [(name, _suite(name)) for name in SUITES],
        "models": lambda: [*sorted(ALIASES.items()), *FORMS],
        "protocols": lambda: [
            (name, tables.brief(each.params)) for name, each in PROTOCOLS.items()
        ],
    }
    for name in [kind] if kind else lists:
        if not kind:
            click.echo(f"{name}:")
        rows = lists[name]()
        width = max(len(key) for key, _ in rows)
        for key, text in rows:
            click.echo(f"{'' if kind else '  '}{key:{width}} {text}")


@click.command("validate")
@click.argument("module")
@options.device
@options.trust_remote_code
@click.option("--json", "as_json", is_flag=True, help="Machine-readable report.")
def validate(module: str, device: str, trust_remote_code: bool, as_json: bool) -> int:
    """Check MODULE[:CHECKPOINT] against the HEAR API, and for faults that ruin scores."""
    report = contract.validate(module, device, trust_remote_code=trust_remote_code)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    return 0 if report.ok else options.FAULT


@click.command("doctor")
@options.data
@options.cache
def doctor_(data: Path | None, cache_folder: Path) -> None:
    """Show versions, devices, folders and what is missing."""
    for key, text in doctor.examine(data or options.DEFAULT_DATA, cache_folder):
        click.echo(f"{key:16} {text}")


def _suite(name: str) -> str:
    suite = SUITES[name]
    return f"{suite.title}: {', '.join(suite.tasks)}; {', '.join(suite.protocols)}"
