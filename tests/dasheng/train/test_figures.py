"""What the tables of a card say, against records and a log made by hand."""

from pathlib import Path

import pytest

from dasheng.train import figures
from dasheng.train.config import TrainConfig
from dasheng.train.measured import Measured
from tasks.errors import UserError
from tests.harness.records import make_record

LOG = [
    {"kind": "probe", "step": 0, "esc10 knn": 0.5},
    {"kind": "train", "step": 10, "loss": 0.9},
    {"kind": "valid", "step": 10, "loss": 0.8, "mean_floor": 1.1, "copy_floor": 1.5, "crops": 4},
    {"kind": "train", "step": 20, "loss": 0.7},
    {"kind": "valid", "step": 20, "loss": 0.6, "mean_floor": 1.0, "copy_floor": 1.4, "crops": 4},
    {"kind": "probe", "step": 20, "esc10 knn": 0.625},
]


def found(right: int, of: int = 100) -> Measured:
    """The first so many clips right."""
    share = right / of
    made = make_record(score=share, scores__ci95=[share - 0.1, share + 0.1], scores__floor=0.1)
    return Measured(made, {("test", f"clip{n}"): n < right for n in range(of)})


def row(table: str, start: str) -> list[str]:
    [line] = [line for line in table.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_only_what_is_above_both_counts() -> None:
    tiny = {"surely": found(90), "above": found(71), "between": found(60)}
    random = {name: found(70) for name in tiny}
    melspec = {name: found(50) for name in tiny}
    told = figures.scores({"tiny": tiny, "random": random, "melspec": melspec})
    assert "tiny is above random and melspec in 2 of 3: surely, above." in told
    assert "lie above 0 in 1: surely." in told
    told_of = row(told, "above")
    assert told_of[1:4] == [
        *("50.00 [40.00, 60.00]", "70.00 [60.00, 80.00]", "71.00 [61.00, 81.00]")
    ]
    assert told_of[4].startswith("+1.00 [")
    assert told_of[5].startswith("+21.00 [")
    assert told_of[6] == "10.00"


def test_nothing_is_above_an_opponent_that_was_not_measured() -> None:
    told = figures.scores({"tiny": {"a": found(90)}, "random": {}, "melspec": {"a": found(1)}})
    assert "in 0 of 1: none" in told
    assert row(told, "a")[2] == row(told, "a")[4] == "–"


def test_steps_in_order_with_what_each_has() -> None:
    told = figures.steps(LOG)
    assert row(told, "0") == ["0", "–", "50.00"]
    assert row(told, "10") == ["10", "0.8000", "–"]
    assert row(told, "20") == ["20", "0.6000", "62.50"]


def test_what_was_trained() -> None:
    config = TrainConfig(
        train_data=("a.tar",), batch_size=90, gradient_accumulation_steps=2, chunk_length=4.0
    )
    told = figures.training(config, LOG, make_record(model__parameters=5_000_000))
    assert row(told, "parameters")[1] == "5,000,000"
    assert row(told, "steps")[1] == "20"
    assert row(told, "audio seen")[1] == "4 h of 4 s crops"  # 20 steps × 180 crops × 4 s
    assert row(told, "loss on held-out crops")[1] == "0.6000 (step 10: 0.8000)"
    assert row(told, "that of each patch's true mean")[1] == "1.0000"
    assert row(told, "`seed`")[1] == "`42`"


def test_a_panel_for_each_score_and_one_for_the_loss() -> None:
    others = {name: {"esc10 knn": found(40)} for name in figures.OTHERS}
    drawn = figures.panels(LOG, {"tiny": {}, **others})
    assert [panel.points for panel in drawn] == [[(0, 50.0), (20, 62.5)], [(10, 0.8), (20, 0.6)]]
    assert drawn[0].lines == {"random": 40.0, "melspec": 40.0}
    assert sorted(drawn[1].lines.values()) == [1.0, 1.4]


def test_a_run_that_was_not_evaluated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="kind probe"):
        figures.panels([each for each in LOG if each["kind"] != "probe"], {})
    with pytest.raises(UserError, match="found no file"):
        figures.log(tmp_path / "log.jsonl")
