"""task_metadata.json: what is read of it, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks import hear_metadata
from tasks.archive import Tree
from tasks.errors import UserError
from tasks.hear_metadata import Kind, Metadata

FILE = hear_metadata.FILE
# As hear-preprocess writes it for MAESTRO, but for what it fetched (hearsecrettasks/maestro.py).
MAESTRO = {
    "task_name": "maestro",
    "version": "v3.0.0",
    "embedding_type": "event",
    "prediction_type": "multilabel",
    "split_mode": "new_split_kfold",
    "nfolds": 5,
    "sample_duration": 120.0,
    "evaluation": ["event_onset_50ms_fms", "event_onset_offset_50ms_20perc_fms"],
    "use_scoring_for_early_stopping": False,
    "evaluation_params": {
        "event_postprocessing_grid": {"median_filter_ms": [150], "min_duration": [50]},
        "task_specific_param_grid": {"max_epochs": [50], "check_val_every_n_epoch": [1]},
    },
    "default_mode": "5h",
    "max_task_duration_by_fold": 4500.0,
    "mode": "5h",
    "splits": ["fold00", "fold01", "fold02", "fold03", "fold04"],
}
PITCH = {
    "task_name": "nsynth_pitch",
    "version": "v2.2.3",
    "mode": "5h",
    "embedding_type": "scene",
    "prediction_type": "multiclass",
    "split_mode": "trainvaltest",
    "evaluation": ["pitch_acc", "chroma_acc"],
    "splits": ["train", "valid", "test"],
}
TAGS = {**PITCH, "prediction_type": "multilabel", "evaluation": ["mAP", "aucroc", "top1_acc"]}


def read(told: Any, folder: Path) -> Metadata:
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    (folder / FILE).write_bytes(text)
    return hear_metadata.read(Tree(folder, 10**6), FILE)


def test_maestro_is_read(tmp_path: Path) -> None:
    found = read(MAESTRO, tmp_path)
    assert found.kind == Kind("maestro-v3.0.0-5h", "event", "multilabel")
    assert (found.kind.timestamps, found.kind.multilabel) == (True, True)
    assert found.splits == ("fold00", "fold01", "fold02", "fold03", "fold04")
    assert found.metrics == ("event_onset_50ms_fms", "event_onset_offset_50ms_20perc_fms")
    assert found.evaluation == {
        "use_scoring_for_early_stopping": False,
        "event_postprocessing_grid": {"median_filter_ms": [150], "min_duration": [50]},
        "task_specific_param_grid": {"max_epochs": [50], "check_val_every_n_epoch": [1]},
    }


@pytest.mark.parametrize(
    ("told", "metrics"),
    [
        (PITCH, ("accuracy", "chroma_accuracy")),
        ({**PITCH, "evaluation": ["top1_acc", "pitch_acc", "d_prime"]}, ("accuracy", "d_prime")),
        (TAGS, ("mAP", "auc_roc", "top1_acc")),
    ],
)
def test_scores_have_the_names_of_this_project(
    told: dict[str, Any], metrics: tuple[str, ...], tmp_path: Path
) -> None:
    found = read(told, tmp_path)
    assert found.metrics == metrics
    assert found.evaluation == {}
    assert not found.kind.timestamps


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task_name": None}, "task_name to be a text, found null"),
        ({"version": 2}, "version to be a text, found 2"),
        ({"mode": ""}, "mode to be a text, found ;"),
        ({"embedding_type": "clip"}, "embedding_type to be scene or event, found clip"),
        ({"prediction_type": ["multiclass"]}, "to be multiclass or multilabel, found .*multiclass"),
        ({"embedding_type": "event"}, "events to be multilabel, found multiclass"),
        ({"split_mode": "leave_one_out"}, "new_split_kfold or presplit_kfold, found leave_one_out"),
        ({"splits": ["train", "test"]}, "splits train, valid and test, found"),
        ({"splits": []}, r"splits to be a list of different texts, found \[\]"),
        ({"splits": ["train", "valid", "test", "test"]}, "splits to be a list of different texts"),
        ({"split_mode": "presplit_kfold"}, "splits called fold00, fold01 and so on, found"),
        ({"split_mode": "presplit_kfold", "splits": ["fold00"]}, "splits called fold00, fold01"),
        ({"evaluation": ["accuracy"]}, "evaluation by top1_acc, pitch_acc, .*, found accuracy"),
        ({"evaluation": ["event_onset_50ms_fms"]}, "evaluation by top1_acc, pitch_acc"),
        ({"evaluation": "mAP"}, "evaluation to be a list of different texts, found mAP"),
        ({"use_scoring_for_early_stopping": 0}, "_stopping to be true or false, found 0"),
        ({"evaluation_params": []}, r"evaluation_params to be an object, found \[\]"),
        (
            {"evaluation_params": {"task_specific_param_grid": {"patience": 20}}},
            "task_specific_param_grid to be lists of values by name, found .*patience",
        ),
        (
            {"evaluation_params": {"event_postprocessing_grid": {"min_duration": []}}},
            "event_postprocessing_grid to be lists of values by name",
        ),
    ],
)
def test_what_no_evaluation_can_go_by_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read({**PITCH, **change}, tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/{FILE}: expected ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "expected JSON, found Expecting property name"),
        (b"\xff\xfe\xff", "expected JSON, found"),
        (b"[" * 100_000, "expected JSON, found endless nesting"),
        (b'["train"]', r'expected a JSON object, found \["train"\]'),
        (b'"a\\nb"', "expected a JSON object, found a b;"),
    ],
)
def test_what_is_no_object_is_refused(text: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(text, tmp_path)
    assert "\n" not in str(caught.value)
