"""The command line: `python -m harness …`. It and `harness/commands/` are all that prints."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from harness.commands import show
from harness.commands.cache import cache
from harness.commands.check import check
from harness.commands.compare import compare
from harness.commands.options import INTERRUPTED, MISTAKE
from harness.commands.plot import plot
from harness.commands.prepare import prepare
from harness.commands.report import report_
from harness.commands.run import run
from harness.commands.table import table
from harness.errors import UserError, storage_error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Measure audio encoders: any HEAR module, on any task, with any protocol."""


for _command in (
    run,
    prepare,
    check,
    compare,
    show.list_,
    table,
    plot,
    report_,
    show.validate,
    cache,
    show.doctor_,
):
    cli.add_command(_command)


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
