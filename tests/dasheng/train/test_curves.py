"""The picture of the curves: where points come to lie, read back from the SVG itself."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasheng.train.curves import Panel, draw, ticks

SVG = "{http://www.w3.org/2000/svg}"
PANEL = Panel("a <title>", "curve", [(0, 50.0), (100, 70.0), (200, 60.0)], {"a & b": 55.0})


def test_points_and_lines_lie_in_proportion() -> None:
    root = ElementTree.fromstring(draw([PANEL]))
    [curve] = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in curve.attrib["points"].split()]
    (x0, y50), (x100, y70), (x200, y60) = points
    assert x100 - x0 == pytest.approx(x200 - x100)
    assert y50 - y70 == pytest.approx(2 * (y50 - y60), abs=0.2)
    [dashed] = [
        line for line in root.iter(f"{SVG}line") if line.attrib["stroke-dasharray"] != "none"
    ]
    assert float(dashed.attrib["y1"]) == pytest.approx((y50 + y60) / 2, abs=0.2)


def test_names_are_there_whatever_is_in_them() -> None:
    texts = [each.text for each in ElementTree.fromstring(draw([PANEL])).iter(f"{SVG}text")]
    assert {"a <title>", "curve", "a & b", "50", "60", "70", "0", "200"} <= set(texts)


def test_panels_do_not_overlap() -> None:
    root = ElementTree.fromstring(draw([PANEL] * 3, columns=2))
    places = [group.attrib["transform"] for group in root.iter(f"{SVG}g")]
    assert len(set(places)) == 3
    assert int(root.attrib["width"]) == 2 * int(places[1].removeprefix("translate(").split()[0])


def test_a_lone_point_and_equal_values_have_a_picture() -> None:
    ElementTree.fromstring(draw([Panel("one", "curve", [(0, 1.0)], {}), PANEL]))


@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-3, 1e4))
def test_ticks_are_few_round_and_within(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in found)
    mantissa = f"{found[1] - found[0]:.0e}"[0]
    assert mantissa in "125"
