"""From a configuration to the masked autoencoder that is trained: sizes by name, or a checkpoint's.

The names are the published trainer's. Its own dasheng_06B is 1536 wide, 24 deep with 24 heads, yet
the published 0.6B checkpoint is 1280, 32 and 16: here the names mean the checkpoints' sizes, so
that what is trained opens as they do and they can be where a run starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args, get_type_hints

import torch

from dasheng import checkpoint
from dasheng.blocks import EncoderConfig
from dasheng.configuration import SIZES, parse
from dasheng.encoder import Dasheng
from dasheng.mae import DecoderConfig, MaskedAutoencoder, Target
from dasheng.train import values
from dasheng.train.config import TrainConfig
from tasks.errors import UserError

# name → the encoder's size, the decoder's. Tiny's is in its configuration file.
MODELS: Mapping[str, tuple[Mapping[str, int], DecoderConfig]] = {
    "dasheng_base": (SIZES["base"], DecoderConfig()),
    "dasheng_06B": (SIZES["0.6B"], DecoderConfig()),
    "dasheng_12B": (SIZES["1.2B"], DecoderConfig(embed_dim=768, depth=8, num_heads=24)),
    "dasheng_tiny": ({}, DecoderConfig()),
}
ARGUMENTS: Mapping[str, Any] = {
    **get_type_hints(EncoderConfig),
    "patch_stride": tuple[int, int],
    "group_masking": bool | int,
    "target_norm": str,
    "decoder": dict,
}

# What may differ from the checkpoint where a run starts: none changes what a weight means.
FREE = {"target_length", "drop_rate", "attn_drop_rate"}

# From so many parameters on, activations are computed again rather than kept.
_MANY = 300_000_000


def build(config: TrainConfig) -> MaskedAutoencoder:
    """The model on the CPU, its weights drawn from PyTorch's own random numbers or `start_from`'s.

    `model_args` has fields of `EncoderConfig`, over the size that the name stands for;
    `patch_stride`, which must be `patch_size`; `group_masking` (false, true for pairs, or how many
    tokens are masked together); `target_norm` (`dasheng.mae.Target`); and `decoder` with fields of
    `DecoderConfig`.
    `start_from` is a file, or a name (tiny, or a published size's).

    Raises:
        UserError: an unknown model or setting, an impossible value, a crop too short to be masked
            or longer than one block, or `start_from` cannot be read or contradicts the rest.
    """
    if config.model not in MODELS:
        raise UserError(f"expected model to be {', '.join(MODELS)}, found {config.model}")
    size, decoder = MODELS[config.model]
    arguments = _read(config.model_args)
    arguments.pop("group_masking", None)  # the configuration has read it
    target = arguments.pop("target_norm", "patch")
    if target not in get_args(Target):
        known = ", ".join(get_args(Target))
        raise UserError(f"expected model_args.target_norm to be one of {known}, found {target}")
    decoder = _decoder(decoder, arguments.pop("decoder", {}))
    if config.start_from is not None:
        encoder = _started(config.start_from, {**size, **arguments})
    else:
        encoder = _new(config.model, {**size, **arguments})
    _check_crop(encoder, config.crop_samples, config.group)
    recompute = config.activation_checkpointing
    if recompute is None:
        recompute = sum(parameter.numel() for parameter in encoder.parameters()) > _MANY
    return MaskedAutoencoder(
        encoder,
        decoder,
        mask_ratio=config.mask_ratio,
        group=config.group,
        recompute=recompute,
        target=target,
    )


def _read(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`model_args` as the types of its settings say."""
    read = {}
    for key, found in arguments.items():
        name = f"model_args.{key}"
        if key not in ARGUMENTS:
            raise values.unknown(name, [f"model_args.{known}" for known in ARGUMENTS])
        read[key] = values.value_of(found, ARGUMENTS[key], name)
        _check_counts(name, read[key])
    return read


def _check_counts(name: str, value: Any) -> None:
    """Whole numbers all count something."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 1:
        raise UserError(f"expected {name} to be 1 or more, found {value}")


def _new(model: str, settings: dict[str, Any]) -> Dasheng:
    """A random encoder."""
    if missing := sorted(SIZES["base"].keys() - settings.keys()):
        raise UserError(f"expected model_args.{missing[0]}, found none: {model} has no own size")
    try:
        return Dasheng(parse({}, settings))
    except ValueError as error:
        raise UserError(f"model_args: {error}") from None


def _started(start: str, wanted: dict[str, Any]) -> Dasheng:
    """A checkpoint's encoder: its own configuration, which what is wanted may not contradict."""
    try:
        file = checkpoint.resolve(start) if start in checkpoint.NAMES else start
        free = {name: wanted[name] for name in FREE & wanted.keys()}
        encoder = checkpoint.load(file, **free)
        here = asdict(parse({}, {**asdict(encoder.config), **wanted}))
    except (OSError, ValueError) as error:
        raise UserError(f"start_from: {error}") from None
    for name, there in asdict(encoder.config).items():
        if here[name] != there:
            raise UserError(
                f"start_from: {start} has {name} {there}, the configuration {here[name]}; "
                "change model or model_args, or start from another checkpoint"
            )
    return encoder


def _decoder(usual: DecoderConfig, changes: dict[str, Any]) -> DecoderConfig:
    """The decoder of a model's name with what the configuration changes."""
    within = "model_args.decoder."
    chosen = values.build(DecoderConfig, {**asdict(usual), **changes}, within)
    for name, value in asdict(chosen).items():
        _check_counts(f"{within}{name}", value)
    if chosen.embed_dim % chosen.num_heads:
        raise UserError(
            f"expected {within}num_heads to divide its embed_dim {chosen.embed_dim}, "
            f"found {chosen.num_heads}"
        )
    return chosen


def _check_crop(encoder: Dasheng, samples: int, group: int) -> None:
    """A crop is one block at most, and has tokens both to keep and to remove."""
    tokens = int(encoder.tokens(torch.tensor(samples, device="cpu")))
    most = encoder.config.block_tokens
    if not group < tokens <= most:
        raise UserError(
            f"expected chunk_length to make {group + 1} to {most} tokens, found {tokens}; "
            "change it, or model_args.target_length"
        )
