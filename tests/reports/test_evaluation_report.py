import json
import re
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation.calibration import fit_calibration
from deepfake_tfdata.evaluation.calibration_report import judge_calibration
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import read_csv
from deepfake_tfdata.reports.evaluation_report import headline, write_evaluation
from tests.evaluation.references import calibrated_detector
from tests.reports.html_checks import SCRIPT, check_html

PROMISED = {"metrics.json", "predictions.csv", "confusion_matrix.png", "roc.png", "report.html"}


def write(directory, predictions, planned=None, **changes):
    options = {"title": "mouth/attention", "context": {"region": "mouth"}}
    metrics = evaluate(predictions, planned=planned)
    write_evaluation(directory, predictions, metrics, **{**options, **changes})
    return metrics


def test_writes_what_is_promised_and_nothing_else(make_predictions, tmp_path):
    predictions = make_predictions(num_frames=4)
    metrics = write(tmp_path / "evaluation" / "test", predictions)
    directory = tmp_path / "evaluation" / "test"
    assert {path.name for path in directory.iterdir()} == PROMISED
    assert json.loads((directory / "metrics.json").read_text()) == metrics
    np.testing.assert_array_equal(read_csv(directory / "predictions.csv").scores, predictions.scores)
    check_html((directory / "report.html").read_text())


def test_every_plot_has_its_numbers_and_its_svg_beside_it(make_predictions, tmp_path):
    write(tmp_path, make_predictions(num_frames=4))
    text = (tmp_path / "report.html").read_text()
    names = ["confusion_matrix", "roc", "scores", "attention"]
    found = re.findall(r'<a download="([^"]+)" href="data:([^;"]+)[^",]*;base64,([^"]+)"', text)
    assert [name for name, _, _ in found] == [f"{name}.{end}" for name in names for end in ("csv", "svg")]
    files = {name: b64decode(content) for name, _, content in found}
    assert files["confusion_matrix.csv"].startswith(b"true,predicted,videos,share_of_true\nreal,real,")
    assert all(content.startswith(b"<?xml") for name, content in files.items() if name.endswith(".svg"))


@pytest.mark.parametrize("rows", [slice(None), slice(0, 10)], ids=["both classes", "real only"])
def test_a_calibrated_run_says_what_its_scores_are_worth(make_predictions, tmp_path, rows):
    predictions = make_predictions(10).select(rows)
    detector = calibrated_detector()
    block = judge_calibration(detector, predictions, resamples=50)
    metrics = {**evaluate(predictions), "calibration": block}
    write_evaluation(
        tmp_path, predictions, metrics, title="", context={}, calibration=fit_calibration(detector.reference)
    )
    text = (tmp_path / "report.html").read_text()
    check_html(text)
    assert "(Face2Face) and does not carry over to other generators" in text
    assert "40 videos of 20 groups of people that no training saw" in text
    assert "What it was trained on: face, pixels 52 to 180; frames with the face 90% to 100%;" in text
    names = {"tippett", "reliability", "risk_coverage"} if block["cllr"] is not None else {"tippett"}
    found = set(re.findall(r'<a download="([^"]+)"', text))
    assert {f"{name}.{end}" for name in names for end in ("csv", "svg")} <= found
    assert ("reliability.csv" in found) == (block["cllr"] is not None)
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics


def test_same_input_same_bytes(make_predictions, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, make_predictions())
    assert all(
        (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in PROMISED
    )


def test_strings_are_escaped_everywhere(make_predictions, tmp_path):
    predictions = make_predictions(10, methods=(SCRIPT,), separation=0)
    named = replace(predictions, video_ids=np.char.add(predictions.video_ids, SCRIPT))
    write(tmp_path, named, title=SCRIPT, context={SCRIPT: SCRIPT})
    text = (tmp_path / "report.html").read_text()
    check_html(text)
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("separation", "verdict"),
    [(4, "better than chance"), (0, "not distinguishable from chance"), (-4, "worse than chance")],
)
def test_headline_is_honest(make_predictions, separation, verdict):
    metrics = evaluate(make_predictions(separation=separation))
    sentence = headline(metrics)
    assert re.match(r"AUC \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] over 40 videos: ", sentence)
    assert verdict in sentence


