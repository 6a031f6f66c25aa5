"""`table`: the records' tables, printed, and kept fresh in the pages that show them."""

from pathlib import Path

import click

from harness import tables
from harness.commands import options
from harness.errors import UserError
from harness.tables import pages
from harness.tables.formats import FORMATS


@click.command("table")
@options.results
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS)),
    help="Print the tables so, and write nothing.",
)
@options.part
@click.option("--intervals", is_flag=True, help="Print 95 % intervals behind scores.")
@click.option("--check", is_flag=True, help="Write nothing; fail if a page is stale.")
def table(
    results_folder: Path,
    form: str | None,
    models: str | None,
    tasks: str | None,
    protocols: str | None,
    intervals: bool,
    check: bool,
) -> int:
    """Regenerate the tables between the marks of results/README.md and README.md; print them.

    What is chosen to be printed has no say in the pages: they have all records. Of published
    tables those are printed that concern what is chosen.
    """
    named = any((models, tasks, protocols))
    if check and (form or intervals or named):
        raise UserError("expected --check alone, found it with what is to be printed")
    if check:
        lines = stale(results_folder)
        for line in lines:
            click.echo(f"FAIL {line}")
        return options.FAULT if lines else 0
    if form is None:
        pages.refresh(results_folder)
    source = pages.read(results_folder)
    records = options.of_part(source.records, models, tasks, protocols)
    known = [each for each in source.published if not named or each.concerns(records)]
    found = tables.sections(records, known, intervals=intervals)
    click.echo(FORMATS[form or "markdown"](found), nl=False)
    return 0


def stale(results_folder: Path) -> list[str]:
    """A line for each page whose tables are not those of the records."""
    return [
        f"{page}: its tables are not those of the records; run "
        f"`python -m harness table --results {results_folder}`"
        for page in pages.stale(results_folder)
    ]
