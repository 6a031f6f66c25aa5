"""The picture of scores over k: the record's own numbers, what is undefined left out."""

import numpy as np
import pytest

from harness import figures
from harness.errors import UserError
from tests.harness.figures.scored import records


def test_the_scores_of_the_record_over_k() -> None:
    made = records({"base": [0.5, 0.6, 0.7, 0.8]})
    made[1]["scores"]["by_k"]["1"] = None
    picture = figures.pictures(made, ["k"]).drawn[0]
    lines = [plot.get_lines()[1] for plot in picture.figure.axes]
    assert np.column_stack(lines[0].get_data()) == pytest.approx(
        np.array([[1, 48], [10, 50], [50, 49]])
    )
    assert list(lines[1].get_xdata()) == [10, 50]
    assert [plot.get_xscale() for plot in picture.figure.axes] == ["log"] * 4


def test_other_protocols_have_no_k() -> None:
    made = records({"base": [0.5] * 4}, protocol__name="linear")
    for record in made:
        del record["scores"]["by_k"]
    with pytest.raises(UserError, match="several k, found none"):
        figures.pictures(made, ["k"])
