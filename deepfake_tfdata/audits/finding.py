"""What an audit finds, and the verdict that follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

FAIL, WARN, INFO = "fail", "warn", "info"
SEVERITIES = (FAIL, WARN, INFO)
CLEAN, WARNINGS, LEAK = "clean", "warnings", "leak"
# A line that names more is read by nobody; audit.json has them all.
_NAMED = 7


@dataclass(frozen=True)
class Finding:
    """One thing that somebody should know before training.

    Attributes:
        check: which check found it, such as 'identity_in_two_splits'; the room's README has them all.
        severity: 'fail', 'warn' or 'info'.
        what: a sentence for a person.
        mend: what to do about it; '' where there is nothing to do.
        evidence: plain values, ready for JSON; what `what` names the first of is here in full.
    """

    check: str
    severity: str
    what: str
    mend: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As audit.json has it."""
        values = asdict(self)
        return {name: values[name] for name in ("check", "severity", "what", "evidence", "mend")}


def verdict(findings: Iterable[Finding]) -> str:
    """'leak' where a finding fails, 'warnings' where one warns, else 'clean'."""
    severities = {finding.severity for finding in findings}
    return LEAK if FAIL in severities else WARNINGS if WARN in severities else CLEAN


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; of one severity as they were found."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def said_of(what: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each with what it is about before its sentence."""
    return [replace(finding, what=f"{what}: {finding.what}") for finding in findings]


def names(members: Sequence[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(members) - _NAMED} more" if len(members) > _NAMED else ""
    return ", ".join(members[:_NAMED]) + more


def count(number: int, one: str, many: str = "") -> str:
    """Such as '1 video' and '3 videos'."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
