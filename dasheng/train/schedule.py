"""The learning rate at each step: linear warm-up, then half a cosine; as the published trainer's.

It used ignite's `CosineAnnealingScheduler` within `create_lr_scheduler_with_warmup`
(https://docs.pytorch.org/ignite/generated/ignite.handlers.param_scheduler.html). Two things of it
are kept: the first step has a learning rate of 0, and the cosine is as long as the whole run but
starts when the warm-up ends, so that a run ends a little above `decay_frac`.
"""

import math

from dasheng.train.config import TrainConfig


def learning_rate(step: int, config: TrainConfig) -> float:
    """The learning rate of an optimiser step; the first is step 0."""
    if not config.use_scheduler:
        return config.lr
    # The warm-up's last step has the full rate, which is also the cosine's first.
    peak = max(config.warmup_steps - 1, 0)
    if step < peak:
        return config.lr * step / peak
    progress = (step - peak) / config.total_steps
    lowest = config.lr * config.decay_frac
    return config.lr + (lowest - config.lr) / 2 * (1 - math.cos(math.pi * progress))
