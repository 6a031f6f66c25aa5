"""`compare`: models on the same clips, task by task, with paired tests."""

from pathlib import Path

import click

from harness import comparison
from harness.commands import options
from harness.tables.formats import FORMATS

_FACTS = {"csv": comparison.as_csv, "json": comparison.as_json}  # unrounded, for programs


@click.command("compare")
@click.argument("models", nargs=-1, required=True)
@options.results
@click.option("--tasks", help="Comma-separated; these tasks only.")
@click.option("--protocols", help="Comma-separated; these protocols only.")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS)),
    default="markdown",
    show_default=True,
    help="What the tables are printed as.",
)
def compare(
    models: tuple[str, ...],
    results_folder: Path,
    tasks: str | None,
    protocols: str | None,
    form: str,
) -> None:
    """Compare the first of MODELS with each other one: differences, paired tests, ranks.

    A model is named as in the results folder, or by the path of its folder in another one.
    """
    found = comparison.read(models, results_folder)
    wanted = [() if given is None else options.names(given) for given in (protocols, tasks)]
    if form in _FACTS:
        click.echo(_FACTS[form](found, *wanted), nl=False)
    else:
        click.echo(FORMATS[form](comparison.sections(found, *wanted)), nl=False)
