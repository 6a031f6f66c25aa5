"""`prepare`: bring the data of tasks, make their indexes, or check them again."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

import tasks
from harness.cache import Cache
from harness.commands import consent, offers, options
from harness.display import Display, mistake
from harness.errors import UserError
from harness.runner import Download, prepared, survived
from tasks.acquire import Offer
from tasks.prepare import Index, verify
from tasks.spec import Task


@click.command("prepare")
@options.tasks_or_suite
@options.data
@options.cache
@click.option("--dry-run", is_flag=True, help="Only say what would be fetched, and from where.")
@click.option("--verify", "again", is_flag=True, help="Read all clips again; name damaged ones.")
@options.yes
def prepare(
    task_names: str | None,
    suite: str | None,
    data: Path | None,
    cache_folder: Path,
    dry_run: bool,
    again: bool,
    yes: bool,
) -> int:
    """Bring the data of tasks and make their indexes, without measuring a model."""
    if dry_run and again:
        raise UserError("expected --dry-run or --verify, found both")
    chosen = [tasks.load(name) for name in options.chosen(task_names, suite)]
    folder = options.data_folder(data)
    if again:
        return _verify(chosen, folder, cache_folder)
    lacks, faults = consent.lacking(chosen, folder, cache_folder)
    if dry_run:
        _foresee(chosen, lacks, faults)
        return options.exit_code(faults)
    download = consent.ask(lacks, yes=yes)
    folder.mkdir(exist_ok=True)
    return _prepare(chosen, folder, cache_folder, download)


def _prepare(chosen: Sequence[Task], data: Path, cache_folder: Path, download: Download) -> int:
    failures: dict[str, Exception] = {}
    described: list[str] = []
    with Display() as display:
        for task in chosen:
            with survived(task.name, failures, display):
                described += _described(prepared(task, data, cache_folder, display, download))
    for line in described:
        click.echo(line)
    return options.exit_code(failures)


def _verify(chosen: Sequence[Task], data: Path, cache_folder: Path) -> int:
    failures: dict[str, Exception] = {}
    damaged: dict[str, list[str]] = {}
    with Display() as display:
        for task in chosen:
            with survived(task.name, failures, display):
                index = Cache(cache_folder).index
                damaged[task.name] = verify(task, data, index=index, progress=display.verify)
    for name, lines in damaged.items():
        click.echo("\n".join(f"{name}: damaged: {line}" for line in lines) or f"{name}: sound")
    if not any(damaged.values()):
        return options.exit_code(failures)
    click.echo("restore these files; an archive that was fetched may be deleted and fetched again")
    return options.FAULT


def _foresee(
    chosen: Sequence[Task], lacks: Sequence[Offer], faults: Mapping[str, Exception]
) -> None:
    """Print what preparing would fetch."""
    for name, fault in faults.items():
        click.echo(mistake(name, fault), err=True)
    open_ = {*faults, *(offer.task for offer in lacks)}
    there = [task.name for task in chosen if task.name not in open_]
    if there:
        click.echo(f"nothing to fetch for {', '.join(there)}")
    if lacks:
        click.echo("\n".join(offers.lines(lacks)))


def _described(index: Index) -> Iterator[str]:
    clips = index.clips
    count = Counter(clips["split"])
    splits = ", ".join(f"{split} {count[split]}" for split in index.task.expected or sorted(count))
    known, unknown = clips[clips["sample_rate"] > 0], clips[clips["sample_rate"] == 0]
    hours = float((known["frames"] / known["sample_rate"]).sum()) / 3600
    yield f"{index.task.name}: {index.task.title}"
    yield f"  clips    {len(clips)}: {splits}"
    if len(unknown):
        yield f"  unread   {len(unknown)}, the first is {unknown['id'].iloc[0]}"
    yield f"  classes  {len(index.classes)}"
    yield f"  source   {index.source}"
    yield f"  audio    {hours:,.2f} h"
    yield f"  where    {os.path.commonpath(clips['path'].unique())}"
