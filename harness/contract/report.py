"""What a validation found, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["pass", "fail", "not run"]
_MARK: dict[Status, str] = {"pass": "ok", "fail": "FAIL", "not run": "-"}


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `advice` says what to do about a failure."""

    name: str
    status: Status
    detail: str = ""
    advice: str = ""

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
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(finding.status == "pass" for finding in self.findings)

    def lines(self) -> list[str]:
        """The report for people: facts, one line per check, the verdict."""
        facts = [f"{name:<26}{value}" for name, value in self.facts.items()]
        return [*facts, *(finding.line() for finding in self.findings), self._verdict()]

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON types: spec, ok, failed, facts, findings."""
        return {
            "spec": self.spec,
            "ok": self.ok,
            "failed": [finding.name for finding in self.failures],
            "facts": self.facts,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def _verdict(self) -> str:
        if self.ok:
            return f"{self.spec}: Looks good! All {len(self.findings)} checks passed."
        names = ", ".join(finding.name for finding in self.failures)
        return f"{self.spec}: {len(self.failures)} of {len(self.findings)} checks failed: {names}"
