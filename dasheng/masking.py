"""Which tokens a masked autoencoder keeps: a random quarter, token by token or in groups.

Masking by sorting random numbers: He et al., "Masked autoencoders are scalable vision learners",
https://arxiv.org/abs/2111.06377. In groups of neighbours, so that a gap cannot be filled from the
frames beside it: Dinkel et al., https://arxiv.org/abs/2406.06992.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Mask(NamedTuple):
    """What is kept of each clip's tokens.

    `ids_keep` (B, K): places of the kept tokens, in the order in which they are encoded.
    `ids_restore` (B, T): where in (kept, then removed) each token of the clip is found.
    `removed` (B, T) bool: whether a token is hidden from the encoder.
    """

    ids_keep: Tensor
    ids_restore: Tensor
    removed: Tensor


def random_mask(
    clips: int,
    tokens: int,
    ratio: float = 0.75,
    *,
    group: int = 1,
    device: torch.device | str = "cpu",
    generator: torch.Generator | None = None,
) -> Mask:
    """Hide a random part of each clip's tokens.

    Args:
        clips: B, each masked on its own.
        tokens: T of each clip, in any number: tokens at the end that fill no group are removed.
        ratio: part of the tokens to remove; rounded so that whole groups are kept, at least one.
        group: consecutive tokens that are kept or removed together.
        device: where the indices are made.
        generator: of the random numbers; None for PyTorch's own.

    Raises:
        ValueError: ratio not between 0 and 1, or tokens too few to keep one group and remove some.
    """
    if not 0 < ratio < 1:
        raise ValueError(f"mask_ratio must lie between 0 and 1, found {ratio}")
    groups = tokens // group
    kept = min(max(1, int(tokens * (1 - ratio)) // group), (tokens - 1) // group)
    if kept < 1:
        raise ValueError(
            f"expected more than {group} tokens, to keep {group} and remove the rest, "
            f"found {tokens}; use longer crops"
        )
    noise = torch.rand(clips, groups, device=device, generator=generator)
    places = torch.arange(tokens, device=device)
    members, rest = places[: groups * group].view(groups, group), places[groups * group :]
    shuffled = members[noise.argsort(dim=1)].flatten(1)
    ids_shuffle = torch.cat([shuffled, rest.expand(clips, -1)], dim=1)
    ids_restore = ids_shuffle.argsort(dim=1)
    size = kept * group
    return Mask(ids_shuffle[:, :size], ids_restore, ids_restore >= size)
