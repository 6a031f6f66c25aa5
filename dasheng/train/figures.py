"""What a run and its records say, in tables and curves, for a model card.

Of the encoder that was trained stand there, side by side: its scores, those of its random likeness,
without which no score says that anything was learned, and those of MelSpec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dasheng.train.config import TrainConfig
from dasheng.train.curves import Panel
from dasheng.train.measured import Difference, Measured, difference
from tasks.errors import UserError

OWN = "tiny"
OTHERS = ("random", "melspec")

_SETTINGS = (
    *("seed", "batch_size", "gradient_accumulation_steps", "chunk_length", "mask_ratio"),
    *("model_args", "augment", "optimizer", "optimizer_args", "max_grad_norm"),
    *("warmup_epochs", "warmup_iters", "decay_frac"),
)

Record = dict[str, Any]


def log(file: Path) -> list[Record]:
    """A run's log, one record a line. Raises UserError where there is none."""
    if not file.is_file():
        raise UserError(f"expected the log of a run at {file}, found no file")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def training(config: TrainConfig, log: Sequence[Record], record: Record) -> str:
    """What was trained, for how long, and how far the loss came."""
    valid, train = _kind(log, "valid"), _kind(log, "train")
    last, done = valid[-1], train[-1]["step"]
    seen = done * config.batch_size * config.gradient_accumulation_steps * config.chunk_length
    rows = {
        "parameters": f"{record['model']['parameters']:,}",
        "SHA-256 of the weights": f"`{record['model']['weights_sha256']}`",
        "steps": f"{done:,}",
        "audio seen": f"{seen / 3600:,.0f} h of {config.chunk_length:g} s crops",
        "loss on held-out crops": f"{last['loss']:.4f} (step {valid[0]['step']:,}: "
        f"{valid[0]['loss']:.4f})",
        "that of each patch's true mean": f"{last['mean_floor']:.4f}",
        "that of the nearest patch that was not masked": f"{last['copy_floor']:.4f}",
    }
    settings = asdict(config)
    rows |= {f"`{name}`": f"`{json.dumps(settings[name])}`" for name in _SETTINGS}
    return _table(["", ""], rows.items())


def scores(found: Mapping[str, Mapping[str, Measured]]) -> str:
    """All that the encoder was measured by, the others' scores beside; and who is above whom."""
    names = (*reversed(OTHERS), OWN)
    rows, above, surely = [], [], []
    for key, own in found[OWN].items():
        cells = [_cell(found[name].get(key)) for name in names]
        gaps = [_difference(own, found[name].get(key)) for name in OTHERS]
        rows.append([key, *cells, *map(_gap, gaps), _percent(own.record["scores"]["floor"])])
        if all(gap is not None and gap.mean > 0 for gap in gaps):
            above.append(key)
        if all(gap is not None and gap.low > 0 for gap in gaps):
            surely.append(key)
    verdict = (
        f"{OWN} is above {' and '.join(OTHERS)} in {len(above)} of {len(rows)}: "
        f"{', '.join(above) or 'none'}. The 95 % intervals of both differences, which pair the "
        f"encoders clip by clip, lie above 0 in {len(surely)}: {', '.join(surely) or 'none'}."
    )
    heads = ["task, protocol", *names, *(f"{OWN} less {name}" for name in OTHERS), "majority class"]
    return f"{_table(heads, rows)}\n\n{verdict}"


def steps(log: Sequence[Record]) -> str:
    """The held-out loss and the scores of the encoder in training."""
    tried = sorted({name for each in _kind(log, "probe") for name in _scores(each)})
    at: dict[int, Record] = {}
    for each in (*_kind(log, "valid"), *_kind(log, "probe")):
        at.setdefault(each["step"], {})[each["kind"]] = each
    rows = [
        [
            f"{step:,}",
            f"{each['valid']['loss']:.4f}" if "valid" in each else "–",
            *(_percent(each.get("probe", {}).get(name)) for name in tried),
        ]
        for step, each in sorted(at.items())
    ]
    return _table(["step", "held-out loss", *tried], rows)


def panels(log: Sequence[Record], found: Mapping[str, Mapping[str, Measured]]) -> list[Panel]:
    """A curve of each score over the steps, between the others'; and that of the held-out loss."""
    probes, valid = _kind(log, "probe"), _kind(log, "valid")
    drawn = [
        Panel(
            f"{name}, %",
            OWN,
            [(each["step"], 100 * each[name]) for each in probes if name in each],
            {
                other: 100 * found[other][name].record["score"]
                for other in OTHERS
                if name in found[other]
            },
        )
        for name in _scores(probes[0])
    ]
    floors = {"patch's mean": valid[-1]["mean_floor"], "nearest kept": valid[-1]["copy_floor"]}
    points = [(each["step"], each["loss"]) for each in valid]
    return [*drawn, Panel("masked loss on held-out crops", OWN, points, floors)]


def _kind(log: Sequence[Record], kind: str) -> list[Record]:
    of_kind = [each for each in log if each["kind"] == kind]
    if not of_kind:
        raise UserError(f"expected records of kind {kind} in the run's log.jsonl, found none")
    return of_kind


def _scores(probe: Record) -> list[str]:
    return [name for name in probe if name not in ("kind", "step")]


def _difference(own: Measured, other: Measured | None) -> Difference | None:
    return None if other is None else difference(own, other)


def _cell(found: Measured | None) -> str:
    if found is None:
        return "–"
    low, high = found.record["scores"]["ci95"]
    return f"{_percent(found.record['score'])} [{_percent(low)}, {_percent(high)}]"


def _gap(gap: Difference | None) -> str:
    if gap is None:
        return "–"
    mean, low, high = (f"{100 * value:+.2f}" for value in gap)
    return f"{mean} [{low}, {high}]"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"


def _table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
