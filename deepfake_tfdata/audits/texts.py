"""An audit in plain text."""

from collections import Counter
from collections.abc import Iterator, Sequence

from deepfake_tfdata.audits.finding import (
    CLEAN,
    FAIL,
    INFO,
    LEAK,
    SEVERITIES,
    WARN,
    WARNINGS,
    Finding,
    verdict,
)

VERDICTS = {
    LEAK: "do not train on this yet: what a detector would score here is not what it would find elsewhere",
    WARNINGS: "no leak was found; read the warnings before you train",
    CLEAN: "nothing was found that would make a score too good",
}
_WORDS = {FAIL: "failed", WARN: "warned of", INFO: "noted"}


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """A line a finding, and one below it that says how to mend it."""
    for finding in findings:
        yield f"{finding.severity}: {finding.check}: {finding.what}"
        if finding.mend:
            yield f"  mend: {finding.mend}"


def summary(findings: Sequence[Finding]) -> str:
    """The verdict in a line, such as 'verdict: leak (2 failed, 1 warned of, 3 noted): do not train ...'."""
    counts = Counter(finding.severity for finding in findings)
    shown = ", ".join(f"{counts[severity]} {_WORDS[severity]}" for severity in SEVERITIES)
    found = verdict(findings)
    return f"verdict: {found} ({shown}): {VERDICTS[found]}"
