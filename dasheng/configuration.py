"""From a checkpoint's own configuration, in its own words, to an `EncoderConfig`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from dasheng.blocks import EncoderConfig

# The three published sizes.
SIZES: Mapping[str, Mapping[str, int]] = {
    "base": {"embed_dim": 768, "depth": 12, "num_heads": 12},
    "0.6B": {"embed_dim": 1280, "depth": 32, "num_heads": 16},
    "1.2B": {"embed_dim": 1536, "depth": 40, "num_heads": 24},
}

# Settings of the published encoder that this one can only do in one way.
_FIXED: Mapping[str, tuple[Any, ...]] = {
    "pooling": ("mean", "logit", "dm"),  # of a classifier's head; "token" alone changes the encoder
    "block_type": ("Block",),
    "attention_type": ("Attention",),
    "center": (True,),
    "norm_layer": (None,),
    "act_layer": (None,),
}


def parse(config: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> EncoderConfig:
    """Read a checkpoint's configuration; what it leaves out has the published default.

    The published encoder takes any setting and does nothing with those it does not know (training
    and book-keeping, mostly), so in a file these are passed over. In `overrides`, which a person
    typed, they are a mistake.

    Raises:
        ValueError: names a setting with a value that is not supported, or an unknown override.
    """
    overrides = overrides or {}
    known = {field.name for field in fields(EncoderConfig)}
    if unknown := sorted(set(overrides) - known - set(_FIXED) - {"patch_stride"}):
        raise ValueError(f"unknown setting {unknown[0]}; expected {', '.join(sorted(known))}")
    config = {**config, **overrides}
    for key, values in _FIXED.items():
        if config.get(key, values[0]) not in values:
            raise ValueError(f"{key}={config[key]!r} is not supported, expected {values[0]!r}")
    chosen = {key: value for key, value in config.items() if key in known}
    chosen["patch_size"] = _pair(chosen.get("patch_size", EncoderConfig.patch_size))
    if _pair(config.get("patch_stride", chosen["patch_size"])) != chosen["patch_size"]:
        raise ValueError(
            f"patch_stride={config['patch_stride']!r} is not supported, expected "
            f"{chosen['patch_size']}: patches do not overlap"
        )
    return EncoderConfig(**chosen)


def _pair(value: Any) -> tuple[int, int]:
    first, second = (value, value) if isinstance(value, int) else value
    return int(first), int(second)
