import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.comparison import (
    Evaluation,
    NothingSharedError,
    compare,
    comparison_table,
    read_evaluation,
)
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import write_csv

FOUR = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")


def evaluated(name, predictions):
    return Evaluation(name, predictions, evaluate(predictions))


def test_a_detector_is_not_distinguishable_from_itself(make_predictions):
    predictions = make_predictions()
    difference = compare(predictions, predictions)
    assert (difference.difference, difference.low, difference.high) == (0, 0, 0)
    assert str(difference) == "+0.000 [+0.000, +0.000], not distinguishable"


def test_a_much_better_detector_is_distinguishable(make_predictions):
    better, worse = make_predictions(40, separation=4), make_predictions(40, separation=0, seed=1)
    forward, backward = compare(better, worse), compare(worse, better)
    assert forward.distinguishable and backward.distinguishable
    assert 0 < forward.low < forward.difference < forward.high
    assert backward.difference == pytest.approx(-forward.difference)
    assert "distinguishable" in str(forward) and "not" not in str(forward)


def test_pairing_finds_a_difference_that_separate_intervals_hide(make_predictions):
    first = make_predictions(60, separation=1)
    # The same scores, every fake a little less suspect: both intervals overlap almost wholly.
    second = replace(first, scores=first.scores - 0.06 * first.labels * first.scores)
    difference = compare(first, second)
    assert difference.distinguishable
    assert evaluated("", second).metrics["auc_high"] > evaluated("", first).metrics["auc_low"]


def delong(labels, first, second):
    """Standard error of a paired difference of AUCs: E. R. DeLong et al., Biometrics 44 (1988)."""
    wins = [
        np.mean([fakes > reals, fakes >= reals], axis=0)
        for scores in (first, second)
        for fakes, reals in [(scores[labels == 1][:, None], scores[labels == 0])]
    ]
    change = wins[0] - wins[1]
    return np.sqrt(sum(np.var(change.mean(axis), ddof=1) / change.shape[1 - axis] for axis in (0, 1)))


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_interval_of_independent_videos_is_about_delongs(make_predictions, level):
    predictions = make_predictions(200, separation=1.5)
    first = replace(predictions, target_ids=predictions.video_keys)
    logits = np.log(first.scores / (1 - first.scores))
    noise = np.random.default_rng(7).normal(size=400)
    second = replace(first, scores=1 / (1 + np.exp(-logits - noise)))
    found = compare(first, second, level=level)
    expected = roc_auc_score(first.labels, first.scores) - roc_auc_score(first.labels, second.scores)
    assert found.difference == pytest.approx(expected)
    half = norm.ppf((1 + level) / 2) * delong(first.labels, first.scores, second.scores)
    assert (found.low, found.high) == pytest.approx((expected - half, expected + half), abs=0.15 * half)


def test_two_equal_detectors_seldom_differ(make_predictions):
    found = [
        compare(make_predictions(30, seed=seed), make_predictions(30, seed=1000 + seed), resamples=400)
        for seed in range(100)
    ]
    assert np.mean([difference.distinguishable for difference in found]) <= 0.12


# A sign test of n that all agree has p = 2 / 2^n: 1/32 of six, 1/64 of seven.
@pytest.mark.parametrize(
    ("num_sources", "level", "distinguishable"),
    [
        (1, 0.95, False),
        (5, 0.95, False),
        (6, 0.95, True),
        (6, 31 / 32, True),
        (6, 0.98, False),
        (7, 0.98, True),
    ],
)
def test_few_sources_prove_nothing(make_predictions, num_sources, level, distinguishable):
    predictions = make_predictions(num_sources)
    right = replace(predictions, scores=predictions.labels)
    wrong = replace(predictions, scores=1 - predictions.labels)
    assert compare(right, wrong, level=level).distinguishable is distinguishable


@pytest.mark.parametrize(("num_real", "num_fake"), [(5, 40), (40, 5), (6, 6)])
def test_few_sources_of_one_class_prove_nothing(make_predictions, num_real, num_fake):
    predictions = make_predictions(40).select([*range(num_real), *range(40, 40 + num_fake)])
    right = replace(predictions, scores=predictions.labels)
    difference = compare(right, replace(predictions, scores=1 - predictions.labels))
    assert difference.low > 0
    assert difference.distinguishable is (min(num_real, num_fake) >= 6)


