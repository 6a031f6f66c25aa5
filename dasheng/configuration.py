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

# What published configurations carry and this encoder can only do in one way.
_FIXED: Mapping[str, tuple[Any, ...]] = {
    "pooling": ("mean",),
    "block_type": ("Block",),
    "attention_type": ("Attention",),
    "center": (True,),
    "norm_layer": (None,),
    "act_layer": (None,),
    "time_patch_out": (None,),
    "freq_patch_out": (None,),
    "wavtransforms": (None,),
    "spectransforms": (None,),
    "init_bn": (True,),
}
# What says nothing about an embedding: training, the hub's classifier, the hub's book-keeping.
_IGNORED = {
    *("mask_ratio", "group_masking", "eval_avg", "drop_path_rate", "pad_last"),
    *("name", "loss", "outputdim", "sample_rate"),
    *("architectures", "auto_map", "dtype", "model_type", "torch_dtype", "transformers_version"),
}


def parse(config: Mapping[str, Any]) -> EncoderConfig:
    """Read a published configuration; what it leaves out has the published default.

    Raises:
        ValueError: names a setting that is unknown or has a value that is not supported.
    """
    known = {field.name for field in fields(EncoderConfig)}
    chosen: dict[str, Any] = {}
    for key, value in config.items():
        if key in known:
            chosen[key] = value
        elif key in _FIXED and value not in _FIXED[key]:
            raise ValueError(f"{key}={value!r} is not supported, expected {_FIXED[key][0]!r}")
        elif key not in _FIXED and key not in _IGNORED and key != "patch_stride":
            raise ValueError(
                f"unknown setting {key}={value!r}; expected {', '.join(sorted(known))}"
            )
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
