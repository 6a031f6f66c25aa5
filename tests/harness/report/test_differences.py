import math

import pytest
from statsmodels.stats.multitest import multipletests

from harness import paired
from harness.report import differences
from tests.harness.report.test_content import judged, record


def test_p_are_those_of_paired_tests_adjusted_after_holm() -> None:
    kept = {"a": judged(36), "b": judged(33), "c": judged(30), "d": judged(20)}
    records = [record(name, 0.9) for name in kept]
    best, *others = differences.from_best(records, lambda record: kept[record["model"]["name"]])
    assert best is None
    single = [
        paired.compare(own, kept[name], records[0], kept["a"])
        for own, name in zip(records[1:], "bcd", strict=True)
    ]
    expected = multipletests([each.p for each in single], method="holm")[1]
    assert [each.p for each in others if each] == pytest.approx(list(expected))
    assert [each.difference for each in others if each] == [each.difference for each in single]
    assert all(each and math.isfinite(each.low) for each in others)


def test_without_a_best_score_nothing_is_compared() -> None:
    records = [record("a", None), record("b", None)]
    assert differences.from_best(records, lambda record: judged(3)) == [None, None]
    assert differences.from_best([], lambda record: judged(3)) == []
