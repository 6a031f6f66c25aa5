"""What may stand behind `#`, and which hidden states that is."""

import pytest

from harness.encoders.parts.hidden_layers import indices
from harness.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("6", (6,)),
        ("0", (0,)),
        ("12", (12,)),
        ("-1", (12,)),
        ("-2", (11,)),
        ("-13", (0,)),
        ("4-8", (4, 5, 6, 7, 8)),
        ("11-12", (11, 12)),
        ("5-5", (5,)),
        ("all", tuple(range(13))),
    ],
)
def test_layers_of_twelve_blocks(text: str, expected: tuple[int, ...] | None) -> None:
    assert indices(text, 13) == expected


@pytest.mark.parametrize("text", ["13", "-14", "8-4", "4-13"])
def test_there_is_no_such_layer(text: str) -> None:
    with pytest.raises(UserError, match=rf"expected layers of 0 to 12 .*, found #{text}$"):
        indices(text, 13)


@pytest.mark.parametrize("text", ["last", "six", "4,8", "4-", "-4-8", "+6", "1.5", " 6", "#6"])
def test_it_means_no_layer(text: str) -> None:
    with pytest.raises(UserError, match=r"expected a layer as #6, #-2 .*found #") as caught:
        indices(text, 13)
    assert "\n" not in str(caught.value)
