"""Dasheng: deep audio-signal holistic embeddings (https://arxiv.org/abs/2406.06992)."""

from pathlib import Path
from typing import Any

from dasheng import checkpoint
from dasheng.encoder import Dasheng

__all__ = ["Dasheng", "dasheng_06B", "dasheng_12B", "dasheng_base", "dasheng_tiny"]


def dasheng_tiny(path: str | Path | None = None, **overrides: Any) -> Dasheng:
    """The small encoder that this package contains: pretrained on little, for trying things out.

    Arguments as for `dasheng_base`; nothing is downloaded. Its card: dasheng/pretrained/README.md.
    """
    return _load("tiny", path, overrides)


def dasheng_base(path: str | Path | None = None, **overrides: Any) -> Dasheng:
    """The 86 M encoder: 768 wide, 12 deep. `model(audio (B, N) at 16 kHz)` → (B, T, 768).

    Args:
        path: a checkpoint file; None downloads the published weights once. The file's own
            configuration fixes the size.
        overrides: fields of `EncoderConfig`, over the checkpoint's own.

    Raises:
        OSError, ValueError, UserError: the weights cannot be had or do not fit.
    """
    return _load("base", path, overrides)


def dasheng_06B(path: str | Path | None = None, **overrides: Any) -> Dasheng:  # noqa: N802
    """The 0.6 B encoder: 1280 wide, 32 deep. Arguments as for `dasheng_base`."""
    return _load("0.6B", path, overrides)


def dasheng_12B(path: str | Path | None = None, **overrides: Any) -> Dasheng:  # noqa: N802
    """The 1.2 B encoder: 1536 wide, 40 deep. Arguments as for `dasheng_base`."""
    return _load("1.2B", path, overrides)


def _load(name: str, path: str | Path | None, overrides: dict[str, Any]) -> Dasheng:
    return checkpoint.load(checkpoint.resolve(name) if path is None else path, **overrides)
