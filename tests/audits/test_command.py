"""`python -m deepfake_tfdata.audit` as a user runs it: what it prints, writes and exits with."""

import json

import pytest

from deepfake_tfdata.audit import AuditConfig
from deepfake_tfdata.audits.finding import FAIL, INFO, Finding
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.reports.audit_page import write_audit
from tests.audits.heads import lists, write_lists
from tests.reports.html_checks import SCRIPT, check_html


def test_a_leak_ends_with_status_one_and_is_written(command, tree, tmp_path):
    pairs = lists(tree)
    (a, b), *_ = pairs["test"]
    write_lists(tree, {**pairs, "train": [*pairs["train"], [a, b]]})
    output = tmp_path / "out"
    result = command("audit", f"--source={tree}", f"--output={output}", "--frames=0", "--workers=1")
    assert result.returncode == 1, result.stderr
    assert f"fail: test_in_train: 4 videos in both train and test: Face2Face/{a}_{b}" in result.stdout
    assert "mend: take them out of train" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("verdict: leak (1 failed, 0 warned of, ")
    assert "audit: 28/28 videos" in result.stderr
    found = json.loads((output / "audit.json").read_text())
    assert found["verdict"] == "leak" and found["source"] == str(tree)
    assert list(found["findings"][0]) == ["check", "severity", "what", "evidence", "mend"]
    assert f"original/{a}" in found["findings"][0]["evidence"]["videos"]
    page = (output / "audit.html").read_text()
    check_html(page)
    assert f"original/{a}" in page and "Take them out of train." in page


def test_records_alone_are_written_beside(command, records, tmp_path):
    """And with videos both are told apart. Nothing of TensorFlow is said, and nothing that is no finding."""
    result = command("audit", f"--data={records}", f"--output={tmp_path}")
    assert result.returncode in (0, 1), result.stderr
    assert f"report: {tmp_path}/audit.html" in result.stdout
    assert "audit: 28/28 clips" in result.stderr and len(result.stderr.splitlines()) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"audit.json", "audit.html"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, "nothing to audit; name videos with --source=DIR, records with --data=DIR, or both"),
        ({"data": "x", "splits": "hash"}, "--splits is about videos, and there is no --source; leave it out"),
    ],
)
def test_flags_that_make_no_sense(flags, message):
    from deepfake_tfdata.options import build

    with pytest.raises(UserError, match=message):
        build(AuditConfig, flags)
    assert build(AuditConfig, {"data": "x", "conversion_dict": "y.json"}).output == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source={tmp}/nowhere"], "is no directory, CSV or JSON file"),
        (["--source={tree}", "--conversion_dict={tmp}/none.json"], "no {tmp}/none.json"),
        (["--source={tree}", "--splits={tmp}"], "train.json; --splits names a folder"),
        (["--source={tree}", "--output={tree}/ground_truth.json"], "choose another --output"),
        (["--data={tmp}"], "no records in {tmp}; make them with"),
    ],
)
def test_a_mistake_is_one_line(command, clean_tree, tmp_path, arguments, message):
    values = {"tree": clean_tree, "tmp": tmp_path}
    result = command("audit", *(argument.format(**values) for argument in arguments))
    assert result.returncode == 2
    assert message.format(**values) in result.stderr and len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_names_are_escaped_and_long_lists_cut(tmp_path):
    videos = [f"original/{SCRIPT}{number}" for number in range(50)]
    test = {
        "name": "crf",
        "auc": 0.9,
        "low": 0.8,
        "high": 1.0,
        "p": None,
        "typical": {"real": 1.0, "fake": None},
    }
    findings = [
        Finding("a_check", FAIL, SCRIPT, "mend it", {"videos": videos}),
        Finding(
            "composition",
            INFO,
            "videos",
            evidence={"splits": {"train": {"real": {"original": 3}, "fake": {}}}},
        ),
        Finding("shortcut_in_crops_tested", INFO, "tested", evidence={"tests": {"all methods": [test]}}),
    ]
    page = write_audit(tmp_path, findings, "data/ffpp", "").read_text()
    check_html(page)
    assert "and 10 more in audit.json" in page
    assert len(json.loads((tmp_path / "audit.json").read_text())["findings"][0]["evidence"]["videos"]) == 50
