"""The tables of a suite with domains: published averages beside measured ones, nothing padded."""

from itertools import pairwise
from typing import Any

import pytest

from harness import suites, tables
from harness.tables.published import Published, Row
from tests.harness.records import make_record

HEAR = suites.load("hear")
BEEHIVE = ("hear-beehive-states-fold0", "hear-beehive-states-fold1")
PUBLISHED = Published(
    protocol="hear2021",
    columns=("environment", "speech", "music"),
    rows=(
        Row("Other", "", frozenset(), dict.fromkeys(HEAR.domains, "10.5"), "74"),
        Row("Dasheng-Base", "base", frozenset(), dict.fromkeys(HEAR.domains, "80"), "86"),
    ),
    sources=("https://example.org/paper",),
    notes=("Take care.",),
)


def measured(*names: str, **changes: Any) -> list[dict[str, Any]]:
    """Records of the protocol on some tasks of the suite."""
    changes = {"protocol__name": "hear2021", **changes}
    return [make_record(task__name=name, **changes) for name in names]


def blocks(text: str) -> dict[str, list[list[str]]]:
    """The line before each table → the rows of the table, its heads first."""
    parts = text.split("\n\n")
    found = {}
    for before, part in pairwise(parts):
        if part.startswith("|"):
            lines = [line for line in part.splitlines() if not line.startswith("|--")]
            found[before] = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in lines
            ]
    return found


def averages(text: str) -> list[list[str]]:
    return next(rows for before, rows in blocks(text).items() if before.startswith("###"))


def test_a_whole_row() -> None:
    text = tables.markdown(measured(*HEAR.tasks, score=0.8125), [PUBLISHED])
    assert averages(text) == [
        [*("model", "scores", "parameters (M)"), *averages(text)[0][3:]],
        ["Other", "published", "74", "10.5", "10.5", "10.5"],
        ["Dasheng-Base", "published", "86", "80", "80", "80"],
        ["base", "measured", "86", "81.25 (+1.25)", "81.25 (+1.25)", "81.25 (+1.25)"],
    ]
    assert averages(text)[0][3:] == ["environment (4 tasks)", "speech (6 tasks)", "music (8 tasks)"]
    assert "missing" not in text
    assert "Not whole" not in text
    for words in ("https://example.org/paper", "Take care.", "inferred"):
        assert words in text


def test_an_average_is_the_plain_mean_and_does_not_know_of_beehive() -> None:
    scores = {"hear-esc50": 0.5, "hear-fsd50k": 0.1, "hear-gunshot": 0.9}
    found = [measured(name, score=score)[0] for name, score in scores.items()]
    found += measured("hear-dcase2016-task2", score=0.3) + measured(*BEEHIVE, score=0.99)
    assert averages(tables.markdown(found, [PUBLISHED]))[3][3:] == [
        "45.00 (−35.00)",
        "missing",
        "missing",
    ]


def test_an_average_with_a_gap_is_not_told_and_says_what_is_missing() -> None:
    found = measured("hear-esc50", "hear-dcase2016-task2")
    found += measured("hear-fsd50k", n__limit=5) + measured("hear-crema-d", score=None)
    text = tables.markdown(found, [PUBLISHED])
    assert averages(text)[3][3:] == ["missing 2 of 4", "missing 6 of 6", "missing"]
    (line,) = [line for line in text.splitlines() if line.startswith("Not whole: ")]
    assert "base, environment: hear-fsd50k (partial), hear-gunshot (missing); base, speech" in line
    assert "hear-crema-d (undefined)" in line
    assert "music" not in line


def test_task_by_task_with_spread_interval_and_what_is_missing() -> None:
    found = measured("hear-esc50", scores__std=0.0123)
    found += measured(
        "hear-dcase2016-task2",
        task__metric="segment_1s_er",
        task__higher_is_better=False,
        score=1.25,
        scores__ci95=[1.2, 1.3],
        scores__floor=1.0,
        scores__std=None,
    )
    table = blocks(tables.markdown(found, [PUBLISHED]))
    heads, base, floor = table["Environment, task by task:"]
    assert heads[1] == "hear-dcase2016-task2 (segment_1s_er, lower is better, v1)"
    assert heads[3] == "hear-fsd50k"
    assert base[1:] == [
        "1.250 [1.200, 1.300]",
        "61.90 ± 1.23 [60.00, 64.00]",
        "missing",
        "missing",
    ]
    assert floor[1:] == ["1.000", "2.00", "–", "–"]
    assert "Music, task by task:" not in table


def test_beehive_is_one_task_and_shown_only_whole() -> None:
    found = measured(BEEHIVE[0], score=0.5) + measured(BEEHIVE[1], score=0.6)
    found += measured(BEEHIVE[0], model__name="tiny", model__parameters=0)
    text = tables.markdown(found)
    heads, tiny, base, _ = blocks(text)["In no domain, task by task:"]
    assert heads == ["model", "hear-beehive-states (accuracy, v1)"]
    assert tiny[1] == "missing 1 of 2"
    assert base[1] == "55.00"


def test_all_19_in_one_row_with_the_mean_over_all_or_none() -> None:
    whole = measured(*HEAR.tasks[:-1], score=0.5) + measured(HEAR.tasks[-1], score=0.881)
    few = measured(*HEAR.tasks[:-1], model__name="few", model__parameters=1)
    heads, first, second = blocks(tables.markdown([*whole, *few]))["All 19 in one row:"]
    assert len(heads) == 21
    assert heads[6:8] == ["hear-beehive-states", "hear-beijing-opera"]
    assert first[0] == "few"
    assert first[-2:] == ["missing", "missing 1 of 19"]
    assert second[-2:] == ["88.10", "52.01"]


@pytest.mark.parametrize("protocol", ["hear2021", "hear2021-strict"])
def test_without_published_scores(protocol: str) -> None:
    text = tables.markdown(measured(*HEAR.tasks, protocol__name=protocol))
    assert averages(text)[1:] == [["base", "measured", "61.90", "61.90", "61.90"]]
    assert "ublished in" not in text


def test_published_averages_stand_alone_until_something_is_measured() -> None:
    text = tables.markdown([], [PUBLISHED])
    assert averages(text)[3] == ["base", "measured", "", "missing", "missing", "missing"]
    assert "task by task" not in text


def test_ones_own_task_is_another_task_and_other_protocols_have_plain_tables() -> None:
    text = tables.markdown(measured("bells", "hear-esc50"), [PUBLISHED])
    assert blocks(text)["Other tasks:"][0] == ["model", "bells (accuracy, v1)"]
    alone = tables.markdown(measured("bells"))
    assert "missing" not in alone
    assert "Other tasks" not in alone
    assert "environment" not in tables.markdown(measured("hear-esc50", protocol__name="knn"))


def test_collapsed_embeddings_mark_the_average() -> None:
    found = measured(*HEAR.tasks, scores__collapsed="constant")
    text = tables.markdown(found, [PUBLISHED])
    assert averages(text)[3][3] == "61.90‡ (−18.10)"
    assert "‡ collapsed:" in text
