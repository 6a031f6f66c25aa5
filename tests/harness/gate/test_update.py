"""Real references replaced by planted records, through the command line; what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import predictions, results
from harness.gate import Selection, check, read, update
from tests.harness import planted
from tests.harness.command_line import inside, one_line
from tests.harness.planted import RECORD, Gate


def test_an_update_replaces_keeps_the_reason_and_passes_from_then_on(gate: Gate) -> None:
    planted.turn(gate.file(), lost=8)
    planted.edit(gate.file(), lambda r: r["model"].update(weights_sha256="e" * 64))
    untouched = (gate.reference / "melspec/fsdd/linear.json").read_bytes()
    assert gate("--update", "--reason", "trained | anew") == 0
    assert gate.out.endswith("1 of 12 references replaced\n")
    for suffix in ("json", "npz"):
        pair = [folder / f"{RECORD}.{suffix}" for folder in (gate.reference, gate.new)]
        assert pair[0].read_bytes() == pair[1].read_bytes()
    assert (gate.reference / "melspec/fsdd/linear.json").read_bytes() == untouched
    assert "62.50" in (gate.reference / "README.md").read_text()
    row = (gate.reference / "UPDATES.md").read_text().splitlines()[-1]
    assert f"| {RECORD} | 64.50 → 62.50 | model.weights_sha256: " in row
    assert row.endswith("| trained \\| anew |")
    assert gate() == 0
    planted.turn(gate.file(), lost=8)
    assert gate("--update", "--reason", "once more") == 0
    rows = (gate.reference / "UPDATES.md").read_text().splitlines()
    assert rows[-2] == row
    assert "62.50 → 60.50 | – | once more |" in rows[-1]
    assert gate("--update", "--reason", "nothing") == 0
    assert gate.out.endswith("0 of 12 references replaced\n")
    assert (gate.reference / "UPDATES.md").read_text().splitlines() == rows


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda r: r["n"].update(limit=100), "--limit"),
        (lambda r: r["n"].update(skipped=1), "--skip-bad"),
        (lambda r: r["run"].update(dirty=True), "in no commit"),
        (lambda r: r["run"].update(dirty=None, git_sha=None), "in no commit"),
        (lambda r: r["run"].update(git_sha="f" * 40), "of one commit"),
        (lambda r: r["scores"].update(collapsed="constant"), "collapsed"),
        (lambda r: r["protocol"].update(version=2), "one version"),
    ],
)
def test_an_update_refuses_what_a_reviewer_would(
    gate: Gate,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], object],
    refusal: str,
) -> None:
    def contents() -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in gate.reference.rglob("*.*")}

    planted.edit(gate.file(), change)
    before = contents()
    arguments = ("check", "--results", gate.new, "--reference", gate.reference)
    assert inside(*arguments, "--update", "--reason", "because") == 2
    assert refusal in one_line(capsys)
    assert contents() == before


def test_an_update_replaces_predictions_of_the_same_score(gate: Gate) -> None:
    kept = predictions.read(gate.file())
    results.write(results.read(gate.file()), replace(kept, scores=kept.scores / 2), gate.new)
    assert gate("--update", "--reason", "half as sure") == 0
    assert gate.out.endswith("1 of 12 references replaced\n")
    reference = gate.reference / f"{RECORD}.npz"
    assert reference.read_bytes() == predictions.beside(gate.file()).read_bytes()


def test_an_update_replaces_references_of_an_older_schema_and_keeps_no_damaged_ones(
    gate: Gate,
) -> None:
    for file in gate.reference.glob("*/*/*.json"):
        file.write_text(json.dumps({**results.read(file), "schema": 2}))
    assert gate("--update", "--reason", "new schema", "--models", "tiny") == 2
    assert gate("--update", "--reason", "new schema") == 0
    assert gate.out.endswith("12 of 12 references replaced\n")
    assert "| none → 64.50 |" in (gate.reference / "UPDATES.md").read_text()
    assert gate() == 0


def test_an_update_that_cannot_write_all_puts_back_what_it_wrote(gate: Gate) -> None:
    for record in ("melspec/demo/knn", RECORD):
        planted.turn(gate.file(record), lost=8)
    target = gate.reference / f"{RECORD}.json"
    target.unlink()
    (target / "in the way").mkdir(parents=True)
    before = {file: file.read_bytes() for file in gate.reference.rglob("*.*") if file.is_file()}
    names = {"melspec/demo/knn", RECORD}
    references, new = (read(folder, Selection()) for folder in (gate.reference, gate.new))
    checked = [each for each in check(references, new, Selection()) if str(each.name) in names]
    with pytest.raises(OSError, match="directory"):
        update(gate.reference, references, new, checked, "because")
    after = {file: file.read_bytes() for file in gate.reference.rglob("*.*") if file.is_file()}
    assert after == before
