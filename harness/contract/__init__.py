"""Does a module keep the HEAR API, and can its scores be believed? A list of named checks.

It makes every check that hear-validator makes, without TensorFlow, and rejects what that one
lets pass: embeddings that are NaN, constant, random, in the wrong rows or dependent on their
batch; audio, random states or settings changed behind the caller's back; crashes on silence or on
some length; timestamps that are not milliseconds over the whole clip.
API: https://hearbenchmark.com/hear-api.html
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import nn

from harness import encoder
from harness.contract.check import Check, run
from harness.contract.embeddings import SCENES, TIMESTAMP_EMBEDDINGS
from harness.contract.interface import AFTERMATH, INTERFACE
from harness.contract.report import Finding, Report
from harness.contract.session import Session
from harness.contract.state import own_random_state
from harness.contract.times import TIMES, hop
from harness.targets import resolve

__all__ = ["CHECKS", "Check", "Finding", "Report", "check", "validate"]

CHECKS = (*INTERFACE, *SCENES, *TIMESTAMP_EMBEDDINGS, *TIMES, *AFTERMATH)


def validate(spec: str, device: str = "auto", *, trust_remote_code: bool = False) -> Report:
    """Check the module that `spec` names: see `harness.targets`.

    Raises UserError where there is no such module or device, or where remote code is trusted that
    the module would not execute; all else is in the report.
    """
    target = resolve(spec)
    return _report(
        spec,
        lambda: encoder.import_module(target, spec),
        target.checkpoint,
        device,
        trust_remote_code=trust_remote_code,
    )


def check(module: ModuleType, checkpoint: str = "", device: str = "auto") -> Report:
    """Check a module that is imported already."""
    spec = ":".join(part for part in (module.__name__, checkpoint) if part)
    return _report(spec, lambda: module, checkpoint, device)


def _report(
    spec: str,
    find: Callable[[], ModuleType],
    checkpoint: str,
    device: str,
    *,
    trust_remote_code: bool = False,
) -> Report:
    place = encoder.device_named(device)
    session = Session(find, checkpoint, place, trust_remote_code=trust_remote_code)
    with own_random_state():
        findings = run(CHECKS, session)
        passed = {finding.name for finding in findings if finding.status == "pass"}
        return Report(spec, tuple(findings), _facts(session, passed))


def _facts(session: Session, passed: set[str]) -> dict[str, Any]:
    """What the module says of itself, as far as its checks have passed."""
    model = session.model
    if not isinstance(model, nn.Module):
        return {}
    facts: dict[str, Any] = {
        "device": str(session.device),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    for name in ("sample-rate", "scene-embedding-size", "timestamp-embedding-size"):
        if name in passed:
            facts[name.replace("-", "_")] = getattr(model, name.replace("-", "_"))
    if "times-in-milliseconds" in passed:
        facts["hop_ms"] = hop(session)
    if "scene-function-exists" in passed:
        facts["takes_lengths"] = session.ragged("scene")
    return facts
