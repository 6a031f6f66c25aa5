"""`report`: all that is known of some records, as one HTML file."""

from pathlib import Path

import click

from harness import judged, report, results
from harness.commands import options
from harness.errors import UserError
from harness.files import write_atomically
from harness.judged import Kept
from harness.report.content import Record
from harness.tables import published


@click.command("report")
@options.results
@options.part
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: report.html in the folder of the records]",
)
def report_(
    results_folder: Path,
    models: str | None,
    tasks: str | None,
    protocols: str | None,
    output: Path | None,
) -> None:
    """Write one HTML file: tables, pictures, and what lies behind every score.

    It opens in a browser, needs no network and can be printed.
    """
    records = list(results.read_all(results_folder))
    if not records:
        raise UserError(f"expected records in {results_folder}, found none; pass --results")
    records = options.of_part(records, models, tasks, protocols)

    def kept(record: Record) -> Kept:
        names = (record[part]["name"] for part in ("model", "task", "protocol"))
        return judged.read(results.path(results_folder, *names), record)

    page = report.html(records, kept, published.beside(records, results_folder))
    file = output or results_folder / "report.html"
    write_atomically(file, page.encode())
    click.echo(file)
