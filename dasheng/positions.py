"""Positions to start from that tell neighbours from strangers: sines and cosines."""

from __future__ import annotations

import torch
from torch import Tensor


def sinusoids(count: int, width: int) -> Tensor:
    """(count, width): position p at p / 10000^(2i / width), its sines and then its cosines.

    He et al. keep these, of Vaswani et al., https://arxiv.org/abs/1706.03762, section 3.5. Learned
    from noise, as published, it takes many steps until a token knows its neighbours.
    """
    rates = 10000.0 ** (-2 * torch.arange((width + 1) // 2) / width)
    angles = torch.arange(count)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
