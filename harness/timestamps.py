"""Timestamp embeddings of a HEAR module, checked before a number of them is used.

A module says how many moments it gives a clip, and when they are; nothing else can be
relied on. What is judged by its events stands or falls with these times.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.encoder import Encoder, canary_clip, embedding_fault, projections
from harness.errors import UserError

_BEYOND = 1.0  # ms that a time may lie outside of its clip: rounding
_SHORT = 1000.0  # ms; of a shorter clip a module may have one moment only


def embed_timestamps(encoder: Encoder, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Timestamp embeddings of audio (B, N) float32, clips of one length.

    Returns:
        (B, T, D) float32 and their times (B, T) float64, ms. Autocast is the caller's; what
        they are is for `clip_fault` to judge.

    Raises:
        UserError: the module returns anything but such a pair of tensors.
    """
    batch = torch.from_numpy(audio).to(encoder.device)
    # Not inference_mode: under it autocast casts all weights again for every batch.
    with torch.no_grad():
        output = encoder.module.get_timestamp_embeddings(batch, encoder.model)
    if _is_pair(output) and torch.is_autocast_enabled(encoder.device.type):
        output = output[0].float(), output[1]  # autocast's doing, not the module's
    fault = _fault(output, len(batch), encoder.timestamp_embedding_size)
    if fault:
        raise UserError(
            f"get_timestamp_embeddings of {encoder.module.__name__} {fault}; "
            f"`python -m harness validate {encoder.spec}` says more"
        )
    embeddings, times = output
    every = times.double().expand(embeddings.shape[:2])
    return embeddings.cpu().numpy(), every.cpu().numpy()


def clip_fault(embeddings: np.ndarray, times: np.ndarray, milliseconds: float) -> str:
    """What is wrong with (T, D) and (T,) of a clip so long, in words; "" where nothing is."""
    if not np.isfinite(embeddings).all():
        return "expected finite embeddings, found NaN or infinity (try --precision float32)"
    if not np.isfinite(times).all():
        return "expected finite timestamps, found NaN or infinity"
    if (np.diff(times) < 0).any():
        return "expected timestamps in the order of time, found one before its predecessor"
    # The last moment of a padded clip may be centred beyond its end: by a step at most. A lone
    # one has no step: what it is padded to may be longer than the clip.
    step = float(np.median(np.diff(times))) if len(times) > 1 else _SHORT / 2
    beyond = max(_BEYOND, step)
    if times[0] < -_BEYOND or times[-1] > milliseconds + beyond:
        return (
            f"expected timestamps within the clip, 0 to {milliseconds:g} ms, "
            f"found {times[0]:g} to {times[-1]:g}"
        )
    if times[-1] < milliseconds / 2 and milliseconds > _SHORT:
        return (
            f"expected timestamps all over the clip, 0 to {milliseconds:g} ms, found the last at "
            f"{times[-1]:g}: are they seconds, or is the clip cut?"
        )
    return ""


def canary(encoder: Encoder) -> tuple[str, ...]:
    """As `Encoder.canary`, of the timestamp embeddings and their times."""
    with torch.autocast(encoder.device.type, enabled=False):
        embeddings, times = embed_timestamps(encoder, canary_clip(encoder.sample_rate)[None])
    return (*projections(embeddings), *projections(times))


def _is_pair(output: Any) -> bool:
    pair = isinstance(output, tuple | list) and len(output) == 2
    return pair and all(isinstance(part, Tensor) for part in output)


def _fault(output: Any, clips: int, size: int) -> str:
    if not _is_pair(output):
        return "must return a pair of tensors (embeddings, timestamps)"
    embeddings, times = output
    moments = embeddings.shape[1] if embeddings.ndim == 3 else 0
    if moments == 0:
        return f"must return shape ({clips}, T, {size}), T > 0, found {tuple(embeddings.shape)}"
    fault = embedding_fault(embeddings, (clips, moments, size))
    if not fault and tuple(times.shape) not in ((clips, moments), (moments,)):
        return f"must return timestamps ({clips}, {moments}), found {tuple(times.shape)}"
    return fault
