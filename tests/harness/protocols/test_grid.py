"""The grid is heareval's, in heareval's order."""

from typing import Any

import pytest

from harness.errors import UserError
from harness.protocols import grid

# heareval 2021.1.3, seed 42: seen in its own logs.
TRIED = [
    *((1, 1e-4, "normal"), (2, 1e-3, "uniform"), (1, 1e-3, "normal"), (1, 3.2e-4, "normal")),
    *((2, 3.2e-4, "normal"), (2, 3.2e-4, "uniform"), (2, 3.2e-3, "normal")),
    (2, 3.2e-3, "uniform"),
]


def values(points: list[grid.Point]) -> list[tuple[int, float, str]]:
    return [(point["hidden_layers"], point["lr"], point["initialization"]) for point in points]


def test_the_first_points_are_those_that_heareval_tries() -> None:
    found = values(grid.points({}))
    assert found[: grid.POINTS] == TRIED
    assert len(set(found)) == 16


def test_what_a_task_prescribes_takes_the_place_of_the_default() -> None:
    assert values(grid.points({"check_val_every_n_epoch": [10]}))[: grid.POINTS] == TRIED
    assert set(values(grid.points({"lr": [0.5]}))) == {
        (layers, 0.5, init) for layers in (1, 2) for init in ("uniform", "normal")
    }
    plain = grid.schedule({}, shuffle=False, nan_ends=True)
    assert (plain.every, plain.max_epochs, plain.patience, plain.batch) == (3, 500, 20, 1024)
    own = grid.schedule(
        {"check_val_every_n_epoch": [1], "max_epochs": [50]}, shuffle=True, nan_ends=False
    )
    assert (own.every, own.max_epochs, own.shuffle, own.nan_ends) == (1, 50, True, False)


@pytest.mark.parametrize(
    ("prescribed", "message"),
    [
        ({"momentum": [0.9]}, "expected parameters of hidden_layers.* found momentum"),
        ({"patience": [10, 20]}, "expected one value of patience, found \\[10, 20\\]"),
        ({"hidden_layers": [0]}, "hidden_layers"),
        ({"lr": []}, "lr"),
        ({"lr": ["fast"]}, "expected lr from 0 and below 1, found \\['fast'\\]"),
        ({"dropout": [1.0]}, "expected dropout from 0 and below 1"),
        ({"max_epochs": ["50"]}, "expected max_epochs to count from 1"),
        ({"hidden_dim": [0.5]}, "expected hidden_dim to count from 1"),
        ({"batch_size": [1]}, "expected batch_size to count from 2"),
        ({"check_val_every_n_epoch": [0]}, "expected check_val_every_n_epoch to count from 1"),
    ],
)
def test_what_cannot_be_searched_is_refused(prescribed: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        grid.points(prescribed)
