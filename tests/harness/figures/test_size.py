"""The picture of scores over parameters: round numbers across, baselines without any."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import figures
from harness.figures import size
from tests.harness.figures.scored import records


@settings(deadline=None)
@given(st.integers(10, 10**13), st.integers(10, 10**13))
def test_there_are_round_numbers_across_and_few(one: int, other: int) -> None:
    low, high = min(one, other) / size.MARGIN, max(one, other) * size.MARGIN
    ticks = size.ticks(low, high)
    assert ticks == sorted(ticks)
    assert all(low <= tick <= high for tick in ticks)
    assert 1 <= len(ticks) <= max(5, len(str(int(high / low))))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [(85_000_000, "85 M"), (1_150_000_000, "1.15 B"), (5_400, "5.4 k"), (10, "10")],
)
def test_sizes_in_words(parameters: int, words: str) -> None:
    assert size.words(parameters) == words


def test_a_model_without_parameters_is_a_line_across() -> None:
    made = records({"melspec": [0.2] * 4, "tiny": [0.5] * 4, "0.6B": [0.7] * 4})
    picture = figures.pictures(made, ["size"]).drawn[0]
    for plot in picture.figure.axes:
        dashed = [line for line in plot.get_lines() if line.is_dashed()]
        assert [list(line.get_ydata()) for line in dashed] == [[20.0, 20.0]]
        points = [line for line in plot.get_lines() if line.get_marker() != "None"]
        assert [line.get_xdata()[0] for line in points] == [5_000_000, 600_000_000]
