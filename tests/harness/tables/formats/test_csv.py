"""pandas reads the CSV, and finds in it the scores of the records."""

import io
from pathlib import Path

import pandas as pd
import pytest

from harness import results, tables
from harness.tables.formats import csv
from tests.harness import synthetic_results
from tests.harness.tables import made

ROOT = Path(__file__).parents[4]
RATE_FREE = {"d_prime", "segment_1s_er"}


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_results.write(tmp_path_factory.mktemp("results"), clips=40)


@pytest.mark.parametrize("real", [True, False], ids=["real", "synthetic"])
def test_the_scores_are_those_of_the_records(real: bool, folder: Path) -> None:
    records = list(results.read_all(ROOT / "results" if real else folder))
    frame = read(csv.render(tables.sections(records)))
    frame = frame[(frame.kind == "measured") & frame.score.notna()]
    found = frame.set_index(["protocol", "model", "column"]).score
    assert records
    for record in records:
        task, metric = record["task"]["name"], record["task"]["metric"]
        key = (record["protocol"]["name"], record["model"]["name"], task)
        if not task.startswith("hear-beehive-states"):  # shown as the mean of its folds
            score = record["score"] * (1 if metric in RATE_FREE else 100)
            assert all(abs(told - score) < 0.005 + 1e-9 for told in found.loc[[key]])


def test_what_a_score_is_and_what_it_lacks() -> None:
    frame = read(csv.render(made.sections())).set_index(["model", "kind", "column"])
    ours = frame.loc["base", "measured", "esc50"]
    assert (ours.difference, ours.ci95_low) == (8.22, 60.0)
    assert (ours.score, ours["std"]) == pytest.approx((70.123, 2.7))
    assert (ours.parameters_millions, ours.metric, ours.task_version) == (86, "accuracy", 1)
    assert ours.best
    assert not ours[["synthetic", "partial", "collapsed"]].any()
    assert frame.loc["base", "measured", "fsdd"].state == "undefined"
    assert frame.loc["base", "measured", "fsdd"].partial
    assert frame.loc["Dasheng-Base", "published", "esc50"].score == 61.9
    assert frame.loc["<script>alert(1)</script>", "measured", "esc50"].synthetic
    assert frame.loc["a|b_c & 100% #1 {x} ~^\\", "measured", "esc50"].collapsed
    assert frame.loc['[x]*`"', "measured", "fsdd"].score == 25


def test_nothing_is_a_head_alone() -> None:
    assert csv.render([]).startswith("protocol,protocol_version,table,model,kind,")
    assert read(csv.render([])).empty
