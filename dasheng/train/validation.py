"""The loss on held-out crops, with masks that stay the same, beside what it must be far below.

Two predictions that no one has to learn give the floors: the mean of each patch, and a copy of the
nearest patch that the encoder was shown.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from dasheng.mae import MaskedAutoencoder, masked_loss
from dasheng.masking import Mask, random_mask
from dasheng.train.config import TrainConfig
from tasks.errors import UserError

_NAMES = ("loss", "mean_floor", "copy_floor")


def validate(
    model: MaskedAutoencoder,
    batches: Iterator[Tensor],
    accelerator: Accelerator,
    config: TrainConfig,
) -> dict[str, float]:
    """Mean over all crops of all processes; the model is left in training mode.

    Args:
        model: as it was prepared, but without a wrapper that gathers gradients.
        batches: (b, N) crops of this process; another may have more of them, or fewer.
        accelerator: of the device and its precision.
        config: its seed is that of the masks.

    Returns:
        `loss`, the masked loss; `mean_floor` and `copy_floor`, that of the two predictions;
        `crops`, how many there are.

    Raises:
        UserError: there are none.
    """
    model.eval()
    sums = torch.zeros(len(_NAMES) + 1, dtype=torch.float64, device=accelerator.device)
    with torch.no_grad():
        for number, (audio, weight) in enumerate(
            _together(batches, accelerator, config.crop_samples)
        ):
            x = audio.to(accelerator.device)
            patches = model.targets(model.encoder.front_end(x))
            mask = _mask(model, patches, [config.seed, accelerator.process_index, number])
            with accelerator.autocast():
                loss = model(x, mask)
            losses = torch.stack([loss.float(), *floors(patches, mask)])
            sums[:-1] += weight * losses
            sums[-1] += weight
    model.train()
    *totals, crops = accelerator.reduce(sums).tolist()
    if not crops:
        raise UserError("expected audio to validate on in cv_data, found none")
    return {name: total / crops for name, total in zip(_NAMES, totals, strict=True)} | {
        "crops": int(crops)
    }


def floors(patches: Tensor, mask: Mask) -> tuple[Tensor, Tensor]:
    """The losses of predicting each patch's mean, and of copying the nearest kept patch.

    Args:
        patches: (B, T, patch), normalised.
        mask: of these tokens.
    """
    mean = patches.mean(dim=-1, keepdim=True).expand_as(patches)
    copied = patches.gather(1, nearest_kept(mask)[..., None].expand_as(patches))
    return masked_loss(mean, patches, mask.removed), masked_loss(copied, patches, mask.removed)


def nearest_kept(mask: Mask) -> Tensor:
    """(B, T): the place of the kept token nearest to each; the earlier of two as near."""
    places = torch.arange(mask.removed.shape[1], device=mask.removed.device)
    kept = mask.ids_keep.sort(dim=1).values
    distance = (places[:, None] - kept[:, None, :]).abs()
    return kept.gather(1, distance.argmin(dim=2))


def _mask(model: MaskedAutoencoder, patches: Tensor, seed: list[int]) -> Mask:
    """A mask that depends on the seed only: drawn on the CPU, whatever the device."""
    generator = torch.Generator().manual_seed(
        int(np.random.SeedSequence(seed).generate_state(1)[0])
    )
    clips, tokens = patches.shape[:2]
    mask = random_mask(clips, tokens, model.mask_ratio, group=model.group, generator=generator)
    return Mask(*(part.to(patches.device) for part in mask))


def _together(
    batches: Iterator[Tensor], accelerator: Accelerator, samples: int
) -> Iterator[tuple[Tensor, int]]:
    """Batches and how many crops count: as many batches on every process.

    A sharded model is gathered by all processes at once, so one that has no more crops of its own
    takes part with one that does not count.
    """
    last = torch.zeros(1, samples)
    while True:
        batch = next(batches, None)
        if accelerator.num_processes > 1:
            having = torch.tensor(int(batch is not None), device=accelerator.device)
            if not accelerator.reduce(having).item():
                return
        elif batch is None:
            return
        if batch is None:
            yield last[:1], 0
        else:
            yield batch, len(batch)
            last = batch
