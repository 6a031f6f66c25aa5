"""The tables of a suite with domains: published averages beside measured ones, nothing padded."""

from typing import Any

import pytest

from harness import suites, tables
from harness.tables.published import Published, Row
from harness.tables.table import Section
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


def section(records: list[dict[str, Any]], *known: Published) -> Section:
    (found,) = tables.sections(records, known)
    return found


def rows(section: Section, caption: str) -> list[list[str]]:
    """The heads and the rows of a table."""
    (table,) = [table for table in section.tables if table.caption == caption]
    heads = [column.head for column in table.columns]
    cells = ([f"{cell.text}{cell.marks}{cell.note}" for cell in row] for row in table.rows)
    return [heads, *cells]


def averages(section: Section) -> list[list[str]]:
    return rows(section, "averages by domain")


def captions(section: Section) -> list[str]:
    return [table.caption for table in section.tables]


def remarks(section: Section) -> str:
    return "\n".join(part for part in section.parts if isinstance(part, str))


def test_a_whole_row() -> None:
    found = section(measured(*HEAR.tasks, score=0.8125), PUBLISHED)
    domains = ["environment (4 tasks)", "speech (6 tasks)", "music (8 tasks)"]
    assert averages(found) == [
        ["model", "scores", "parameters (M)", *domains],
        ["Other", "published", "74", "10.5", "10.5", "10.5"],
        ["Dasheng-Base", "published", "86", "80", "80", "80"],
        ["base", "measured", "86", "81.25 (+1.25)", "81.25 (+1.25)", "81.25 (+1.25)"],
    ]
    told = remarks(found)
    assert "Not whole" not in told
    for words in ("https://example.org/paper", "Take care.", "inferred"):
        assert words in told


def test_an_average_is_the_plain_mean_and_does_not_know_of_beehive() -> None:
    scores = {"hear-esc50": 0.5, "hear-fsd50k": 0.1, "hear-gunshot": 0.9}
    found = [measured(name, score=score)[0] for name, score in scores.items()]
    found += measured("hear-dcase2016-task2", score=0.3) + measured(*BEEHIVE, score=0.99)
    means = averages(section(found, PUBLISHED))[3][3:]
    assert means == ["45.00 (−35.00)", "missing", "missing"]


def test_an_average_with_a_gap_is_not_told_and_says_what_is_missing() -> None:
    found = measured("hear-esc50", "hear-dcase2016-task2")
    found += measured("hear-fsd50k", n__limit=5) + measured("hear-crema-d", score=None)
    told = section(found, PUBLISHED)
    assert averages(told)[3][3:] == ["missing 2 of 4", "missing 6 of 6", "missing"]
    (line,) = [line for line in remarks(told).splitlines() if line.startswith("Not whole: ")]
    assert "base, environment: hear-fsd50k (partial), hear-gunshot (missing); base, speech" in line
    assert "hear-crema-d (undefined)" in line
    assert "music" not in line


def test_task_by_task_with_spread_and_what_is_missing() -> None:
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
    told = section(found, PUBLISHED)
    heads, base, floor = rows(told, "environment, task by task")
    assert heads[1] == "hear-dcase2016-task2 (segment_1s_er, lower is better, v1)"
    assert heads[3] == "hear-fsd50k"
    assert base[1:] == ["1.250", "61.90 ± 1.23", "missing", "missing"]
    assert floor[1:] == ["1.000", "2.00", "–", "–"]
    assert "music, task by task" not in captions(told)


def test_less_is_better_where_the_metric_says_so() -> None:
    names = {"good": 0.4, "bad": 1.2}
    facts = {"task__metric": "segment_1s_er", "task__higher_is_better": False}
    found = [
        measured("hear-dcase2016-task2", model__name=name, score=score, **facts)[0]
        for name, score in names.items()
    ]
    table = section(found).tables[1]
    assert [row[0].text for row in table.rows if row[1].best] == ["good"]


def test_beehive_is_one_task_and_shown_only_whole() -> None:
    found = measured(BEEHIVE[0], score=0.5) + measured(BEEHIVE[1], score=0.6)
    found += measured(BEEHIVE[0], model__name="tiny", model__parameters=0)
    heads, tiny, base, _ = rows(section(found), "in no domain, task by task")
    assert heads == ["model", "hear-beehive-states (accuracy, v1)"]
    assert tiny[1] == "missing 1 of 2"
    assert base[1] == "55.00"


def test_all_19_in_one_row_with_the_mean_over_all_or_none() -> None:
    whole = measured(*HEAR.tasks[:-1], score=0.5) + measured(HEAR.tasks[-1], score=0.881)
    few = measured(*HEAR.tasks[:-1], model__name="few", model__parameters=1)
    heads, first, second, _ = rows(section([*whole, *few]), "all 19 in one row")
    assert len(heads) == 21
    assert heads[6].startswith("hear-beehive-states (")
    assert first[0] == "few"
    assert first[-2:] == ["missing", "missing 1 of 19"]
    assert second[-2:] == ["88.10", "52.01"]


@pytest.mark.parametrize("protocol", ["hear2021", "hear2021-strict"])
def test_without_published_scores(protocol: str) -> None:
    found = section(measured(*HEAR.tasks, protocol__name=protocol))
    assert averages(found)[1:] == [["base", "61.90", "61.90", "61.90"]]
    assert "ublished in" not in remarks(found)


def test_published_averages_stand_alone_until_something_is_measured() -> None:
    found = section([], PUBLISHED)
    assert averages(found)[1:] == [
        ["Other", "74", "10.5", "10.5", "10.5"],
        ["Dasheng-Base", "86", "80", "80", "80"],
    ]
    assert captions(found) == ["averages by domain"]
    assert "Not measured on these tasks: base." in found.parts


def test_ones_own_task_is_another_task_and_other_protocols_have_plain_tables() -> None:
    found = section(measured("bells", "hear-esc50"), PUBLISHED)
    assert rows(found, "measured, other tasks")[0] == ["model", "bells (accuracy, v1)"]
    assert captions(section(measured("bells"))) == ["measured, other tasks"]
    plain = section(measured("hear-esc50", protocol__name="knn"))
    assert captions(plain) == ["measured"]


def test_collapsed_and_synthetic_scores_mark_the_average() -> None:
    found = section(measured(*HEAR.tasks, scores__collapsed="constant"), PUBLISHED)
    assert averages(found)[3][3] == "61.90‡ (−18.10)"
    assert "‡ collapsed:" in remarks(found)
    found = section(measured(*HEAR.tasks, task__synthetic=True), PUBLISHED)
    assert averages(found)[3][3] == "61.90° (−18.10)"
