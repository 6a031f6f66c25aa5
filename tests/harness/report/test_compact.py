"""Numbers in whole thousandths."""

import numpy as np

from harness.report.compact import thousandths


def test_numbers_are_whole_and_what_is_undefined_is_null() -> None:
    assert thousandths(np.array([0.7119, 1.0, np.nan, -np.inf])) == [712, 1000, None, None]
    assert thousandths(np.array([[0.0], [0.5]])) == [[0], [500]]
    assert thousandths(np.zeros(0)) == []


def test_the_last_bits_of_a_sum_change_nothing() -> None:
    half = 0.0625
    assert thousandths(np.array([half - 1e-16, half, half + 1e-16])) == [62] * 3