def test_a_table_without_sources_is_resampled_by_those_of_the_other(make_predictions):
    # In a table of four columns every video is a source of its own: as if a face's videos were independent.
    known, other = (make_predictions(20, FOUR, seed=seed) for seed in (0, 1))
    expected = compare(known, other)
    lacking = replace(other, target_ids=other.video_keys)
    assert compare(known, lacking) == expected
    backward = compare(lacking, known)
    assert (-backward.high, -backward.low) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("num_missed", "distinguishable"), [(4, False), (8, True)])
def test_few_videos_prove_nothing(make_predictions, num_missed, distinguishable):
    # A bootstrap alone rejects at four: hardly any resample has none of them. A sign test needs six.
    predictions = make_predictions(40)
    scores = predictions.labels.astype(float)
    perfect = replace(predictions, scores=scores)
    missed = np.flatnonzero(predictions.labels)[:num_missed]
    worse = replace(predictions, scores=np.where(np.isin(np.arange(80), missed), -1, scores) * 0.5 + 0.5)
    difference = compare(perfect, worse)
    assert difference.low > 0
    assert difference.distinguishable is distinguishable


def test_only_shared_videos_count_and_order_does_not(make_predictions):
    predictions = make_predictions(20)
    fewer = predictions.select(np.arange(len(predictions))[::-1][:35])
    difference = compare(predictions, fewer)
    assert difference.num_videos == 35
    assert difference.difference == 0


def test_refuses_nothing_shared_and_labels_that_differ(make_predictions):
    predictions = make_predictions(4)
    with pytest.raises(NothingSharedError, match="share no real or no fake"):
        compare(predictions, predictions.select(predictions.labels == 0))
    with pytest.raises(UserError, match="different labels for video 'Face2Face/000_999'"):
        compare(predictions, replace(predictions, labels=1 - predictions.labels))


def test_table_is_aligned_and_names_the_verdict(make_predictions):
    rows = [
        evaluated("full/control", make_predictions(30, separation=0.5)),
        evaluated("mouth/attention", make_predictions(30, separation=4, seed=1)),
        evaluated("elsewhere", make_predictions(30, methods=("FaceSwap",)).select(np.arange(30, 60))),
    ]
    lines = comparison_table(rows).splitlines()
    assert len(lines) == 5
    column = lines[0].index("AUC [95 %]")
    assert all(line[column - 2 : column] in ("  ", "--") or line[column - 1] == " " for line in lines)
    assert lines[2].endswith("reference")
    assert lines[3].endswith("], distinguishable")
    assert "undefined" in lines[4] and lines[4].endswith("no shared videos")


@pytest.fixture
def folder(make_predictions, tmp_path):
    """An evaluation as the command leaves it."""
    place = tmp_path / "mouth_attention" / "evaluation" / "test"
    place.mkdir(parents=True)
    write_csv(make_predictions(10), place / "predictions.csv")
    metrics = {**evaluate(make_predictions(10)), "data": {"name": "ffpp c23", "identity": "1b2c"}}
    (place / "metrics.json").write_text(json.dumps(metrics))
    return place


def test_an_evaluation_is_named_by_its_run_and_knows_its_data(folder, tmp_path, monkeypatch):
    found = read_evaluation(folder)
    assert (found.name, found.data) == ("mouth_attention", "ffpp c23 (1b2c)")
    assert found.metrics["auc"] == evaluate(found.predictions)["auc"]
    assert read_evaluation(folder.rename(tmp_path / "elsewhere")).name == "elsewhere"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_evaluation(Path()).name == "elsewhere"


def test_a_table_is_named_by_its_file_and_its_metrics_are_computed(folder):
    found = read_evaluation((folder / "predictions.csv").rename(folder / "other_tool.csv"))
    assert (found.name, found.data) == ("other_tool", "unknown")
    assert found.metrics == evaluate(found.predictions)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"notes": []}'])
def test_a_damaged_evaluation_is_refused_in_one_line(folder, text):
    (folder / "metrics.json").write_text(text)
    with pytest.raises(UserError, match=r"metrics.json is damaged or of another version; evaluate again"):
        read_evaluation(folder)


def test_a_folder_without_evaluation_is_refused(folder):
    with pytest.raises(UserError, match=f"no evaluation in {folder.parent}; name WORKDIR/evaluation/SPLIT"):
        read_evaluation(folder.parent)
