"""The radar picture: where scores lie, what is missing, and that words lie on nothing."""

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.figures import axes, radar, style
from tests.harness.figures.places import spots
from tests.harness.figures.scored import records

RATES = st.floats(0, 1)


def draw(scores: dict[str, list[float | None]]) -> Figure:
    found = axes.tasks(records(scores))
    with matplotlib.rc_context(style.SETTINGS):
        return radar.draw("title", found, style.styles(list(scores)))


def lines(figure: Figure, colour: str) -> list[np.ndarray]:
    """The points of what is drawn in a model's colour: its line first."""
    drawn = [line for line in figure.axes[0].get_lines() if line.get_color() == colour]
    assert all(isinstance(line, Line2D) for line in drawn)
    return [np.column_stack(line.get_data()) for line in drawn]


@settings(deadline=None, max_examples=50)
@given(st.lists(RATES, min_size=2, max_size=5), st.booleans())
def test_the_best_is_the_rim_and_better_is_further_out(scores: list[float], higher: bool) -> None:
    made = records({f"m{n}": [score] for n, score in enumerate(scores)}, ["esc50"])
    for record in made:
        record["task"]["higher_is_better"] = higher
    axis = axes.tasks(made)[0]
    values = sorted((s.value for s in axis.scores.values()), reverse=not higher)
    shares = [radar.share(axis, value) for value in values]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(0 <= share <= 1 for share in shares)


def test_the_centre_is_0_unless_all_are_far_above_half_the_best() -> None:
    figure = draw({"base": [0.8, 0.8, 0.8, 0.8], "tiny": [0.4, 0.8, 0.8, 0.0]})
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "Centre: a score of 0" in words
    tiny = lines(figure, style.styles(["base", "tiny"])["tiny"].colour)[0]
    assert np.hypot(*tiny.T) == pytest.approx([0.5, 1, 1, 0, 0.5])
    figure = draw({"base": [0.8, 0.8, 0.8, 0.8], "tiny": [0.6, 0.8, 0.8, 0.6]})
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "Centre: half of the best" in words
    tiny = lines(figure, style.styles(["base", "tiny"])["tiny"].colour)[0]
    assert np.hypot(*tiny.T) == pytest.approx([0.5, 1, 1, 0.5, 0.5])


def test_what_is_missing_is_a_gap_and_never_0() -> None:
    figure = draw({"base": [0.8, 0.8, 0.8, 0.8], "tiny": [0.6, None, 0.7, 0.5]})
    line, points, *_ = lines(figure, style.styles(["base", "tiny"])["tiny"].colour)
    assert np.isnan(line).any(axis=1).tolist() == [False, True, False, False, False]
    assert len(points) == 3
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["base", "tiny (3 of 4 tasks)"]


def test_the_first_axis_points_up_and_others_follow_clockwise() -> None:
    figure = draw({"base": [0.8] * 4, "tiny": [0.7] * 4})
    base = lines(figure, style.styles(["base"])["base"].colour)[0]
    assert base == pytest.approx(np.array([[0, 1], [1, 0], [0, -1], [-1, 0], [0, 1]]), abs=1e-9)


def test_words_stand_outside_the_rim() -> None:
    figure = draw({"base": [0.8] * 4, "tiny": [0.7] * 4})
    plot = figure.axes[0]
    for text in plot.texts:
        points = plot.transData.inverted().transform(spots(text))
        assert np.hypot(*points.T).min() > 1, text.get_text()
