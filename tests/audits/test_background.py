import json

import pytest

from deepfake_tfdata import audit
from deepfake_tfdata.audits import background
from deepfake_tfdata.audits.background import background_epochs, background_finding
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.records.ledger import read_ledger


def metrics(auc, low, high):
    return {"auc": auc, "auc_low": low, "auc_high": high, "num_videos": 40, "eer": 0.1}


@pytest.mark.parametrize(
    ("values", "check", "severity"),
    [
        ((0.8, 0.61, 0.9), "background_tells_label", "fail"),
        ((0.8, 0.6, 0.9), "background_tested", "info"),
        ((0.3, 0.1, 0.5), "background_tested", "info"),
        ((None, None, None), "background_tested", "info"),
    ],
)
def test_a_background_that_tells_the_label_for_certain_fails(values, check, severity):
    finding = background_finding(metrics(*values))
    assert (finding.check, finding.severity) == (check, severity)
    assert finding.evidence["num_videos"] == 40 and "eer" not in finding.evidence
    if values[0]:
        assert f"AUC {values[0]:.3f} [{values[1]:.3f}, {values[2]:.3f}] on 40 videos" in finding.what


def test_few_clips_are_trained_on_for_more_epochs():
    epochs = {4: 60, 120: 60, 200: 40, 400: 20, 533: 16, 8000: 15}
    assert {clips: background_epochs(clips, 8) for clips in epochs} == epochs


@pytest.mark.slow
def test_a_detector_is_trained_on_what_is_not_face_and_tested_on_other_people(
    convert_once, tmp_path, monkeypatch, capsys
):
    asked = []
    monkeypatch.setattr(background, "background_epochs", lambda *clips: asked.append(clips) or 1)
    wide = convert_once("wide", "--regions=full,wide")
    audit.main(audit.AuditConfig(data=str(wide), output=str(tmp_path), background=True))
    assert (
        "info: background_tested: a detector that sees only what is around faces" in capsys.readouterr().out
    )
    config = json.loads((tmp_path / "background" / "config.json").read_text())["config"]
    assert (config["region"], config["view"], config["fold"]) == ("wide", "background", "1/5")
    # All its epochs, of the clips that are left of 28 for training.
    assert (config["epochs"], config["patience"]) == (1, 1)
    ((num_clips, batch_size),) = asked
    assert 8 <= num_clips < 28 and batch_size == config["batch_size"]
    assert not list(wide.rglob("evaluation")) and read_ledger(wide)


def test_it_needs_records_of_what_is_around_faces(records):
    with pytest.raises(UserError, match="--background is trained on records; name them with --data=DIR"):
        audit.AuditConfig(source="videos", background=True)
    with pytest.raises(UserError, match="no region 'wide' in"):
        audit.main(audit.AuditConfig(data=str(records), output="", background=True))
