from dataclasses import replace

import numpy as np

from deepfake_tfdata.evaluation.comparison import Evaluation
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.reports.comparison_page import write_comparison
from tests.reports.html_checks import SCRIPT, check_html


def test_strings_are_escaped_everywhere(make_predictions, tmp_path):
    predictions = make_predictions(10, methods=(SCRIPT,), separation=0)
    named = replace(predictions, video_ids=np.char.add(predictions.video_ids, SCRIPT))
    metrics = evaluate(named)
    write_comparison(tmp_path / "comparison.html", [Evaluation(SCRIPT, named, metrics)], title=SCRIPT)
    text = (tmp_path / "comparison.html").read_text()
    check_html(text)
    assert "&lt;script&gt;" in text


def test_comparison_names_the_best_and_its_difference(make_predictions, tmp_path):
    rows = [
        Evaluation(name, predictions, evaluate(predictions))
        for name, predictions in (
            ("full/control", make_predictions(30, separation=0.5)),
            ("mouth/attention", make_predictions(30, separation=4, seed=1)),
            ("real only", make_predictions(30).select(slice(0, 30))),
        )
    ]
    write_comparison(tmp_path / "comparison.html", rows)
    text = (tmp_path / "comparison.html").read_text()
    check_html(text)
    assert "Highest AUC: mouth/attention" in text
    assert "undefined" in text and "no shared videos" in text
    write_comparison(tmp_path / "comparison.html", rows[2:])
    assert "No detector has an AUC" in (tmp_path / "comparison.html").read_text()
