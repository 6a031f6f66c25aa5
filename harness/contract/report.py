"""What a validation found, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["pass", "note", "fail", "not run"]
_MARK: dict[Status, str] = {"pass": "ok", "note": "note", "fail": "FAIL", "not run": "-"}


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `advice` says what to do about a failure or a note."""

    name: str
    status: Status
    detail: str = ""
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether a sound module may have this finding: the check passed, or left a note."""
        return self.status in ("pass", "note")

    def line(self) -> str:
        """One line: mark, name and, where there is something to say, what and what to do."""
        text = f"{_MARK[self.status]:<4}  {self.name}"
        words = "; ".join(part for part in (self.detail, self.advice) if part)
        return f"{text}: {words}" if words else text


@dataclass(frozen=True)
class Report:
    """All findings about one HEAR module, in the order of the checks."""

    spec: str
    findings: tuple[Finding, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The checks that failed."""
        return tuple(finding for finding in self.findings if finding.status == "fail")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is well to know, and no fault."""
        return tuple(finding for finding in self.findings if finding.status == "note")

    @property
    def ok(self) -> bool:
        """Whether every check ran and none failed."""
        return all(finding.ok for finding in self.findings)

    def lines(self) -> list[str]:
        """The report for people: facts, one line per check, the verdict."""
        facts = [f"{name:<26}{value}" for name, value in self.facts.items()]
        return [*facts, *(finding.line() for finding in self.findings), self._verdict()]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON types: spec, ok, failed, noted, facts, findings."""
        return {
            "spec": self.spec,
            "ok": self.ok,
            "failed": [finding.name for finding in self.failures],
            "noted": [finding.name for finding in self.notes],
            "facts": self.facts,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def _verdict(self) -> str:
        count = len(self.findings)
        if not self.ok:
            failed, names = len(self.failures), _names(self.failures)
            return f"{self.spec}: {failed} of {count} checks failed: {names}"
        if not self.notes:
            return f"{self.spec}: Looks good! All {count} checks passed."
        passed, names = count - len(self.notes), _names(self.notes)
        return f"{self.spec}: Looks good! {passed} of {count} checks passed; note {names}."


def _names(findings: tuple[Finding, ...]) -> str:
    return ", ".join(finding.name for finding in findings)
