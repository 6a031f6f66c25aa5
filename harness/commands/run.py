"""`run`: measure models on tasks and write the records."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from harness import runner, suites
from harness.commands import consent, options
from harness.display import Display
from harness.encoder import import_module
from harness.runner import Plan
from harness.shards import PRECISIONS, Settings
from harness.tables import pages
from harness.targets import resolve


@click.command("run")
@options.tasks_or_suite
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    help="An alias (see `list models`), hf:org/name[@revision][#layer], xares:file.py, a HEAR "
    "module, module:checkpoint, or a checkpoint file. Repeat it for several in one table.",
)
@click.option(
    "--protocols",
    help="Comma-separated; see `list protocols`.  [default: the suite's, or each task's own]",
)
@options.data
@options.cache
@options.results
@options.device
@options.trust_remote_code
@click.option(
    "--precision", type=click.Choice(list(PRECISIONS)), default="float32", show_default=True
)
@click.option(
    "--batch-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=Settings.batch_seconds,
    show_default=True,
    help="Audio in one batch, s.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=os.cpu_count(),
    help="Threads that decode audio.  [default: one per core]",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Use N clips of each task; marked partial."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--skip-bad", is_flag=True, help="Leave out clips that cannot be read; counted and marked."
)
@options.yes
def run(
    task_names: str | None,
    suite: str | None,
    models: tuple[str, ...],
    protocols: str | None,
    data: Path | None,
    cache_folder: Path,
    results_folder: Path,
    device: str,
    trust_remote_code: bool,
    precision: str,
    batch_seconds: float,
    workers: int,
    limit: int | None,
    seed: int,
    skip_bad: bool,
    yes: bool,
) -> int:
    """Measure models on tasks and write the records."""
    plan = Plan(
        model=models[0],
        tasks=options.chosen(task_names, suite),
        protocols=_protocols(protocols, suite),
        data=options.data_folder(data),
        cache=cache_folder,
        results=results_folder,
        device=device,
        trust_remote_code=trust_remote_code,
        seed=seed,
        limit=limit,
        settings=Settings(
            precision=precision, batch_seconds=batch_seconds, workers=workers, skip_bad=skip_bad
        ),
    )
    for model in models:  # the last one's misspelt name should not wait for the first's scores
        import_module(resolve(model), model)
    lacks, _ = consent.lacking(runner.check(plan), plan.data, plan.cache)
    plan = replace(plan, download=consent.ask(lacks, yes=yes))
    plan.data.mkdir(exist_ok=True)
    summary = _measure([replace(plan, model=model) for model in dict.fromkeys(models)])
    if summary.records:
        _show(summary, results_folder)
    return options.exit_code(summary.failures)


def _protocols(given: str | None, suite: str | None) -> list[str] | None:
    if given is not None:
        return options.names(given)
    return None if suite is None else list(suites.load(suite).protocols)


def _measure(plans: Sequence[Plan]) -> runner.Summary:
    """Run one model's plan after the other's; what came of all of them."""
    whole = runner.Summary([], {})
    for plan in plans:
        with Display() as display:
            summary = runner.run(plan, display)
        whole.records.extend(summary.records)
        whole.failures.update({f"{plan.model}, {t}": e for t, e in summary.failures.items()})
    return whole


def _show(summary: runner.Summary, results_folder: Path) -> None:
    """Print the tables of what this run measured; write the page of all records."""
    click.echo()
    click.echo(pages.concerned(summary.records, results_folder))
    pages.refresh(results_folder, around=False)
