"""`table`: the records' tables, printed, and kept fresh in the pages that show them."""

from pathlib import Path

import click

from harness import results, tables
from harness.commands import options
from harness.errors import UserError
from harness.tables import pages, published
from harness.tables.formats import FORMATS


@click.command("table")
@options.results
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS)),
    help="Print the tables so, and write nothing.",
)
@click.option("--intervals", is_flag=True, help="Print 95 % intervals behind scores.")
@click.option("--check", is_flag=True, help="Write nothing; fail if a page is stale.")
def table(results_folder: Path, form: str | None, intervals: bool, check: bool) -> int:
    """Regenerate the tables between the marks of results/README.md and README.md; print them."""
    if check and (form or intervals):
        raise UserError("expected --check alone, found it with --format or --intervals")
    if check:
        return tell_stale(results_folder)
    if form is None:
        pages.refresh(results_folder)
    records = list(results.read_all(results_folder))
    known = published.beside(records, results_folder)
    found = tables.sections(records, known, intervals=intervals)
    click.echo(FORMATS[form or "markdown"](found), nl=False)
    return 0


def tell_stale(results_folder: Path) -> int:
    """Print a line for each page that is stale; the exit code."""
    stale = pages.stale(results_folder)
    for page in stale:
        click.echo(f"FAIL {page}: its tables are not those of the records; run `harness table`")
    return options.FAULT if stale else 0
