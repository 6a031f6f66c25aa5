"""Tables show what the records say, and say what a reader must know."""

import pytest

from harness import tables
from harness.errors import UserError
from tests.harness.records import make_record


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_models_down_tasks_across() -> None:
    text = tables.markdown(
        [
            make_record(),
            make_record(task__name="fsdd", score=0.9, scores__ci95=[0.85, 0.95]),
            make_record(model__name="melspec", model__parameters=0, score=0.184),
        ]
    )
    table = rows(text)
    assert table["model"] == ["esc50 (accuracy, v1)", "fsdd (accuracy, v1)"]
    assert table["base"] == ["61.90 [60.00, 64.00]", "90.00 [85.00, 95.00]"]
    assert table["melspec"] == ["18.40 [60.00, 64.00]", "–"]
    assert table["*majority class*"] == ["2.00", "2.00"]
    assert text.index("melspec") < text.index("base")  # by size


def test_marks_are_explained_where_they_stand_and_only_there() -> None:
    plain = tables.markdown([make_record()])
    assert "synthetic" not in plain
    assert "partial" not in plain
    marked = tables.markdown(
        [make_record(task__synthetic=True, n__limit=10, scores__collapsed="constant")]
    )
    assert "esc50° (" in marked
    assert "61.90†‡" in marked
    for word in ("synthetic", "partial", "collapsed"):
        assert word in marked


def test_protocols_have_their_own_tables() -> None:
    text = tables.markdown(
        [make_record(), make_record(protocol__name="linear", protocol__params={"l2": "grid"})]
    )
    assert "### knn (version 1: k 10)" in text
    assert "### linear (version 1: l2 grid)" in text


@pytest.mark.parametrize("part", ["task", "protocol"])
def test_versions_do_not_mix(part: str) -> None:
    other = make_record(model__name="tiny", **{f"{part}__version": 2})
    with pytest.raises(UserError, match=rf"expected one version of the {part} .* found \[1, 2\]"):
        tables.markdown([make_record(), other])


def test_undefined_score_and_no_records() -> None:
    assert "undefined" in tables.markdown([make_record(score=None)])
    assert tables.markdown([]) == "No records yet.\n"
