"""Suites name tasks and protocols that exist, in the published order."""

from pathlib import Path

import pytest

import tasks
from harness import suites
from harness.errors import UserError
from harness.protocols import PROTOCOLS
from harness.tables import published

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", suites.SUITES)
def test_what_a_suite_names_exists(name: str) -> None:
    suite = suites.load(name)
    assert set(suite.tasks) <= set(tasks.names())
    assert {*suite.protocols, *suite.variants} <= set(PROTOCOLS)
    assert len(set(suite.tasks)) == len(suite.tasks)


def test_the_knn_suite_is_the_published_table() -> None:
    table = published.read(ROOT / "results" / "published" / "knn.csv")
    assert suites.load("knn").tasks == table.columns
    assert suites.load("knn").protocols == (table.protocol,)


def test_the_hear_suite_is_the_published_table() -> None:
    hear = suites.load("hear")
    assert len(hear.tasks) == 20
    assert len(hear.columns(hear.tasks)) == 19
    halves = ("hear-beehive-states-fold0", "hear-beehive-states-fold1")
    assert hear.columns(hear.tasks)["hear-beehive-states"] == halves
    assert {name: len(group) for name, group in hear.domains.items()} == {
        "environment": 4,
        "speech": 6,
        "music": 8,
    }
    grouped = [task for group in hear.domains.values() for task in group]
    assert len(set(grouped)) == len(grouped)
    assert set(hear.tasks) - set(grouped) == set(halves)
    assert set(grouped) <= set(hear.tasks)
    table = published.read(ROOT / "results" / "published" / "hear2021.csv")
    assert tuple(hear.domains) == table.columns
    assert hear.protocols == (table.protocol,)


def test_domains_are_those_of_their_tasks_whose_scores_may_be_averaged() -> None:
    for domain, group in suites.load("hear").domains.items():
        for name in group:
            task = tasks.load(name)
            assert task.domain == domain
            assert task.metric not in ("d_prime", "segment_1s_er")  # no rates
            assert task.protocols == suites.load("hear").protocols


def test_a_protocol_has_the_averages_of_its_suite() -> None:
    assert suites.averaged("hear2021") is suites.averaged("hear2021-strict") is suites.load("hear")
    assert suites.averaged("knn") is None  # a suite without domains


@pytest.mark.parametrize("typed", ["knm", "KNN"])
def test_an_unknown_suite_is_named_with_the_known_ones(typed: str) -> None:
    with pytest.raises(UserError, match=f"unknown suite '{typed}': did you mean knn"):
        suites.load(typed)
