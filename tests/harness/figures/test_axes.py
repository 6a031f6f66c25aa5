"""What pictures show: means with their intervals, gaps, the order of axes and models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from harness.figures import axes
from harness.suites import SUITES
from tests.harness.figures.scored import HALF, records

HEAR = SUITES["hear"]
SPEECH = HEAR.domains["speech"]
BEEHIVE = ("hear-beehive-states-fold0", "hear-beehive-states-fold1")
HEAR2021 = {"protocol__name": "hear2021"}


def test_an_average_over_n_tasks_is_the_square_root_of_n_surer_than_one() -> None:
    found = axes.domains(records({"base": [0.4, 0.5, 0.6, 0.7, 0.8, 0.6]}, SPEECH, **HEAR2021))
    assert [axis.title for axis in found] == ["speech"]
    score = found[0].scores["base"]
    assert score.value == pytest.approx(60)
    assert score.low == pytest.approx(60 - 100 * HALF / 6**0.5)
    assert score.high == pytest.approx(60 + 100 * HALF / 6**0.5)


def test_the_interval_of_an_average_covers_what_it_says() -> None:
    """Of tasks with few clips and scores near 1, whose own intervals are lopsided."""
    rng = np.random.default_rng(0)
    truth, clips, times = np.linspace(0.85, 0.97, len(SPEECH)), 60, 1500
    z = 1.96
    inside = 0
    for hits in rng.binomial(clips, truth, size=(times, len(truth))):
        rate = hits / clips
        middle = (rate + z**2 / (2 * clips)) / (1 + z**2 / clips)  # Wilson's interval
        half = z / (1 + z**2 / clips) * np.sqrt(rate * (1 - rate) / clips + (z / 2 / clips) ** 2)
        made = records({"base": list(rate)}, SPEECH, **HEAR2021)
        for record, m, h in zip(made, middle, half, strict=True):
            record["scores"]["ci95"] = [m - h, m + h]
        score = axes.domains(made)[0].scores["base"]
        assert score.low is not None
        assert score.high is not None
        inside += score.low <= 100 * truth.mean() <= score.high
    assert 0.93 <= inside / times <= 0.97


@pytest.mark.parametrize(
    "fault",
    [
        {"score": None},
        {"n": {"limit": 10, "skipped": 0, "test": [10], "expected_test": 2000}},
        {"scores": {"collapsed": "constant", "ci95": [0.1, 0.2], "floor": None}},
    ],
    ids=["undefined", "partial", "collapsed"],
)
def test_an_average_is_whole_or_not_there(fault: dict[str, object]) -> None:
    made = records({"base": [0.5] * 6, "tiny": [0.4] * 6}, SPEECH, **HEAR2021)
    made[0].update(fault)
    assert list(axes.domains(made)[0].scores) == ["tiny"]
    missing = records({"base": [0.5] * 5 + [None], "tiny": [0.4] * 6}, SPEECH, **HEAR2021)
    assert list(axes.domains(missing)[0].scores) == ["tiny"]


def test_of_a_suite_its_tasks_alone_and_wholes_of_parts() -> None:
    tasks = ("esc10", "hear-gtzan", *BEEHIVE, "hear-esc50")
    made = records({"base": [0.1, 0.2, 0.8, 0.6, 0.5]}, tasks, **HEAR2021)
    found = {axis.title: axis for axis in axes.tasks(made)}
    assert list(found) == ["beehive-states", "esc50", "gtzan"]
    assert found["beehive-states"].scores["base"].value == pytest.approx(70)
    assert len(axes.tasks(made, named=True)) == 5
    half = records({"base": [0.8, None, 0.5]}, (*BEEHIVE, "hear-esc50"), **HEAR2021)
    assert [axis.title for axis in axes.tasks(half)] == ["esc50"]


def test_axes_stand_by_domain_and_models_by_size() -> None:
    made = records({"base": [0.5, 0.5, 0.5], "melspec": [0.2] * 3}, ("fsdd", "vox1", "us8k"))
    for record, domain in zip(made, ["speech", "odd", "music"] * 2, strict=True):
        record["task"]["domain"] = domain
    assert [axis.domain for axis in axes.tasks(made)] == ["speech", "music", "odd"]
    assert [list(axis.scores) for axis in axes.tasks(made)] == [["melspec", "base"]] * 3


def test_titles_are_short_and_never_the_same() -> None:
    both = records({"base": [0.5, 0.5]}, ("esc50", "hear-esc50"), **HEAR2021)
    assert {axis.title for axis in axes.tasks(both, named=True)} == {"esc50", "hear-esc50"}


def test_what_is_no_rate_is_not_in_percent_and_less_may_be_better() -> None:
    made = records({"base": [0.5], "tiny": [0.9]}, ("esc50",), task__metric="segment_1s_er")
    for record in made:
        record["task"]["higher_is_better"] = False
    axis = axes.tasks(made)[0]
    assert axis.best == axis.scores["base"].value == 0.5
    assert axis.words() == "esc50 0.50 (base)"


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.6525, "65.3"), (0.7225, "72.3"), (0.6125, "61.3"), (0.6524, "65.2"), (1.0, "100.0")],
)
def test_halves_of_what_tables_print_are_rounded_up(score: float, text: str) -> None:
    (axis,) = axes.tasks(records({"base": [score]}, ("esc10",)))
    assert axis.text(axis.best) == text


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=5))
def test_models_by_average_rank(table: list[list[int]]) -> None:
    names = ["a", "b", "c", "d"]
    tasks = [f"task{n}" for n in range(len(table))]
    made = records({m: [row[n] / 5 for row in table] for n, m in enumerate(names)}, tasks)
    ranks = sum(rankdata([-score for score in row]) for row in table)
    found = axes.by_rank(axes.tasks(made), names)
    assert [ranks[names.index(name)] for name in found] == sorted(ranks)


def test_who_lacks_a_score_is_last_in_rank() -> None:
    made = records({"a": [0.9, None, None, None], "b": [0.5] * 4, "c": [0.4] * 4})
    assert axes.by_rank(axes.tasks(made), ["a", "b", "c"]) == ["b", "c", "a"]
