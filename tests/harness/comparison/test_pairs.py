"""Models found and paired: by name or folder, on the same clips or not; ranks against scipy."""

import math
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import friedmanchisquare

from harness import paired, predictions, results
from harness.comparison import pairs
from harness.errors import UserError
from tests.harness import synthetic_results

NAMES = ["esc10", "hear-dcase2016-task2", "hear-fsd50k"]


def written(folder: Path, clips: int = 120) -> Path:
    return synthetic_results.write(folder, names=NAMES, clips=clips)


def test_pairs_are_compared_and_corrected_for_their_number(tmp_path: Path) -> None:
    own, other = pairs.read(["base", "melspec"], written(tmp_path))
    [found] = pairs.by_pair([own, other], ["hear2021"])["hear2021"]
    by_hand = [
        paired.compare(
            *(
                part
                for model in ("base", "melspec")
                for file in [results.path(tmp_path, model, task, "hear2021")]
                for part in (results.read(file), predictions.read(file))
            )
        )
        for task in ("hear-dcase2016-task2", "hear-fsd50k")
    ]
    assert [pair.paired for pair in found] == by_hand
    assert [pair.adjusted for pair in found] == paired.holm([one.p for one in by_hand])
    assert [pair.ahead for pair in found] == [1, 1]
    assert found[0].significant
    [backwards] = pairs.by_pair([other, own], ["hear2021"])["hear2021"]
    assert [pair.ahead for pair in backwards] == [-1, -1]


def test_a_model_of_another_folder_is_named_by_its_path(tmp_path: Path) -> None:
    old, new = written(tmp_path / "old"), written(tmp_path / "new", clips=100)
    own, other = pairs.read(["base", str(old / "base")], new)
    assert [own.name, other.name] == ["base", str(old / "base")]
    assert own.folder == new / "base"
    [[pair]] = pairs.by_pair([own, other], ["knn"], ["esc10"])["knn"]
    assert pair.paired is None
    assert math.isnan(pair.difference)
    assert "found 100 and 120, of which" in pair.remark
    lone = pairs.read(["melspec", str(old / "base")], new)
    assert [model.name for model in lone] == ["melspec", "base"]


def test_without_predictions_there_is_a_difference_but_no_test(tmp_path: Path) -> None:
    folder = written(tmp_path)
    file = results.path(folder, "base", "esc10", "knn")
    predictions.beside(file).unlink()
    own, other = pairs.read(["base", "melspec"], folder)
    [[pair]] = pairs.by_pair([own, other], ["knn"], ["esc10"])["knn"]
    assert pair.difference == pytest.approx(pair.own["score"] - pair.other["score"])
    assert not pair.significant
    assert pair.remark == "no paired test, since predictions are missing"


@pytest.mark.parametrize(
    ("part", "changes"), [("task", {"metric": "mAP"}), ("n", {"test": [30, 30], "limit": 60})]
)
def test_without_predictions_other_clips_or_metrics_have_no_difference(
    part: str, changes: dict[str, object], tmp_path: Path
) -> None:
    folder = written(tmp_path)
    file = results.path(folder, "base", "esc10", "knn")
    predictions.beside(file).unlink()
    record = results.read(file)
    record[part].update(changes)
    file.write_bytes(results.render(record))
    [[pair]] = pairs.by_pair(pairs.read(["base", "melspec"], folder), ["knn"], ["esc10"])["knn"]
    assert math.isnan(pair.difference)
    assert pair.remark.startswith("other clips, or another metric; no paired test")


def test_what_else_than_the_encoder_differs_is_told(tmp_path: Path) -> None:
    folder = written(tmp_path)
    file = results.path(folder, "base", "esc10", "knn")
    record = results.read(file)
    record["protocol"]["version"] += 1
    record["task"]["data_sha256"] = "0"
    record["task"]["higher_is_better"] = False
    file.write_bytes(results.render(record))
    own, other = pairs.read(["base", "melspec"], folder)
    [[pair]] = pairs.by_pair([own, other], ["knn"], ["esc10"])["knn"]
    assert pair.remark == "the data and the protocol's version differ"
    assert pair.difference > 0
    assert pair.ahead == -1


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["base"], "two models or more to compare, found 1"),
        (["base", "base"], "found one of them twice"),
        (["base", "melspce"], "found 'melspce': did you mean melspec\\? the models are 1.2B, base"),
    ],
)
def test_models_that_cannot_be_compared_are_a_mistake(
    typed: list[str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=told):
        pairs.read(typed, written(tmp_path))


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_average_ranks_are_those_of_friedmans_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models, tasks = int(rng.integers(3, 7)), int(rng.integers(2, 12))
    scores = rng.random((models, tasks))
    ranks = pairs.average_ranks(scores, [True] * tasks)
    spread = 12 * tasks / (models * (models + 1)) * np.sum((ranks - (models + 1) / 2) ** 2)
    assert spread == pytest.approx(friedmanchisquare(*scores).statistic)
    lower = pairs.average_ranks(scores, [False] * tasks)
    assert ranks + lower == pytest.approx(np.full(models, models + 1))


def test_equal_scores_share_a_rank() -> None:
    ranks = pairs.average_ranks(np.array([[0.5, 0.9], [0.5, 0.1], [0.1, 0.1]]), [True, True])
    assert ranks.tolist() == [1.25, 2.0, 2.75]
