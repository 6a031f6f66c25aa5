"""Checks of the embeddings themselves, the same for scenes and for timestamps.

A score can be computed from embeddings with any of these faults, and will look like a score.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from harness.contract.call import Kind
from harness.contract.check import Check
from harness.contract.session import Session
from harness.contract.signals import CLIPS, LENGTHS, OTHER_LENGTHS, RAGGED

# Relative distances. When the batch changes its size, rounding moves an embedding by some 1e-6,
# TF32 convolutions on a GPU by up to 1e-3. Clips of different kinds lie further apart than
# rounding errors, if only a little: a linear module with a bias hears them all alike.
_SAME_CLIP, _SAME_CLIP_ON_GPU, _OTHER_CLIP = 1e-4, 1e-3, 1e-6

Find = Callable[[Session, Kind], str]


def _runs(session: Session, kind: Kind) -> str:
    return session.call(kind, "batch").error


def _tensor(session: Session, kind: Kind) -> str:
    return session.call(kind, "batch").tensor_fault()


def _dtype(session: Session, kind: Kind) -> str:
    call = session.call(kind, "batch")
    found = call.embeddings.dtype
    if found == torch.float32:
        return ""
    return f"{call.function} must return torch.float32 embeddings, found {found}"


def _shape(session: Session, kind: Kind) -> str:
    return session.call(kind, "batch").shape_fault(session.size(kind))


def _detached(session: Session, kind: Kind) -> str:
    call = session.call(kind, "batch")
    if not call.embeddings.requires_grad:
        return ""
    return f"{call.function} returned embeddings that require grad"


def _input_kept(session: Session, kind: Kind) -> str:
    changed = any(call.input_changed for call in session.calls(kind))
    return f"get_{kind}_embeddings changed its input audio in place" if changed else ""


def _output_kept(session: Session, kind: Kind) -> str:
    call = session.call(kind, "batch")
    session.call(kind, CLIPS[-1])  # another clip comes to stand in the first row
    if call.shares_input:
        return f"{call.function} returned a view of its input audio"
    if call.numbers is None or torch.equal(call.embeddings.detach().cpu().double(), call.numbers):
        return ""
    return f"a later call of {call.function} wrote over embeddings that it had returned"


def _varies(session: Session, kind: Kind) -> str:
    first, second, third = session.embeddings(kind, "batch")
    pairs = ((first, second), (first, third), (second, third))
    if any(_distance(one, other) > _OTHER_CLIP for one, other in pairs):
        return ""
    return "a loud tone, noise and a quiet chirp all get the same embedding"


def _deterministic(session: Session, kind: Kind) -> str:
    first, again = (session.embeddings(kind, name) for name in ("batch", "batch again"))
    distances = map(_distance, first, again)
    return _moved(session, max(distances), "the same batch, given again, has other embeddings")


def _row_order(session: Session, kind: Kind) -> str:
    for row, distances in enumerate(_alone_to_batch(session, kind)):
        nearest = distances.index(min(distances))
        if distances[nearest] <= _tolerance(session) < distances[row]:
            return f"clip {row + 1} of the batch has its embedding in row {nearest + 1}"
    return ""


def _batch_independent(session: Session, kind: Kind) -> str:
    # The nearest row, not the clip's own: rows in a wrong order are another check's finding.
    distance = max(min(distances) for distances in _alone_to_batch(session, kind))
    return _moved(session, distance, "a clip has one embedding alone and another in a batch")


def _ragged(session: Session, kind: Kind) -> str:
    if not session.ragged(kind):
        return ""
    alone = [session.embeddings(kind, name)[0] for name in RAGGED]
    rows = list(session.embeddings(kind, "ragged"))
    if kind == "timestamp":
        rows = [row[: len(own)] for row, own in zip(rows, alone, strict=True)]
    distance = max(map(_distance, rows, alone))
    return _moved(
        session, distance, "with lengths=, a padded clip has another embedding than alone"
    )


def _alone_to_batch(session: Session, kind: Kind) -> list[list[float]]:
    """Distances of each clip's embedding alone to every row of the batch."""
    batch = session.embeddings(kind, "batch")
    alone = [session.embeddings(kind, name)[0] for name in CLIPS]
    return [[_distance(own, row) for row in batch] for own in alone]


def _distance(one: Tensor, other: Tensor) -> float:
    """Euclidean distance relative to the longer vector; infinite between different shapes."""
    if one.shape != other.shape:
        return math.inf
    longer = max(float(one.norm()), float(other.norm()))
    return float((one - other).norm()) / longer if longer > 0 else 0.0


def _moved(session: Session, distance: float, words: str) -> str:
    if distance <= _tolerance(session):
        return ""
    return f"{words} ({'another shape' if math.isinf(distance) else f'{distance:.1g} relative'})"


def _tolerance(session: Session) -> float:
    return _SAME_CLIP if session.device.type == "cpu" else _SAME_CLIP_ON_GPU


def _checks(kind: Kind) -> tuple[Check, ...]:
    """The checks of one function, from the least it must do to the most."""

    def check(name: str, find: Find, advice: str, *needs: str) -> Check:
        return Check(f"{kind}-{name}", lambda session: find(session, kind), advice, needs)

    model = ("sample-rate", f"{kind}-embedding-size", f"{kind}-function-exists")
    runs, tensor, shape, finite, one = (
        f"{kind}-{name}" for name in ("runs", "tensor", "shape", "finite", "batch-of-one")
    )
    same = f"{kind}-deterministic"
    return (
        check("runs", _runs, "make it work on a batch of three clips of 2 s", *model),
        check("tensor", _tensor, "return what the HEAR API says", runs),
        check("dtype", _dtype, "add .float()", tensor),
        check("shape", _shape, "return one row per clip, of the declared size", tensor),
        check("finite", _usable_on("batch"), "find the NaN: often the log of zero", shape),
        check("detached", _detached, "it requires grad: embed under torch.no_grad()", tensor),
        check("varies", _varies, "constant embeddings say nothing: are weights loaded?", finite),
        check("batch-of-one", _usable_on(*CLIPS), "take (1, N): beware of squeeze()", finite),
        check("silence", _usable_on("silence"), "do not divide by the level: silence exists", one),
        *(
            check(name.replace(" ", ""), _usable_on(name), f"take clips of {name}", one)
            for name in LENGTHS
        ),
        check("other-lengths", _usable_on(*OTHER_LENGTHS), "take clips of any length", one),
        check("input-kept", _input_kept, "work on a copy: the caller needs its audio", runs),
        check("output-kept", _output_kept, "return a tensor of its own", finite),
        check("deterministic", _deterministic, "random output: is dropout left on?", finite),
        check("row-order", _row_order, "return rows in the order of the clips", same, one),
        check(
            "batch-independent",
            _batch_independent,
            "take maxima, norms and statistics over each clip, not over the batch",
            same,
            one,
        ),
        check(
            "padding-exact",
            _ragged,
            "mask what lies beyond each clip's length everywhere, or drop the parameter lengths",
            same,
            f"{kind}-other-lengths",
        ),
    )


def _usable_on(*names: str) -> Find:
    """The function gives finite embeddings of the right shape on each of these signals."""

    def find(session: Session, kind: Kind) -> str:
        for name in names:
            session.embeddings(kind, name)
        return ""

    return find


SCENES = _checks("scene")
TIMESTAMP_EMBEDDINGS = _checks("timestamp")
