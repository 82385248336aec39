from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation.comparison import compare
from deepfake_tfdata.reports.comparison_page import write_comparison
from tests.reports.html_checks import SCRIPT, check_html


@pytest.fixture
def comparison(make_predictions):
    good, bad = make_predictions(30, separation=4), make_predictions(30, separation=0, seed=1)
    first, second = ([run, *(jittered(run, seed) for seed in (1, 2))] for run in (good, bad))
    return compare(first, second)


def jittered(run, seed):
    noise = np.random.default_rng(seed).normal(size=len(run.scores))
    return replace(run, scores=np.clip(run.scores + 0.05 * noise, 0, 1))


def test_strings_are_escaped_everywhere(comparison, tmp_path):
    write_comparison(tmp_path / "page.html", SCRIPT, SCRIPT, (SCRIPT, SCRIPT), comparison, title=SCRIPT)
    text = (tmp_path / "page.html").read_text()
    check_html(text)
    assert "&lt;script&gt;" in text


def test_the_verdict_comes_first_and_what_it_rests_on_is_told(comparison, tmp_path):
    write_comparison(tmp_path / "page.html", "mouth", "full", ("ffpp", "ffpp"), comparison)
    text = (tmp_path / "page.html").read_text()
    check_html(text)
    lead = text[text.index('class="lead"') :]
    assert lead.index("mouth is better than full: +0.") < lead.index("Side by side")
    assert f"{comparison.first.value:.3f} [" in text and "reference" in text
    assert "3 run(s) each on 60 videos of 30 independent groups" in text
    assert "two models" not in text


def test_one_run_each_is_warned_of(make_predictions, tmp_path):
    predictions = make_predictions(10)
    other = replace(predictions, scores=np.flip(predictions.scores))
    write_comparison(tmp_path / "page.html", "a", "b", ("x", "x"), compare([predictions], [other]))
    assert 'class="warning">One run each: these are two models' in (tmp_path / "page.html").read_text()
