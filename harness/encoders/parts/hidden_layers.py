"""Which hidden layers of a model an embedding is of: what the user typed behind `#`.

Layers are counted as transformers counts its `hidden_states`: 0 is what enters the first block,
and the last number, which is also -1, is what leaves the last one. A final normalisation is part
of the last layer in some models and not in others; without `#` it is always there.
"""

import re

from harness.errors import UserError

_ONE = re.compile(r"-?\d+")
_SEVERAL = re.compile(r"(\d+)-(\d+)")


def indices(text: str, states: int) -> tuple[int, ...] | None:
    """Which of `states` hidden states the mean is taken of; None for "", the model's output.

    Args:
        text: "6", "-2" (from the end), "4-8" (both ends included), "all", or "".
        states: how many hidden states there are, one more than there are blocks.

    Raises:
        UserError: there is no such layer, or the text means none.
    """
    if not text:
        return None
    if text == "all":
        return tuple(range(states))
    if _ONE.fullmatch(text):
        first = last = int(text)
    elif several := _SEVERAL.fullmatch(text):
        first, last = int(several[1]), int(several[2])
    else:
        raise UserError(
            f"expected a layer as #6, #-2 (from the end), #4-8 (their mean) or #all, found #{text}"
        )
    if not -states <= first <= last < states:
        raise UserError(
            f"expected layers of 0 to {states - 1} (-1 is the last), the lower first, found #{text}"
        )
    return tuple(range(states)[layer] for layer in range(first, last + 1))
