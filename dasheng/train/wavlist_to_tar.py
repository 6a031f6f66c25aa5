"""`wavlist_to_tar your_data.tsv shards/`: pack the files of a list into shards for training.

Options, names of shards and members, and the columns beside a file as its `.json` are the published
script's. The same list, files and seed give the same shards to the byte, and a shard has its name
only when it is complete.
"""

from __future__ import annotations

import glob
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NoReturn

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dasheng.files import write_whole
from dasheng.train import filelist, pack
from dasheng.train.filelist import Entry
from dasheng.train.pack import Shard
from tasks.errors import UserError

MISTAKE = 2
INTERRUPTED = 130


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.argument("input_filelist", type=click.Path(path_type=Path))
@click.argument("outputdir", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "-s", "--size_per_file", default=10000, type=click.IntRange(1), help="Files in a shard."
)
@click.option(
    "-n", "--n_workers", default=4, type=click.IntRange(1), help="Shards written at the same time."
)
@click.option("--filename_column", default="filename", help="The column that names the files.")
@click.option("-d", "--delim", default="\t", show_default="tab", help="What parts the columns.")
@click.option("--compress", is_flag=True, help="Write .tar.gz; audio gets hardly smaller.")
@click.option(
    "--write_json",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write an index of the shards, for the library wids.",
)
@click.option(
    "--on-duplicate",
    type=click.Choice(["error", "rename"]),
    default="error",
    help="Files of the same name: refuse them, or number them.",
)
@click.option("--seed", default=42, type=click.IntRange(0), help="Of the order within a shard.")
def cli(
    input_filelist: Path,
    outputdir: Path,
    size_per_file: int,
    n_workers: int,
    filename_column: str,
    delim: str,
    compress: bool,
    write_json: Path | None,
    on_duplicate: str,
    seed: int,
) -> None:
    """Pack the files named in INPUT_FILELIST into shards in OUTPUTDIR.

    The list is a table with a header line, of which one column names the files and the others go
    into a .json beside each; or it has no header and names a file on each line. A shard holds files
    that follow each other in the list, in random order: shuffle the list itself first.
    """
    delim = "\t" if delim == r"\t" else delim
    if len(delim) != 1:
        raise UserError(f"expected --delim to be one character, found {delim!r}")
    entries = filelist.read(input_filelist, filename_column, delim)
    entries = filelist.unique(entries, rename=on_duplicate == "rename")
    stem, suffix = input_filelist.stem, ".tar.gz" if compress else ".tar"
    parts = range(0, len(entries), size_per_file)
    shards = [
        Shard(
            file=outputdir / f"{stem}_{number:07d}{suffix}",
            entries=_shuffled(entries[start : start + size_per_file], seed, number),
        )
        for number, start in enumerate(parts)
    ]
    try:
        outputdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{outputdir}: could not make the folder, {error.strerror}") from None
    _refuse_others(shards, outputdir, stem)
    with _progress(len(entries)) as advance:
        pack.write(shards, n_workers, advance)
    if write_json is not None:
        _write_index(shards, write_json)
    numbers = f"{{0000000..{len(shards) - 1:07d}}}" if len(shards) > 1 else "0000000"
    pattern = outputdir / f"{stem}_{numbers}{suffix}"
    click.echo(f"packed {len(entries)} files; for the configuration: train_data: {pattern}")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; mistakes become one line and exit code 2."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = 0
    try:
        code = cli.main(arguments, prog_name="wavlist_to_tar", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        code = MISTAKE
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        code = MISTAKE
    except click.Abort:
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    except pack.Interrupted as error:
        click.echo(f"interrupted; {error}", err=True)
        code = INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(code)


def _shuffled(entries: Sequence[Entry], seed: int, number: int) -> list[Entry]:
    order = np.random.default_rng([seed, number]).permutation(len(entries))
    return [entries[place] for place in order]


def _refuse_others(shards: Sequence[Shard], folder: Path, stem: str) -> None:
    """Shards that an earlier run left beside these would be trained on with them."""
    ours = {shard.file for shard in shards}
    pattern = f"{glob.escape(stem)}_" + "[0-9]" * 7 + ".tar*"
    if others := sorted(set(folder.glob(pattern)) - ours):
        raise UserError(
            f"expected no other shards of {stem} in {folder}, found {len(others)} of an earlier "
            f"run, first {others[0].name}; remove them, or write to another folder"
        )


def _write_index(shards: Sequence[Shard], file: Path) -> None:
    """What `wids` finds samples by: https://github.com/webdataset/webdataset."""
    known = [{"url": str(shard.file), "nsamples": len(shard.entries)} for shard in shards]
    try:
        write_whole(file, json.dumps({"wids_version": 1, "shardlist": known}).encode())
    except OSError as error:
        raise UserError(f"{file}: could not write the index, {error.strerror}") from None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """What to call for each file: moves a bar on a terminal, prints a line per tenth elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("packing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        done, one_at_a_time = 0, Lock()

        def advance() -> None:
            nonlocal done
            with one_at_a_time:
                done += 1
                bar.advance(task)
                if not console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
                    click.echo(f"packed {done} of {total} files", err=True)

        yield advance
