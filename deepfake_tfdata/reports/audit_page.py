"""What an audit leaves: audit.json for programs, and a page for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from deepfake_tfdata.audits.finding import FAIL, INFO, WARN, Finding, verdict
from deepfake_tfdata.audits.texts import VERDICTS
from deepfake_tfdata.files import write_json, write_text
from deepfake_tfdata.reports.pages import render
from deepfake_tfdata.storage import AnyPath

_HEADINGS = {FAIL: "Leaks and shortcuts", WARN: "Warnings", INFO: "Notes"}
# Of a list on the page; audit.json has the rest.
_SHOWN = 40


def write_audit(folder: AnyPath, findings: Sequence[Finding], source: str, data: str) -> AnyPath:
    """Writes audit.json and audit.html, each whole or not at all.

    Args:
        folder: where to; made when missing.
        findings: the worst first.
        source, data: what was audited, as it was named; '' for none.

    Returns:
        The page.
    """
    found = verdict(findings)
    values = {
        "verdict": found,
        "source": source,
        "data": data,
        "findings": [finding.to_dict() for finding in findings],
    }
    write_json(folder / "audit.json", values)
    page = folder / "audit.html"
    write_text(page, _page(findings, found, " and ".join(filter(None, (source, data)))))
    return page


def _page(findings: Sequence[Finding], found: str, audited: str) -> str:
    return render(
        "audit.html",
        title="Audit",
        lead=f"{found.capitalize()}: {VERDICTS[found]}.",
        audited=audited,
        sections={
            heading: [_shown(finding) for finding in findings if finding.severity == severity]
            for severity, heading in _HEADINGS.items()
        },
    )


def _shown(finding: Finding) -> dict[str, Any]:
    """A finding with its evidence as lists; tests of nuisances and counts have tables of their own."""
    evidence = dict(finding.evidence)
    return {
        "check": ": ".join([finding.check.replace("_", " "), *filter(None, [evidence.pop("nuisance", "")])]),
        "severity": finding.severity,
        "what": finding.what,
        "mend": finding.mend,
        "tests": _tests(evidence.pop("tests", {})),
        "splits": evidence.pop("splits", None) if finding.check == "composition" else None,
        "facts": {name.replace("_", " "): _items(value) for name, value in evidence.items()},
    }


def _tests(tests: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of nuisance tests, however they are grouped."""
    rows = []
    for group, found in tests.items():
        for test in [found] if isinstance(found, Mapping) else found:
            interval = {"auc": test["auc"], "auc_low": test["low"], "auc_high": test["high"]}
            typical = test["typical"]
            real, fake = (_text(typical[name]) if typical else "" for name in ("real", "fake"))
            rows.append({**test, "group": group, "interval": interval, "real": real, "fake": fake})
    return rows


def _items(value: Any) -> dict[str, Any]:
    """A piece of evidence as lines, and how many more there are."""
    if isinstance(value, Mapping):
        texts = [f"{name}: {_text(each)}" for name, each in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        texts = [_text(each) for each in value]
    else:
        texts = [_text(value)]
    return {"lines": texts[:_SHOWN], "more": max(0, len(texts) - _SHOWN)}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else "unknown" if value is None else str(value)
