import html.parser
import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation import report
from deepfake_tfdata.evaluation.comparison import Evaluation
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import read_csv

PROMISED = {"metrics.json", "predictions.csv", "confusion_matrix.png", "roc.png", "report.html"}
SCRIPT = "<script>alert(1)</script>"


def write(directory, predictions, **changes):
    options = {"title": "mouth/attention", "context": {"region": "mouth"}, "num_videos_in_split": 50}
    return report.write_evaluation(directory, predictions, **{**options, **changes})


def check_html(text):
    """Every tag closed in order, nothing loaded from elsewhere."""
    open_tags = []

    class Checker(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            for name, value in attributes:
                assert name not in ("src", "href") or value.startswith("data:")
            if tag not in ("meta", "img", "path", "circle"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

        handle_startendtag = handle_starttag

    checker = Checker()
    checker.feed(text.replace("/>", ">"))
    assert not open_tags
    assert "<script" not in text


def test_writes_what_is_promised_and_nothing_else(make_predictions, tmp_path):
    predictions = make_predictions(num_frames=4)
    metrics = write(tmp_path / "evaluation" / "test", predictions)
    directory = tmp_path / "evaluation" / "test"
    assert {path.name for path in directory.iterdir()} == PROMISED
    assert json.loads((directory / "metrics.json").read_text()) == metrics
    assert metrics == evaluate(predictions, num_videos_in_split=50)
    np.testing.assert_array_equal(read_csv(directory / "predictions.csv").scores, predictions.scores)
    check_html((directory / "report.html").read_text())


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
    metrics = evaluate(named, num_videos_in_split=50)
    report.write_comparison(tmp_path / "comparison.html", [Evaluation(SCRIPT, named, metrics)], title=SCRIPT)
    check_html((tmp_path / "comparison.html").read_text())


@pytest.mark.parametrize(
    ("separation", "verdict"),
    [(4, "better than chance"), (0, "not distinguishable from chance"), (-4, "worse than chance")],
)
def test_headline_is_honest(make_predictions, separation, verdict):
    metrics = evaluate(make_predictions(separation=separation), num_videos_in_split=40)
    headline = report.headline(metrics)
    assert re.match(r"AUC \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] over 40 videos: ", headline)
    assert verdict in headline


def test_mistakes_name_the_video_and_the_frame(make_predictions, tmp_path):
    predictions = make_predictions(num_sources=3, num_frames=4)
    scores = np.array([0.1, 0.99, 0.2, 0.9, 0.8, 0.3])
    attention = np.tile([0.1, 0.1, 0.7, 0.1], (6, 1))
    write(tmp_path, replace(predictions, scores=scores, attention=attention))
    text = (tmp_path / "report.html").read_text()
    assert text.index("original/001") < text.index("Face2Face/002_999")
    assert "original/000" not in text
    assert "frame 20, 0.80 s" in text


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
    write(tmp_path, make_predictions(), num_videos_in_split=44)
    assert "40 of 44 videos were scored" in (tmp_path / "report.html").read_text()


def test_comparison_names_the_best_and_its_difference(make_predictions, tmp_path):
    rows = [
        Evaluation(name, predictions, evaluate(predictions, num_videos_in_split=100))
        for name, predictions in (
            ("full/control", make_predictions(30, separation=0.5)),
            ("mouth/attention", make_predictions(30, separation=4, seed=1)),
            ("real only", make_predictions(30).select(slice(0, 30))),
        )
    ]
    report.write_comparison(tmp_path / "comparison.html", rows)
    text = (tmp_path / "comparison.html").read_text()
    check_html(text)
    assert "Highest AUC: mouth/attention" in text
    assert "undefined" in text and "no shared videos" in text
    report.write_comparison(tmp_path / "comparison.html", rows[2:])
    assert "No detector has an AUC" in (tmp_path / "comparison.html").read_text()


def test_imports_neither_tensorflow_nor_keras_nor_other_packages_of_ours():
    code = (
        "import sys, deepfake_tfdata.evaluation.report\n"
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('deepfake_tfdata.')}\n"
        "assert ours == {'evaluation', 'errors', 'files', 'page', 'storage'}, ours\n"
        "assert not {'tensorflow', 'keras', 'cv2', 'av', 'matplotlib.pyplot'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
