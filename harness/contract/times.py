"""Checks of the timestamps: when, in milliseconds from the start, each embedding is of."""

from collections.abc import Callable

import torch
from torch import Tensor

from harness.contract.check import Check
from harness.contract.session import Fault, Session
from harness.contract.signals import LENGTHS, OTHER_LENGTHS

_MOST_APART = 50.0  # ms: the tolerance of the onset metrics; more is allowed, and noted
_UNEVEN = 1e-3  # ms, as in hear-validator
_MOST_UNCOVERED = 500.0  # ms at either end: half a window of 1 s, the longest in use


def _dtype(session: Session) -> str:
    found = session.call("timestamp", "batch").output[1].dtype
    if found in (torch.float32, torch.float64):
        return ""
    return f"timestamps must be torch.float32, found {found}"


def _shape(session: Session) -> str:
    for name in ("batch", *LENGTHS, *OTHER_LENGTHS):
        call = session.call("timestamp", name)
        if call.numbers is None or call.times is None:
            continue  # a crash there is the finding of another check
        expected, found = tuple(call.numbers.shape[:2]), tuple(call.times.shape)
        if found != expected:
            return f"timestamps must have shape {expected} like the embeddings, found {found}"
    return ""


def _finite(session: Session) -> str:
    if all(bool(times.isfinite().all()) for _, times in _clips(session)):
        return ""
    return "NaN or infinite timestamps"


def _same_in_every_row(session: Session) -> str:
    times = _times(session, "batch")
    return (
        "" if torch.equal(times, times[:1].expand_as(times)) else "rows have different timestamps"
    )


def _increasing(session: Session) -> str:
    for seconds, times in _clips(session):
        steps = times.diff()
        if bool((steps <= 0).any()):
            return (
                f"timestamps of {seconds:g} s do not increase: a step of {float(steps.min()):g} ms"
            )
    return ""


def _regular(session: Session) -> str:
    for seconds, times in _clips(session):
        if len(times) > 1:
            steps = times.diff()
            uneven = float((steps - steps.mean()).abs().max())
            # Milliseconds of long clips are rounded to float32: some 1e-3 at 10 s.
            rounding = 0.0 if seconds <= 2 else 2 * 2**-23 * float(times.abs().max())
            if uneven >= _UNEVEN + rounding:
                return f"timestamps of {seconds:g} s are uneven by {uneven:.3g} ms"
    return ""


def _in_milliseconds(session: Session) -> str:
    seconds, times = _longest(session)
    last = float(times.max())
    if last > 2 * seconds or len(times) == 1:
        return ""
    return f"the last timestamp of {seconds:g} s is {last:g}: seconds, not milliseconds?"


def _apart(session: Session) -> str:
    seconds, times = _longest(session)
    step = _step(times)
    if step is None:
        return f"only one timestamp in {seconds:g} s"
    return f"timestamps are {step:g} ms apart" if step > _MOST_APART + _UNEVEN else ""


def _within_clip(session: Session) -> str:
    for seconds, times in _clips(session):
        beyond = 1000 * seconds + (_step(times) or _MOST_APART)
        first, last = float(times.min()), float(times.max())
        if first < -_UNEVEN or last > beyond + _UNEVEN:
            return f"timestamps of {seconds:g} s lie between {first:g} and {last:g} ms"
    return ""


def _cover_clip(session: Session) -> str:
    for seconds, times in _clips(session):
        first, last = float(times.min()), float(times.max())
        if first > _MOST_UNCOVERED or last < 1000 * seconds - _MOST_UNCOVERED:
            return f"timestamps of {seconds:g} s cover {first:g} to {last:g} ms only"
    return ""


def _times(session: Session, name: str) -> Tensor:
    """Timestamps (rows, T) float64 of a call; Fault where it gave none."""
    call = session.call("timestamp", name)
    if call.times is None or call.times.ndim != 2 or call.times.numel() == 0:
        raise Fault(f"{name}: no timestamps")
    return call.times


def _clips(session: Session) -> list[tuple[float, Tensor]]:
    """(duration in seconds, timestamps (T,)) of one clip of each length that gave any."""
    calls = (session.call("timestamp", name) for name in ("batch", *LENGTHS, *OTHER_LENGTHS))
    return [(call.seconds, call.times[0]) for call in calls if call.times is not None]


def _longest(session: Session) -> tuple[float, Tensor]:
    return max(_clips(session), key=lambda clip: clip[0])


def _step(times: Tensor) -> float | None:
    """Mean distance of neighbours in ms, None for a single timestamp."""
    return float(times.diff().abs().mean()) if len(times) > 1 else None


def hop(session: Session) -> float | None:
    """Milliseconds between timestamps, for the report's facts; None where there are none."""
    times = session.call("timestamp", "batch").times
    return None if times is None else _step(times[0])


def _check(name: str, find: Callable[[Session], str], advice: str, *needs: str) -> Check:
    return Check(f"times-{name}", find, advice, tuple(needs))


_ALL = ("times-shape", "times-finite")

TIMES = (
    _check("dtype", _dtype, "return float32 milliseconds, not an integer type", "timestamp-tensor"),
    _check("shape", _shape, "return (B, T): one per embedding", "timestamp-shape"),
    _check("finite", _finite, "every embedding needs its time", "times-shape"),
    _check("same-in-every-row", _same_in_every_row, "clips of one length share them", *_ALL),
    _check("increasing", _increasing, "return embeddings in the order of time", *_ALL),
    _check("regular", _regular, "space them evenly, to 1e-3 ms", *_ALL),
    _check("in-milliseconds", _in_milliseconds, "multiply seconds by 1000", *_ALL),
    Check(
        "times-at-most-50-ms-apart",
        _apart,
        "onsets are scored to 50 ms: a shorter hop tells more of them",
        needs=("times-in-milliseconds",),
        # HEAR suggests it only, and its own submissions had tokens of 160 ms and more.
        advisory=True,
    ),
    _check(
        "within-clip",
        _within_clip,
        "count milliseconds from the clip's start, not samples; drop those of padding",
        *_ALL,
    ),
    _check(
        "cover-clip",
        _cover_clip,
        "half of the clip missing? embed all of it",
        "times-in-milliseconds",
    ),
)
