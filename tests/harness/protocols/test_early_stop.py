import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.protocols.early_stop import Watch
from harness.protocols.layers import Stack

HEAD = Stack((), torch.zeros(1, 1, 1), torch.zeros(1, 1))
scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, math.nan, math.inf, -math.inf, -2.0])


def shown(values: list[float], patience: int, *, nan_ends: bool) -> tuple[Watch, int]:
    """The watch and how many values it took until it ended, at most all."""
    watch = Watch(patience, nan_ends=nan_ends)
    for count, value in enumerate(values, start=1):
        watch.see(count - 1, value, f"note {count - 1}", lambda: HEAD)
        if watch.ended:
            return watch, count
    return watch, len(values)


@settings(deadline=None)
@given(st.lists(scores, min_size=1, max_size=12), st.integers(1, 4), st.booleans())
def test_equals_its_definition(values: list[float], patience: int, nan_ends: bool) -> None:
    watch, count = shown(values, patience, nan_ends=nan_ends)
    ranks = [-math.inf if math.isnan(value) else value for value in values]

    def ends(last: int) -> bool:
        """The best that came before the last `patience` values is not beaten by them."""
        if nan_ends and not math.isfinite(values[last]):
            return True
        before = [-math.inf, *ranks[: last + 1 - patience]]
        return last + 1 >= patience and max(ranks[last + 1 - patience : last + 1]) <= max(before)

    assert count == next((i + 1 for i in range(len(values)) if ends(i)), len(values))
    assert watch.best is not None
    assert watch.best.value == max(ranks[:count])
    assert watch.best.epoch == ranks.index(max(ranks[:count]))
    assert watch.best.note == f"note {watch.best.epoch}"


def test_patience_counts_validations_in_a_row() -> None:
    watch, count = shown([0.5, 0.4, 0.4, 0.6, 0.6, 0.5, 0.1, 0.9], 3, nan_ends=True)
    assert count == 7
    assert watch.best is not None
    assert (watch.best.value, watch.best.epoch) == (0.6, 3)


def test_without_patience_the_first_failure_ends() -> None:
    assert shown([0.1, 0.2, 0.3, 0.3, 0.4], 0, nan_ends=True)[1] == 4


def test_not_a_number_ends_or_is_the_worst() -> None:
    watch, count = shown([math.nan, 0.5], 3, nan_ends=True)
    assert count == 1
    assert watch.best is not None
    assert (watch.best.value, watch.best.epoch) == (-math.inf, 0)
    watch, count = shown([math.nan, -0.5, math.nan], 3, nan_ends=False)
    assert count == 3
    assert watch.best is not None
    assert (watch.best.value, watch.best.epoch) == (-0.5, 1)


def test_copies_only_what_is_kept() -> None:
    copied = []
    watch = Watch(9, nan_ends=True)
    for epoch, value in enumerate([0.1, 0.1, 0.3, 0.2]):
        watch.see(epoch, value, None, lambda epoch=epoch: copied.append(epoch) or HEAD)
    assert copied == [0, 2]
