"""One process or many: what Accelerate is told, and what each of them has of the model.

One device, many that each hold the whole model (DDP), and many that share it out (FSDP2): started
by `python` or `accelerate launch`, they train with the same loop.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from accelerate import Accelerator, DistributedType
from accelerate.utils import (
    DistributedDataParallelKwargs,
    GradientAccumulationPlugin,
    InitProcessGroupKwargs,
    broadcast,
)
from torch import Tensor, nn
from torch.distributed.fsdp import MixedPrecisionPolicy
from torch.distributed.fsdp.wrap import transformer_auto_wrap_policy
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from dasheng.mae import MaskedAutoencoder
from dasheng.train.config import TrainConfig
from dasheng.train.stop import PATIENCE
from tasks.errors import UserError

_KNOWN = {
    DistributedType.NO,
    DistributedType.MULTI_CPU,
    DistributedType.MULTI_GPU,
    DistributedType.FSDP,
}


def accelerate(config: TrainConfig) -> Accelerator:
    """Accelerate as `accelerate launch` asked for it.

    Raises:
        UserError: for something else than DDP or FSDP2.
    """
    with warnings.catch_warnings():
        # That it shares the cores out among processes on one CPU is as it should be.
        warnings.filterwarnings("ignore", "OMP_NUM_THREADS")
        accelerator = Accelerator(
            # Said in so many words, or several processes on CPUs would not know of each other.
            cpu=not torch.accelerator.is_available(),
            gradient_accumulation_plugin=GradientAccumulationPlugin(
                num_steps=config.gradient_accumulation_steps, sync_with_dataloader=False
            ),
            kwargs_handlers=[
                DistributedDataParallelKwargs(gradient_as_bucket_view=True),
                InitProcessGroupKwargs(timeout=PATIENCE),
            ],
        )
    kind = accelerator.distributed_type
    if kind not in _KNOWN or (kind == DistributedType.FSDP and not accelerator.is_fsdp2):
        raise UserError(
            f"expected accelerate launch to start DDP, or FSDP with --fsdp_version 2, found {kind}"
        )
    return accelerator


def prepare(
    accelerator: Accelerator, config: TrainConfig, model: MaskedAutoencoder, optimizer: Optimizer
) -> tuple[Any, Any]:
    """Model and optimiser as this process has them: placed, compiled, shared out.

    Blocks are compiled one by one: that is where the time goes, all of an encoder's share one
    compilation, names stay as they are, and gradients can be sent while others are computed.
    """
    chosen = config.compile
    if accelerator.device.type == "cuda" if chosen is None else chosen:
        for block in (*model.encoder.blocks, *model.decoder.blocks):
            block.compile()
    if accelerator.is_fsdp2:
        plugin = accelerator.state.fsdp_plugin
        plugin.auto_wrap_policy = transformer_auto_wrap_policy
        plugin.transformer_cls_names_to_wrap = ["Block"]
        # Autocast makes the precision mixed, as with DDP: the front end, the batch norm and the
        # loss stay in float32. FSDP2's own way would cast the audio before all of them.
        plugin.mixed_precision_policy = MixedPrecisionPolicy()
        # Every process has drawn the same weights, and Accelerate cannot send any beside buffers.
        plugin.cpu_ram_efficient_loading = False
    return accelerator.prepare(model, optimizer)


def encoder_state(accelerator: Accelerator, model: nn.Module) -> dict[str, Tensor]:
    """The encoder's tensors on the CPU under their published names; empty but on the main process.

    All processes must call it: a model that is shared out is put together, tensor by tensor.
    """
    state = accelerator.unwrap_model(model, keep_torch_compile=False).state_dict()
    whole = {}
    for name, tensor in state.items():
        if name.startswith("encoder."):
            x = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
            if accelerator.is_main_process:
                whole[name.removeprefix("encoder.")] = x.detach().cpu()
    return whole


def same_buffers(accelerator: Accelerator, model: nn.Module) -> None:
    """Give all processes the main one's batch-norm statistics, which are those that are saved."""
    if accelerator.num_processes > 1:
        for buffer in model.buffers():
            buffer.copy_(broadcast(buffer.detach().clone()))
