"""`check`: new records against the references, for a build to fail on."""

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click
from tabulate import tabulate

from harness import gate
from harness.commands import options
from harness.commands.table import stale
from harness.errors import UserError
from harness.gate import Checked, points
from harness.tables import pages


@click.command("check")
@click.option(
    "--results",
    "new_folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the new records.",
)
@click.option(
    "--reference",
    "reference_folder",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the records that they are held to.",
)
@options.part
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=100 * gate.TOLERANCE,
    show_default=True,
    help="Points (hundredths of a score) that a score may drop by; at least one clip's worth.",
)
@click.option("--update", is_flag=True, help="Make the new records the references.")
@click.option("--reason", help="Why, in one line; kept in UPDATES.md beside the references.")
def check(
    new_folder: Path,
    reference_folder: Path,
    models: str | None,
    tasks: str | None,
    protocols: str | None,
    tolerance: float,
    update: bool,
    reason: str | None,
) -> int:
    """Fail if a score dropped, or is no longer of the same data by the same protocol."""
    if update != (reason is not None):
        raise UserError("expected --update and --reason together, found one of them")
    if math.isnan(tolerance):  # no drop is beyond it
        raise UserError("expected a --tolerance in points, found nan")
    if new_folder.resolve() == reference_folder.resolve():
        raise UserError(f"expected new records and references apart, found {new_folder} for both")
    selection = gate.Selection(*(_names(given) for given in (models, tasks, protocols)))
    references, new = (gate.read(folder, selection) for folder in (reference_folder, new_folder))
    checked = gate.check(references, new, selection, tolerance / 100)
    _show(checked)
    if reason is not None:
        replaced = gate.update(reference_folder, references, new, checked, reason)
        pages.refresh(reference_folder)
        for name in replaced:
            click.echo(f"replaced {name}")
        click.echo(f"{len(replaced)} of {_counted(len(checked), 'reference')} replaced")
        return 0
    faults = [f"{each.name}: {fault}" for each in checked for fault in each.faults]
    if not any(entry.fault for entry in references.values()):  # or no table can be made of them
        faults += stale(reference_folder)
    for fault in faults:
        click.echo(f"FAIL {fault}")
    click.echo(f"{_counted(len(checked), 'record')} checked, {_counted(len(faults), 'fault')}")
    return options.FAULT if faults else 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _names(given: str | None) -> tuple[str, ...]:
    return () if given is None else tuple(options.names(given))


def _show(checked: Sequence[Checked]) -> None:
    """Print the table of what changed, and the notes, those alike together."""
    rows = [_row(each) for each in checked if not each.same]
    if rows:
        heads = ("record", "reference", "new", "change", "p (Holm)", "")
        click.echo(tabulate(rows, heads, tablefmt="github", disable_numparse=True))
    notes = sorted((note, str(each.name)) for each in checked for note in each.notes)
    for note, alike in groupby(notes, key=lambda one: one[0]):
        names = [name for _, name in alike]
        whose = names[0] if len(names) == 1 else f"{len(names)} records"
        click.echo(f"note {whose}: {note}")


def _row(each: Checked) -> tuple[str, ...]:
    none = "–"
    scores = (none if score is None else points(score) for score in (each.old, each.new))
    moved = none
    if each.old is not None and each.new is not None:
        moved = f"{100 * (each.new - each.old):+.2f}"
    p = f"{each.p:.2g}" if each.p == each.p else none  # NaN is not itself
    return str(each.name), *scores, moved, p, "FAIL" if each.faults else ""
