"""`plot`: the records as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from harness import figures, results, suites
from harness.commands import options
from harness.errors import UserError
from harness.files import write_atomically

Record = dict[str, Any]


@click.command("plot")
@click.argument("kinds", nargs=-1, type=click.Choice(list(figures.KINDS)), metavar="[KIND]…")
@options.results
@options.part
@click.option("--suite", help="A named list of tasks instead; see `list suites`.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for the pictures.  [default: figures/ in that of the records]",
)
@click.option(
    "--format", "form", type=click.Choice(["svg", "png"]), default="svg", show_default=True
)
def plot(
    kinds: Sequence[str],
    results_folder: Path,
    models: str | None,
    tasks: str | None,
    suite: str | None,
    protocols: str | None,
    output: Path | None,
    form: str,
) -> None:
    """Draw the records as pictures, a file per KIND and protocol.

    KIND is radar (an axis per task), bars (with intervals), k (kNN over k) or size (over the
    number of parameters); without any, all that there are enough scores for.
    """
    if tasks is not None and suite is not None:
        raise UserError("expected --tasks or --suite, found both")
    records = list(results.read_all(results_folder))
    if not records:
        raise UserError(f"expected records in {results_folder}, found none; pass --results")
    records = options.of_part(records, models, tasks, protocols)
    if suite is not None:
        records = _of_suite(records, suite)
    drawn, left_out = figures.pictures(records, kinds, named=tasks is not None)
    for picture in drawn:
        file = (output or results_folder / "figures") / f"{picture.name}.{form}"
        data = figures.svg(picture).encode() if form == "svg" else figures.png(picture)
        write_atomically(file, data)
        click.echo(file)
    for name, reason in left_out.items():
        click.echo(f"left out {name}: {reason}", err=True)


def _of_suite(records: Sequence[Record], suite: str) -> list[Record]:
    wanted = suites.load(suite).tasks
    found = [record for record in records if record["task"]["name"] in wanted]
    if not found:
        raise UserError(f"expected records on tasks of the suite {suite}, found none")
    return found
