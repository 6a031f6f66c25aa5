"""A check: a stable name, a function that looks for one fault, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.contract.report import Finding
from harness.contract.session import Fault, Session


@dataclass(frozen=True)
class Check:
    """One named check.

    `find` returns what is wrong in words, "" if nothing is, and may raise Fault instead. It runs
    once every check named in `needs` has passed. What an `advisory` check finds is a note: it
    costs something somewhere, and yet no rule is broken.
    """

    name: str
    find: Callable[[Session], str]
    advice: str
    needs: tuple[str, ...] = ()
    advisory: bool = False


def run(checks: Iterable[Check], session: Session) -> list[Finding]:
    """The finding of each check, in their order."""
    findings: list[Finding] = []
    passed: set[str] = set()
    for check in checks:
        finding = _finding(check, session, passed)
        findings.append(finding)
        if finding.ok:
            passed.add(check.name)
    return findings


def _finding(check: Check, session: Session, passed: set[str]) -> Finding:
    missing = [name for name in check.needs if name not in passed]
    if missing:
        return Finding(check.name, "not run", f"needs {missing[0]}")
    try:
        detail = check.find(session)
    except Fault as fault:
        detail = str(fault)
    if detail:
        return Finding(check.name, "note" if check.advisory else "fail", detail, check.advice)
    return Finding(check.name, "pass")
