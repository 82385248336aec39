from dataclasses import replace

import numpy as np
import pytest

from deepfake_tfdata.evaluation.comparison import compare
from deepfake_tfdata.evaluation.mrmc import Estimate
from deepfake_tfdata.studies.analysis import ContrastResult
from deepfake_tfdata.studies.wording import result_text, study_notes, study_verdict

OPENED = {"plan": "0123", "time": "2026-01-02T03:04:05Z", "scored_before": []}
UNKNOWN = np.array([np.nan])


@pytest.fixture
def primary(make_runs):
    return ContrastResult("primary", "a", "b", compare(make_runs(3), make_runs(1, first_seed=1)))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("better", "told better, as dilution would have it; a is better than b: +0."),
        ("worse", "fakes are told worse than without; a is worse than b"),
        ("equivalent", "make no difference beyond 0.02; a and b are equivalent within 0.02"),
        ("inconclusive", "stays open; a and b can't be told apart"),
    ],
)
def test_the_verdict_says_what_it_means_for_dilution(primary, verdict, words):
    told = replace(primary, comparison=replace(primary.comparison, verdict=verdict))
    assert words in study_verdict(told, on_dilution=True)
    plain = study_verdict(told, on_dilution=False)
    assert "pixels" not in plain and plain.startswith("a ")


def test_what_a_reader_must_know(primary, make_runs):
    assert study_notes(primary.comparison, OPENED, 0, UNKNOWN, 224) == []
    opened = OPENED | {"scored_before": ["a, seed 0", "b, seed 0"]}
    (early,) = study_notes(primary.comparison, opened, 0, UNKNOWN, 224)
    assert early.startswith("2 run(s), first a, seed 0, had been scored on the test split before")
    (folds,) = study_notes(primary.comparison, OPENED, 5, UNKNOWN, 224)
    assert folds.startswith("the 5 folds' detectors share most of their training videos")
    (faces,) = study_notes(primary.comparison, OPENED, 0, np.array([100, 224, 225, np.nan, 300]), 224)
    assert faces.startswith("50% of the test videos have faces of at most 224 pixels")
    placebo = Estimate(0.01, 0.02, df=20, least=-1)
    (same,) = study_notes(primary.comparison, OPENED, 0, UNKNOWN, 224, placebo)
    assert same.startswith("among these both see the same: the difference there is +0.010 [-0.032, +0.052]")
    assert "something else" not in same
    failed = Estimate(0.1, 0.02, df=20, least=-1)
    assert study_notes(primary.comparison, OPENED, 0, UNKNOWN, 224, failed)[0].endswith(
        "so that something else than resolution differs"
    )
    one = compare(make_runs(3, seeds=1), make_runs(1, seeds=1, first_seed=1))
    assert "two models, not two methods" in study_notes(one, OPENED, 0, UNKNOWN, 224)[0]


def test_the_command_says_each_comparison_in_a_line(primary):
    other = replace(primary, kind="exploratory", first="c")
    lines = result_text("a is better", [primary, other], ["few videos"]).splitlines()
    assert lines[0] == "verdict: a is better"
    assert lines[1].startswith("primary: a:b +0.") and lines[1].endswith(", better")
    assert lines[2].startswith("exploratory: c:b ")
    assert lines[3] == "note: few videos"
