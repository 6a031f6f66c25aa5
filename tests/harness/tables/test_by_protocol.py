"""Tables show what the records say, and say what a reader must know."""

import pytest

from harness import tables
from harness.errors import UserError
from harness.tables.published import Published, Row
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


def test_what_a_protocol_says_of_itself_stands_below_its_title() -> None:
    params = {"grid": [1, 2], "differs from theirs": ["another seed", "all points"]}
    parts = tables.markdown([make_record(protocol__params=params)]).split("\n\n")
    assert parts[:2] == [
        "### knn (version 1: grid [1, 2])",
        "Differs from theirs: another seed; all points.",
    ]


@pytest.mark.parametrize("part", ["task", "protocol"])
def test_versions_do_not_mix(part: str) -> None:
    other = make_record(model__name="tiny", **{f"{part}__version": 2})
    with pytest.raises(UserError, match=rf"expected one version of the {part} .* found \[1, 2\]"):
        tables.markdown([make_record(), other])


def test_undefined_score_and_no_records() -> None:
    undefined = make_record(score=None, scores__floor=None)
    assert "undefined" in tables.markdown([undefined])
    assert rows(tables.markdown([undefined]))["*majority class*"] == ["–"]
    assert tables.markdown([]) == "No records yet.\n"


def test_an_interval_without_an_end_is_not_shown() -> None:
    endless = make_record(task__metric="d_prime", score=1.5, scores__ci95=[1.0, None])
    assert rows(tables.markdown([endless]))["base"] == ["1.500"]


def table(text: str, first: str) -> dict[tuple[str, str], dict[str, str]]:
    """The table whose head begins with `first`: (model, kind of scores) → task → cell."""
    block = next(block for block in text.split("\n\n") if block.startswith(f"| {first}"))
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
    heads = [head.split(" ")[0] for head in lines[0]]
    return {(line[0], line[1]): dict(zip(heads, line, strict=True)) for line in lines[2:]}


PUBLISHED = Published(
    protocol="knn",
    columns=("vox1", "esc50", "spc1"),
    rows=(
        Row("Other", "", frozenset(), {"vox1": "", "esc50": "95.35", "spc1": "1"}),
        Row(
            "Dasheng-Base",
            "base",
            frozenset({"spc1"}),
            {"vox1": "34", "esc50": "61.9", "spc1": "2"},
        ),
    ),
    sources=("https://example.org/paper",),
    notes=("Take care.",),
)


def test_measured_rows_stand_below_their_published_ones_with_the_difference() -> None:
    text = tables.markdown(
        [
            make_record(score=0.61853),
            make_record(task__name="spc1", score=0.9, n__limit=5),
            make_record(task__name="esc50", model__name="base-bf16", scores__collapsed="constant"),
            make_record(task__name="fsdd"),
        ],
        [PUBLISHED],
    )
    compared = table(text, "model        ")
    assert list(compared) == [
        ("Other", "published"),
        ("Dasheng-Base", "published"),
        ("base", "measured"),
        ("base-bf16", "measured"),
        ("*majority class*", "measured"),
    ]
    assert list(compared["Other", "published"].values())[2:] == ["–", "95.35", "1"]
    assert list(compared["Dasheng-Base", "published"].values())[2:] == ["34", "61.9", "2‡"]
    assert list(compared["base", "measured"].values())[2:] == [
        "missing",
        "61.85 (−0.05) [60.00, 64.00]",
        "90.00† partial [60.00, 64.00]",  # no difference from a baseline that collapsed
    ]
    assert compared["base-bf16", "measured"]["esc50"].startswith("61.90‡ [")
    assert compared["*majority class*", "measured"]["esc50"] == "2.00"
    assert compared["*majority class*", "measured"]["vox1"] == "–"
    others = text[text.index("Other tasks:") :]
    assert "fsdd (accuracy, v1)" in others
    assert "esc50" not in others
    for words in ("https://example.org/paper", "Take care.", "† partial:", "‡ collapsed:"):
        assert words in text


def test_a_published_table_stands_alone_until_something_is_measured() -> None:
    text = tables.markdown([], [PUBLISHED])
    assert text.startswith("### knn\n")
    assert set(list(table(text, "model")["base", "measured"].values())[2:]) == {"missing"}
    assert "Other tasks" not in text
    linear = tables.markdown([make_record(protocol__name="linear")], [PUBLISHED])
    assert linear.index("### knn") < linear.index("### linear")


def test_equal_to_the_published_score_is_no_difference() -> None:
    text = tables.markdown([make_record(score=0.61899999)], [PUBLISHED])
    assert "61.90 (+0.00) [" in text


def test_records_that_disagree_on_the_majority_class() -> None:
    whole, other = make_record(), make_record(model__name="tiny", scores__floor=0.03)
    few = make_record(model__name="few", scores__floor=0.5, n__limit=4)
    assert rows(tables.markdown([whole, few]))["*majority class*"] == ["2.00"]
    assert rows(tables.markdown([few]))["*majority class*"] == ["50.00"]
    assert rows(tables.markdown([other, few, whole]))["*majority class*"] == ["2.00 to 3.00"]


def test_a_metric_that_is_no_rate_is_not_shown_in_percent() -> None:
    record = make_record(
        task__metric="d_prime", score=2.5, scores__ci95=[2.4, 2.61], scores__floor=0.0
    )
    shown = rows(tables.markdown([record]))
    assert shown["base"] == ["2.500 [2.400, 2.610]"]
    assert shown["*majority class*"] == ["0.000"]
