"""Every page in a browser: a silent console, no scrolling sideways, readable in the dark and on paper."""

from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.audits.finding import FAIL, INFO, Finding
from deepfake_tfdata.evaluation.calibration import fit_calibration
from deepfake_tfdata.evaluation.calibration_report import judge_calibration
from deepfake_tfdata.evaluation.comparison import compare
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import per_video
from deepfake_tfdata.reports.audit_page import write_audit
from deepfake_tfdata.reports.comparison_page import write_comparison
from deepfake_tfdata.reports.evaluation_report import write_evaluation
from deepfake_tfdata.reports.explanation_page import write_explanation
from deepfake_tfdata.reports.study_page import write_study
from tests.evaluation.references import calibrated_detector
from tests.reports.explanations import explanation
from tests.reports.study_results import study_result

LONG = "a/very/long/name_that_nowhere_has_a_place_to_break_" * 3


def evaluation(folder, predictions):
    context = {"spec hash": "0123456789abcdef" * 4, LONG: LONG}
    write_evaluation(folder, predictions, evaluate(predictions), title=LONG, context=context)
    return folder / "report.html"


def calibrated(folder, predictions):
    detector = calibrated_detector(methods=("Face2Face", LONG))
    metrics = {**evaluate(predictions), "calibration": judge_calibration(detector, per_video(predictions))}
    calibration = fit_calibration(detector.reference)
    write_evaluation(folder, predictions, metrics, title=LONG, context={}, calibration=calibration)
    return folder / "report.html"


def comparison(folder, predictions):
    other = replace(predictions, scores=np.flip(predictions.scores))
    path = folder / "comparison.html"
    write_comparison(path, "mouth/attention", LONG, (LONG, LONG), compare([predictions], [other]), title=LONG)
    return path


@pytest.mark.parametrize("write", [evaluation, calibrated, comparison])
def test_a_page_has_no_faults(chromium, make_predictions, tmp_path, write):
    predictions = make_predictions(methods=("Face2Face", LONG), num_frames=4)
    assert chromium.faults(write(tmp_path, predictions)) == []


def test_a_study_has_no_faults(chromium, tmp_path):
    write_study(tmp_path, study_result(f"{{}}_{LONG}", LONG))
    assert chromium.faults(tmp_path / "study.html") == []


def test_an_explanation_has_no_faults(chromium, tmp_path):
    write_explanation(tmp_path, *explanation(LONG), title=LONG)
    assert chromium.faults(tmp_path / "explanation.html") == []


def test_an_audit_has_no_faults(chromium, tmp_path):
    typical = {"real": 224.0, "fake": LONG}
    test = {"name": LONG, "auc": 0.9, "low": 0.8, "high": 1.0, "p": 0.001, "typical": typical}
    counts = {"train": {"real": {"original": 3}, "fake": {LONG: 3}}}
    findings = [
        Finding("test_in_train", FAIL, f"a video in both: {LONG}", "take it out", {"videos": [LONG] * 50}),
        Finding("shortcut_in_crops", FAIL, LONG, evidence={"nuisance": "crf", "tests": {LONG: test}}),
        Finding("composition", INFO, "videos", evidence={"splits": counts}),
        Finding("shortcut_in_crops_tested", INFO, "tested", evidence={"tests": {LONG: [test, test]}}),
    ]
    assert chromium.faults(write_audit(tmp_path, findings, LONG, LONG)) == []


def test_a_contact_sheet_has_no_faults(chromium, records):
    assert chromium.faults(records / "contact_sheet.html") == []


FAULTY = """<!DOCTYPE html><html><head><title>t</title><style>
div { width: 500px } p { color: #888 }
@media screen and (prefers-color-scheme: dark) { p { color: #000 } }
@media print { p { color: #eee } }
</style></head><body><div>wide</div><p>pale</p>
<img alt="a missing one" src="missing.png"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
<script>console.warn("said"); undefined_name</script></body></html>"""


def test_faults_are_found(chromium, tmp_path):
    (tmp_path / "page.html").write_text(FAULTY)
    found = chromium.faults(tmp_path / "page.html")
    for fault in (
        "light, 360 pixels: scrolls sideways",
        "light, 768 pixels: contrast 3.54: pale",
        "on paper: contrast 1.16: pale",
        "an image did not load: a missing one",
        "an image has no alternative text",
        "console warning: ",
        "loads file:///",
        "exception: Uncaught",
    ):
        assert any(fault in each for each in found), (fault, found)
    assert not any("768 pixels: scrolls" in each or ("dark" in each and "contrast" in each) for each in found)
