"""Heads of one depth side by side, of one division or of several, and the batches they see.

Heads of one division see the same clips, and what they multiply them with first is one wide
product. Those of several divisions go through a batched product, which wants batches of one
length: where the last ones differ by a clip, only neighbours with equal ones go together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from harness.protocols.layers import Adam, Stack
from harness.protocols.room import Room


@dataclass(frozen=True)
class Group:
    """Heads that still train.

    members: their positions in the list of all heads. divisions: what each of them trains on,
    those of one division, and divisions of one length, next to each other. chances: what the
    dropout of each is drawn by.
    """

    members: list[int]
    divisions: list[int]
    chances: list[int]
    stack: Stack
    adam: Adam

    def only(self, keep: Sequence[int]) -> "Group":
        """A copy of some of the heads."""
        members, divisions, chances = (
            [own[i] for i in keep] for own in (self.members, self.divisions, self.chances)
        )
        return Group(members, divisions, chances, self.stack.only(keep), self.adam.only(keep))

    def parts(self, kinds: Mapping[int, int]) -> Iterator["Group"]:
        """Neighbours whose divisions are of one kind, in this group's memory.

        kinds: division → kind; heads of a division that has none are left out.
        """
        own = [kinds.get(division) for division in self.divisions]
        if None not in own and len(set(own)) == 1:  # as always on a CPU, where views take time
            yield self
            return
        for kind, run in groupby(range(len(own)), lambda place: own[place]):
            first, *others = run
            span = slice(first, first + len(others) + 1)
            if kind is not None:
                part = self.members[span], self.divisions[span], self.chances[span]
                yield Group(*part, self.stack.only(span), self.adam.only(span))


def batches(rows: Tensor, size: int) -> list[Tensor]:
    """Rows in batches; a last one of a single row, without spread, joins the batch before."""
    cut = list(rows.split(size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [rows[-size - 1 :]]
    return cut


class Step:
    """What heads see in one step: a batch of each division that still has one.

    A batch is gathered once, whoever sees it. rows: division → (B,), the clips.
    """

    def __init__(
        self, features: Tensor, targets: Tensor, rows: Mapping[int, Tensor], room: Room
    ) -> None:
        self._features, self._targets, self._rows, self._room = features, targets, rows, room
        self._seen: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        self.lengths = {division: len(clips) for division, clips in rows.items()}

    def batch(self, divisions: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Features (B, 1 or g, D) and targets (B, 1 or g) or (B, 1 or g, C) of heads side by side.

        1 where all see the same. The divisions' batches are of one length.
        """
        apart = len(set(divisions)) > 1
        key = tuple(divisions if apart else divisions[:1])
        if key not in self._seen:
            rows = torch.stack([self._rows[division] for division in key])  # (1 or g, B)
            x = self._room(f"x{len(self._seen)}", rows.numel(), self._features.shape[1])
            torch.index_select(self._features, 0, rows.flatten(), out=x)
            x = x.view(*rows.shape, -1).transpose(0, 1)
            self._seen[key] = x, self._targets[rows].transpose(0, 1)
        return self._seen[key]