def test_mistakes_name_the_video_and_the_frame(make_predictions, tmp_path):
    predictions = make_predictions(num_sources=3, num_frames=4)
    scores = np.array([0.1, 0.99, 0.2, 0.9, 0.8, 0.3])
    attention = np.tile([0.1, 0.1, 0.7, 0.1], (6, 1))
    write(tmp_path, replace(predictions, scores=scores, attention=attention))
    text = (tmp_path / "report.html").read_text()
    assert text.index("original/001") < text.index("Face2Face/002_999")
    assert "original/000" not in text
    assert "frame 20, 0.80 s" in text


def test_a_head_without_attention_shows_none(make_predictions, tmp_path):
    predictions = make_predictions(num_sources=10, separation=0, num_frames=4)
    write(tmp_path / "with", predictions)
    write(tmp_path / "without", replace(predictions, attention=None))
    texts = {name: (tmp_path / name / "report.html").read_text() for name in ("with", "without")}
    for text in texts.values():
        check_html(text)
        assert "Most confident mistakes" in text and "original/00" in text
    assert "most attended" in texts["with"] and "Attention over time" in texts["with"]
    assert "attend" not in texts["without"].lower() and "attention over" not in texts["without"].lower()
    assert not re.search(r"frame \d", texts["without"])
    assert texts["without"].count("<img") == texts["with"].count("<img") - 1 == 3


def test_metrics_come_last_and_as_they_were_given(make_predictions, tmp_path):
    predictions = make_predictions()
    metrics = {**evaluate(predictions), "from elsewhere": 1}
    write_evaluation(tmp_path, predictions, metrics, title="", context={})
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(written) == PROMISED
    assert written["metrics.json"] == max(written.values())
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics


def test_a_perfect_detector_has_no_mistakes(make_predictions, tmp_path):
    predictions = make_predictions()
    write(tmp_path, replace(predictions, scores=predictions.labels))
    assert "every video was called right" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("rows", [slice(0, 20), slice(20, 40), slice(0, 1)])
def test_one_class_or_one_clip_still_has_a_report(make_predictions, tmp_path, rows):
    metrics = write(tmp_path, make_predictions().select(rows), context={})
    assert metrics["auc"] is None
    text = (tmp_path / "report.html").read_text()
    assert "No AUC over" in text
    check_html(text)


def test_coverage_is_told(make_predictions, tmp_path):
    planned = {"real": {"original": 20}, "fake": {"Face2Face": 24, "FaceSwap": 6}}
    write(tmp_path, make_predictions(), planned=planned)
    text = (tmp_path / "report.html").read_text()
    assert "40 of 50 videos were scored" in text
    assert "100.0% of the real and 66.7% of the fake ones" in text
    assert "Coverage is uneven, real 100.0%, Face2Face 83.3%, FaceSwap 0.0%: what" in text
    # A method that lost all its videos is there all the same.
    row = text[text.index(">FaceSwap<") :]
    assert re.findall(r"<td>\s*(.*?)\s*</td>", row[: row.index("</tr>")], re.DOTALL) == [
        "undefined",
        "undefined",
        "0",
        "0.0%",
    ]
    check_html(text)


def test_what_one_answer_would_score_is_said(make_predictions, tmp_path):
    predictions = make_predictions(methods=("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures"))
    write(tmp_path, replace(predictions, scores=0.6 + 0.1 * predictions.labels))
    text = (tmp_path / "report.html").read_text()
    assert "Every video is called fake: the accuracy, 80.0%, is the share of fake videos" in text
    assert "0.800 for calling all alike" in text and "chance gives 0.800" in text
    assert "too few real videos, 20, for a false positive rate so low: 1% needs 100" in text.replace(
        "Too", "too"
    )


@pytest.mark.slow
def test_imports_neither_tensorflow_nor_keras_nor_other_packages_of_ours():
    code = (
        "import sys, deepfake_tfdata.reports.evaluation_report, deepfake_tfdata.reports.comparison_page\n"
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('deepfake_tfdata.')}\n"
        "needed = {'background', 'errors', 'files', 'options', 'startup', 'storage'}\n"
        "assert ours == {'reports', 'evaluation', *needed}, ours\n"
        "assert not {'tensorflow', 'keras', 'cv2', 'av', 'matplotlib.pyplot'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
