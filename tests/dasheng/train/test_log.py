"""What is logged where, and what is left of it when a run goes on."""

import json
import logging
import sys
from pathlib import Path

import pytest
from accelerate import Accelerator
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dasheng.train.config import TrainConfig
from dasheng.train.log import Log, cut
from tasks.errors import UserError

RECORDS = st.tuples(st.sampled_from(["train", "valid", "probe"]), st.integers(0, 9))


def config(**more: object) -> TrainConfig:
    chosen = {"trackers": (), "epochs": 1, "epoch_length": 10} | more
    return TrainConfig(train_data=("a.tar",), **chosen)  # type: ignore[arg-type]


def told(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@settings(deadline=None)
@given(records=st.lists(RECORDS), step=st.integers(0, 9), broken=st.sampled_from(["", '{"kin']))
def test_a_cut_log_is_what_was_logged_up_to_the_state(
    records: list[tuple[str, int]],
    step: int,
    broken: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("log") / "log.jsonl"
    lines = [json.dumps({"kind": kind, "step": n, "x": 0.1}) + "\n" for kind, n in records]
    file.write_text("".join(lines) + broken)
    cut(file, step)
    # A step's line comes before its state, what is found out about its encoder after it.
    assert told(file) == [
        {"kind": kind, "step": n, "x": 0.1}
        for kind, n in records
        if n < step or (n == step and kind == "train")
    ]
    assert [found.name for found in file.parent.iterdir()] == ["log.jsonl"]


def test_a_record_is_in_the_log_and_a_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Log(Accelerator(cpu=True), tmp_path, config()) as log:
        logging.getLogger("dasheng.train.optimizer").warning("AdamW instead of %s", "AdamW8bit")
        assert list(tmp_path.iterdir()) == []  # until the run begins
        log.begin()
        log.record("train", 1, {"loss": 0.5}, "loss 0.5000")
        log.line("by [the] way")
        assert told(tmp_path / "log.jsonl") == [{"kind": "train", "step": 1, "loss": 0.5}]
    logging.getLogger("dasheng").warning("after it")
    text = capfd.readouterr().err.splitlines()
    expected = ["warning: AdamW instead of AdamW8bit", "step 1/10  loss 0.5000", "by [the] way"]
    assert text[:3] == expected
    written = (tmp_path / "train.log").read_text().splitlines()
    assert [line.split("] ", 1)[1] for line in written] == expected


def test_on_a_terminal_the_text_log_says_the_step_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Log(Accelerator(cpu=True), tmp_path, config()) as log:
        log.begin()
        log.record("train", 1, {"loss": 0.5}, "loss 0.5000")
    assert (tmp_path / "train.log").read_text().endswith("] step 1/10  loss 0.5000\n")


def test_trackers_that_are_unknown_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected trackers to be of .*tensorboard.*, found board"):
        Log(Accelerator(cpu=True), tmp_path, config(trackers=("board",)))


def test_trackers_that_are_not_installed_are_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Log(Accelerator(cpu=True), tmp_path, config(trackers=("comet_ml",))) as log:
        log.begin()
    assert "tracker comet_ml is not installed; going on without it" in capfd.readouterr().err


def test_numbers_reach_the_tracker(tmp_path: Path) -> None:
    with Log(Accelerator(cpu=True), tmp_path, config(trackers=("tensorboard",))) as log:
        log.begin()
        log.record("train", 3, {"loss": 0.5}, "")
        log.record("valid", 3, {"loss": 0.75}, "")
    events = EventAccumulator(str(tmp_path / "trackers"))
    events.Reload()
    scalars = {tag: events.Scalars(tag)[0] for tag in events.Tags()["scalars"]}
    assert {tag: (x.step, x.value) for tag, x in scalars.items()} == {
        "train/loss": (3, 0.5),
        "valid/loss": (3, 0.75),
    }
