"""What models look like: never two alike, in print without colour neither."""

from harness.figures import style

MANY = [f"m{n}" for n in range(40)]


def test_no_two_models_look_alike() -> None:
    looks = style.styles(MANY).values()
    assert len({(look.colour, look.marker) for look in looks}) == len(MANY)


def test_eight_models_are_told_apart_without_colour() -> None:
    looks = style.styles(MANY[:8]).values()
    assert len({look.marker for look in looks}) == 8
    assert len({look.colour for look in looks}) == 8


def test_a_page_sets_each_colour_once() -> None:
    assert len(set(style.VARIABLES.values())) == len(style.VARIABLES) == 11
