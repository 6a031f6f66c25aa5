"""Nothing is downloaded before its licence, size and source were shown and agreed to."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cache import Cache
from harness.commands import offers
from harness.errors import UserError
from harness.runner import Download
from tasks.acquire import Offer
from tasks.download import fetch
from tasks.prepare import missing
from tasks.spec import Archive, Task
from tasks.transfer import Progress


def lacking(
    chosen: Sequence[Task], data: Path, cache_folder: Path
) -> tuple[list[Offer], dict[str, Exception]]:
    """What the tasks lack in `data`, and what went wrong in finding out. Asks the disk only."""
    lacks, faults = [], {}
    for task in chosen:
        try:
            lacks.append(missing(task, data, index=Cache(cache_folder).index))
        except Exception as error:  # preparing the task meets it again and reports it
            faults[task.name] = error
    return [offer for offer in lacks if offer is not None], faults


def ask(lacks: Sequence[Offer], *, yes: bool) -> Download:
    """Show what the tasks lack, and ask; return what downloads that, and nothing else.

    `yes` agrees beforehand, also to what shows later only: audio at a rate of which nothing
    was missing until the encoder was known. Raises UserError if a person declines or there is
    none to ask.
    """
    wanted = offers.fetched(lacks)
    names = ", ".join(offer.task for offer in wanted)
    amount = offers.size(offers.download(lacks))
    if wanted and not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(
            f"expected --yes or a terminal to ask at before downloading {amount} for {names}, "
            "found neither; `prepare --dry-run` shows licences, sizes and sources"
        )
    if lacks:
        click.echo("\n".join(offers.lines(lacks)), err=True)
    if wanted and not yes and not click.confirm(f"Download {amount}?", err=True):
        raise UserError(f"expected agreement to download {names}, found none; nothing was changed")
    agreed = {offer.folder.resolve() for offer in wanted}

    def download(archive: Archive, folder: Path, *, progress: Progress) -> Path:
        shown = folder.resolve() in agreed or (folder / archive.filename).exists()
        if not shown and not yes:
            raise UserError(
                f"expected {archive.filename} in {folder} or agreement to download it, found "
                "neither; run again with --yes to agree"
            )
        if not shown:
            click.echo(f"{archive.filename}: {archive.licence} ({archive.page})", err=True)
        return fetch(archive, folder, progress=progress)

    return download
