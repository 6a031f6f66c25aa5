"""Values are what their types say, or are refused by name."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasheng.train import values
from tasks.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Room:
    chairs: int
    area: float = 1.5
    lit: bool = False
    name: str | None = None
    colours: tuple[str, ...] = ()
    size: tuple[float, int] = (1.0, 2)
    more: dict[str, Any] | None = None


@pytest.mark.parametrize(
    ("found", "kind", "value"),
    [
        ("64", int, 64),
        ("1e4", int, 10000),
        (15000.0, int, 15000),
        ("9007199254740993", int, 9007199254740993),  # 2^53 + 1: no float
        ("1e-4", float, 1e-4),
        (3, float, 3.0),
        ("False", bool, False),
        ("on", bool, True),
        (True, bool | int, True),
        (4, bool | int, 4),
        ("true", bool | int, True),
        ("4", bool | int, 4),
        (None, int | None, None),
        ("a,b", tuple[str, ...], ("a", "b")),
        ("a{0..3}.tar, b{1,2}.tar", tuple[str, ...], ("a{0..3}.tar", "b{1,2}.tar")),
        ("[a, b]", tuple[str, ...], ("a", "b")),
        (["a,b"], tuple[str, ...], ("a,b",)),
        ("", tuple[str, ...], ()),
        (None, tuple[str, ...], ()),
        ("-3, 6", tuple[float, float], (-3.0, 6.0)),
        (None, dict[str, Any], {}),
    ],
)
def test_value(found: Any, kind: Any, value: Any) -> None:
    read = values.value_of(found, kind, "x")
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ("x", int),
        (1.5, int),
        (True, int),
        (True, float),
        ("nan", float),
        (float("inf"), float),
        (10**400, float),
        (1, bool),
        ("maybe", bool),
        (3, str),
        (None, str),
        ("x", int | None),
        ([1, "x"], tuple[int, ...]),
        ([1], tuple[int, int]),
        (3, tuple[str, ...]),
        ("x", dict[str, Any]),
        ({1: 2}, dict[str, Any]),
    ],
)
def test_value_of_another_type_is_refused_by_name(found: Any, kind: Any) -> None:
    with pytest.raises(UserError, match=r"^expected room\.x to be .+, found .+$"):
        values.value_of(found, kind, "room.x")


@given(st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_typed_is_that_number(number: float) -> None:
    assert values.typed(str(number), type(number), "x") == number
    assert values.typed(str(number), type(number) | None, "x") == number


@pytest.mark.parametrize("text", ["null", "None", "~", ""])
def test_nothing_can_be_typed_where_it_may_be(text: str) -> None:
    assert values.typed(text, str | None, "x") is None
    assert values.typed(text, int | None, "x") is None
    assert values.typed(text, str, "x") == text


def test_build_gives_what_is_left_out_its_default() -> None:
    assert values.build(Room, {"chairs": "4", "size": [2, 3]}) == Room(chairs=4, size=(2.0, 3))


def test_build_refuses_by_name() -> None:
    with pytest.raises(UserError, match=r"unknown setting room\.chair: did you mean room\.chairs"):
        values.build(Room, {"chair": 4}, "room.")
    with pytest.raises(UserError, match=r"unknown setting zz: expected one of area, chairs"):
        values.build(Room, {"zz": 4})
    with pytest.raises(UserError, match=r"expected room\.chairs, found nothing"):
        values.build(Room, {}, "room.")
    with pytest.raises(UserError, match=r"expected room\.lit to be true or false, found 3"):
        values.build(Room, {"chairs": 1, "lit": 3}, "room.")
