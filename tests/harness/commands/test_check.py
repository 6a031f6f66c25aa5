"""The gate on the real records of this repository, through the command line, faults planted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import predictions, results
from harness.predictions import Predictions
from harness.tables import pages
from tests.harness import planted
from tests.harness.command_line import inside, one_line
from tests.harness.planted import RECORD, Gate
from tests.harness.records import make_record


def test_the_same_records_pass_and_say_so_alike(gate: Gate) -> None:
    assert gate() == 0
    assert gate.out == "12 records checked, 0 faults\n"


@pytest.mark.parametrize(
    ("record", "clips"), [("melspec/demo/linear", 5), (RECORD, 4), ("tiny/fsdd/linear", 3)]
)
def test_a_drop_of_one_point_is_caught_with_one_line(gate: Gate, record: str, clips: int) -> None:
    planted.turn(gate.file(record), lost=clips)
    assert gate() == 1
    assert len(gate.faults) == 1
    assert gate.faults[0].startswith(f"FAIL {record}: score: ")
    assert "0.50 are tolerated" in gate.faults[0]
    assert gate.out.count(record) == 2  # the line, and one in the table
    before = gate.out
    assert gate() == 1
    assert gate.out == before


@pytest.mark.parametrize("record", ["melspec/demo/linear", RECORD, "tiny/fsdd/linear"])
def test_one_clip_is_noise_however_small_the_tolerance(gate: Gate, record: str) -> None:
    planted.turn(gate.file(record), lost=1)
    assert gate() == 0
    assert gate("--tolerance", 0) == 0
    planted.turn(gate.file(record), lost=1)  # two by now
    assert gate("--tolerance", 0) == 1


def test_a_missing_record_is_caught_with_one_line(gate: Gate) -> None:
    gate.file().unlink()
    assert gate() == 1
    assert gate.faults == [f"FAIL {RECORD}: expected a new record, found none; run it"]
    assert gate("--protocols", "linear") == 0
    assert gate("--models", "melspec") == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda r: r["task"].update(data_sha256="0" * 64),
            "task.data_sha256: bf2122a2fcc8… → 000000000000…",
        ),
        (lambda r: r["task"].update(version=2), "task.version: 1 → 2"),
        (lambda r: r["task"].update(source="X-ARES"), "task.source: official → X-ARES"),
        (
            lambda r: (r["task"].update(metric="mAP"), r.update(score=r["scores"]["mAP"])),
            "task.metric: accuracy → mAP",
        ),
        (lambda r: r["protocol"].update(version=2), "protocol.version: 1 → 2"),
        (lambda r: r["protocol"]["params"].update(k=20), "protocol.params.k: 10 → 20"),
        (lambda r: r["protocol"]["params"].pop("k"), "protocol.params.k: 10 → not there"),
        (lambda r: r["n"].update(limit=100), "n.limit: null → 100"),
        (lambda r: r["n"].update(skipped=1), "n.skipped: 0 → 1"),
        (lambda r: r["n"].update(padded=3), "n.padded: 0 → 3"),
        (
            lambda r: r["n"]["test"].__setitem__(0, 79),
            "n.test: [80, 80, 80, 80, 80] → [79, 80, 80, 80, 80]",
        ),
        (lambda r: r["model"].update(name="base"), "model.name: tiny → base"),
        (
            lambda r: r["scores"].update(collapsed="constant"),
            "scores.collapsed: null → constant",
        ),
    ],
)
def test_what_makes_scores_incomparable_is_caught_with_one_line(
    gate: Gate, change: Callable[[dict[str, Any]], object], line: str
) -> None:
    planted.edit(gate.file(), change)
    assert gate() == 1
    assert gate.faults == [f"FAIL {RECORD}: {line}"]


def test_a_score_that_became_undefined_is_caught(gate: Gate) -> None:
    planted.edit(gate.file(), lambda r: r.update(score=None))
    assert gate() == 1
    assert f"FAIL {RECORD}: score: 64.50 → undefined" in gate.faults
    assert len(gate.faults) == 2  # and that its predictions have a score


def test_a_drop_is_not_told_of_scores_that_do_not_compare(gate: Gate) -> None:
    planted.turn(gate.file(), lost=40)
    planted.edit(gate.file(), lambda r: r["task"].update(data_sha256="0" * 64))
    assert gate() == 1
    assert len(gate.faults) == 1


def test_damaged_files_are_one_line_each(gate: Gate) -> None:
    kept = predictions.beside(gate.file())
    kept.write_bytes(kept.read_bytes()[:-100])
    assert gate() == 1
    assert len(gate.faults) == 1
    assert str(kept) in gate.faults[0]
    kept.unlink()
    assert gate() == 1
    assert gate.faults == [
        f"FAIL {RECORD}: expected predictions beside the new record, found none; run it again"
    ]
    gate.file().write_text("{")
    assert gate() == 1
    assert len(gate.faults) == 1
    assert "could not read it" in gate.faults[0]


def test_a_stale_table_is_one_line(gate: Gate) -> None:
    page = gate.reference / "README.md"
    pages.refresh(gate.reference)
    assert gate() == 0
    page.write_text(page.read_text().replace("64.50", "65.50", 1))
    assert gate() == 1
    assert gate.faults == [
        f"FAIL {page}: its tables are not those of the records; run "
        f"`python -m harness table --results {gate.reference}`"
    ]


def test_another_schema_is_one_line(gate: Gate) -> None:
    file = gate.reference / f"{RECORD}.json"
    file.write_text(json.dumps({**results.read(file), "schema": 2}))
    assert gate() == 1
    assert gate.faults == [f"FAIL {RECORD}: {file}: expected schema 3, found 2; run the task again"]


def test_other_clips_under_the_same_fingerprint_are_caught(gate: Gate) -> None:
    record, kept = results.read(gate.file()), predictions.read(gate.file())
    kept.ids[0] = "another"
    results.write(record, kept, gate.new)
    assert gate() == 1
    assert len(gate.faults) == 1
    assert "on the same clips" in gate.faults[0]


def test_predictions_that_are_not_those_of_the_score_are_caught(gate: Gate) -> None:
    before = gate.file().read_bytes()
    planted.turn(gate.file(), lost=8)
    gate.file().write_bytes(before)
    assert gate() == 1
    assert gate.faults == [
        f"FAIL {RECORD}: {gate.file()}: expected predictions of the score 0.6450 that it tells, "
        "found those of 0.6250; run the task again"
    ]


def test_predictions_of_records_that_are_not_chosen_are_not_read(gate: Gate) -> None:
    kept = predictions.beside(gate.file())
    kept.write_bytes(b"damaged")
    assert gate() == 1
    assert gate("--models", "melspec") == 0
    assert gate("--models", "tiny", "--protocols", "linear") == 0


def test_what_a_reference_lacks_is_told(gate: Gate) -> None:
    predictions.beside(gate.reference / f"{RECORD}.json").unlink()
    assert gate() == 0
    assert gate.notes == [f"note {RECORD}: the reference has no predictions: no paired test"]
    planted.edit(gate.reference / f"{RECORD}.json", lambda r: r.update(score=None))
    pages.refresh(gate.reference)
    assert gate() == 0
    assert any("score is undefined: whatever the new one is passes" in note for note in gate.notes)


def test_gains_pass_and_suggest_an_update(gate: Gate) -> None:
    planted.turn(gate.file(), lost=0, gained=8)
    assert gate() == 0
    assert gate.notes == [
        f"note {RECORD}: score: 64.50 → 66.50: better by 2.00 points; "
        "--update makes it the reference"
    ]


def test_other_weights_versions_and_new_records_are_told_but_pass(gate: Gate) -> None:
    for file in sorted(gate.new.glob("*/*/*.json")):
        planted.edit(file, lambda r: r["run"]["versions"].update(torch="9.0"))
    planted.edit(gate.file(), lambda r: r["model"].update(weights_sha256="e" * 64))
    (gate.reference / "melspec/fsdd/linear.json").unlink()
    pages.refresh(gate.reference)
    assert gate() == 0
    torch = results.read(gate.reference / f"{RECORD}.json")["run"]["versions"]["torch"]
    assert f"note 11 records: run.versions.torch: {torch} → 9.0" in gate.notes
    assert "note melspec/fsdd/linear: has no reference yet" in gate.notes
    assert any("model.weights_sha256" in note for note in gate.notes)
    assert len(gate.notes) == 3


def large(folder: Path, lost: int, gained: int) -> None:
    """A made-up record of 20,000 clips."""
    rng = np.random.default_rng(0)
    clips = 20_000
    targets = rng.integers(10, size=clips)
    said = np.where(rng.random(clips) < 0.8, targets, (targets + 1) % 10)
    kept = Predictions(
        ids=np.array([f"{n:05}" for n in range(clips)]),
        folds=np.repeat("test", clips),
        targets=targets,
        scores=np.eye(10, dtype=np.float32)[said],
        classes=np.arange(10).astype(str),
    )
    record = make_record(n__test=[clips], n__train=[clips], n__valid=[0], n__expected_test=clips)
    planted.rescore(record, kept)
    planted.turn(results.write(record, kept, folder), lost=lost, gained=gained)


def test_a_small_drop_on_many_clips_is_caught_only_where_clips_are_paired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, new = tmp_path / "reference", tmp_path / "new"
    large(reference, lost=0, gained=0)
    large(new, lost=220, gained=160)  # 0.3 points
    inside("table", "--results", reference)
    capsys.readouterr()
    arguments = ("check", "--results", new, "--reference", reference)
    assert inside(*arguments) == 1
    line = capsys.readouterr().out.splitlines()[-2]
    assert "worse by 0.30 points, no chance (McNemar" in line
    assert "on the same 20000 clips: p = 0.002" in line
    for folder in (reference, new):
        predictions.beside(folder / "base/esc50/knn.json").unlink()
    assert inside(*arguments) == 0


def test_the_more_records_the_more_a_drop_may_be_chance(gate: Gate) -> None:
    planted.turn(gate.file(), lost=7)  # McNemar's mid-p: 1 / 2⁷
    alone = ("--models", "tiny", "--tasks", "esc10", "--protocols", "knn")
    assert gate("--tolerance", 5, *alone) == 1
    assert gate.faults[0].endswith("no chance (McNemar, mid-p on the same 400 clips: p = 0.0078)")
    assert gate("--tolerance", 5) == 0  # times 12


def test_chance_on_many_clips_passes(tmp_path: Path) -> None:
    reference, new = tmp_path / "reference", tmp_path / "new"
    large(reference, lost=0, gained=0)
    large(new, lost=1000, gained=940)  # 0.3 points too, of many clips that moved
    inside("table", "--results", reference)
    assert inside("check", "--results", new, "--reference", reference) == 0


def test_mistakes_are_one_line(gate: Gate, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("--tasks", "esc10,fsd") == 2
    assert gate("--models", " ") == 2
    capsys.readouterr()
    check = ("check", "--reference", gate.reference)
    assert inside(*check, "--results", gate.new, "--tasks", "esc10,fsd") == 2
    assert "found none of fsd; there are demo, esc10, fsdd" in one_line(capsys)
    assert inside(*check, "--results", gate.new / "nowhere") == 2
    assert "no such folder" in one_line(capsys)
    assert inside(*check, "--results", gate.reference) == 2
    assert "apart" in one_line(capsys)
    shutil.rmtree(gate.new / "tiny")
    assert inside(*check, "--results", gate.new, "--models", "tiny") == 2
    assert "expected new records to compare" in one_line(capsys)
    assert inside(*check, "--results", gate.new, "--tolerance", "nan") == 2
    assert "in points, found nan" in one_line(capsys)
    assert inside(*check, "--results", gate.new, "--update") == 2
    assert "--update and --reason together" in one_line(capsys)
