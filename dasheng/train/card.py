"""`python -m dasheng.train.card RUN_FOLDER`: the numbers of a model card, from what was measured.

A card is prose that a person writes. Its numbers stand between marks, `<!-- scores -->` and
`<!-- end -->`, and are written by this alone: from the run's `config.yaml` and `log.jsonl`, and
from the records of the encoder, of its random likeness and of MelSpec. The curves go beside it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from dasheng import checkpoint
from dasheng.train import figures
from dasheng.train.config import read
from dasheng.train.curves import draw
from dasheng.train.measured import measured
from tasks.errors import UserError

MISTAKE = 2
CARD = checkpoint.SHIPPED[figures.OWN].with_name("README.md")


@click.command()
@click.argument("run_folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--results", default=Path("results"), show_default=True, type=click.Path(path_type=Path)
)
@click.option("--card", default=CARD, show_default=True, type=click.Path(path_type=Path))
def main(run_folder: Path, results: Path, card: Path) -> None:
    """Write the numbers of the model CARD, and the curves of a run beside it."""
    try:
        curves = write(run_folder, results, card)
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(MISTAKE)
    click.echo(f"{card}, {curves}")


def write(run_folder: Path, results: Path, card: Path) -> Path:
    """Fill in the card; return the file of the curves.

    Raises:
        UserError: there are no records of the encoder or they are of several weights, the run was
            not evaluated, or the card lacks a mark.
    """
    log = figures.log(run_folder / "log.jsonl")
    found = {name: measured(results / name) for name in (figures.OWN, *figures.OTHERS)}
    own = [each.record for each in found[figures.OWN].values()]
    if len({record["model"]["weights_sha256"] for record in own}) != 1:
        raise UserError(f"expected records of one tiny in {results}, found none or of several")
    text = card.read_text(encoding="utf-8")
    for name, numbers in {
        "training": figures.training(read(run_folder / "config.yaml"), log, own[0]),
        "scores": figures.scores(found),
        "steps": figures.steps(log),
    }.items():
        text = _filled(text, name, numbers)
    curves = card.with_name("curves.svg")
    curves.write_text(draw(figures.panels(log, found)), encoding="utf-8")
    card.write_text(text, encoding="utf-8")
    return curves


def _filled(text: str, name: str, numbers: str) -> str:
    """Put numbers between a mark and its end, in place of what stood there."""
    mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not mark.search(text):
        raise UserError(f"expected <!-- {name} --> … <!-- end --> in the card, found none")
    return mark.sub(lambda found: f"{found[1]}\n{numbers}\n\n{found[2]}", text)


if __name__ == "__main__":
    main()
