import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfake_tfdata.evaluation.metrics import equal_error_rate, evaluate
from deepfake_tfdata.evaluation.predictions import Predictions


def one_clip_each(labels, scores, manipulations=None):
    names = [f"{index:03d}" for index in range(len(labels))]
    manipulations = manipulations or ["Face2Face" if label else "original" for label in labels]
    return Predictions(names, names, manipulations, names, labels, scores)


@pytest.mark.parametrize(
    ("labels", "scores", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
        ([0, 1], [0.5, 0.5], 0.5),
        ([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], 0.5),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.5, 0.7, 0.8, 0.9], 0.25),
        # Between (0, 1/2) and (1/3, 1) of the curve, a tie: 1 - (1/2 + 3/2 x) = x at x = 1/5.
        ([0, 0, 0, 1, 1], [0.1, 0.2, 0.5, 0.5, 0.9], 0.2),
    ],
)
def test_equal_error_rate_by_hand(labels, scores, expected):
    assert equal_error_rate(np.array(labels), np.array(scores)) == pytest.approx(expected)


def test_known_metrics():
    planned = {"real": {"original": 3}, "fake": {"Face2Face": 2}}
    metrics = evaluate(one_clip_each([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9]), planned=planned)
    assert metrics["auc"] == pytest.approx(0.875)
    assert metrics["auc_low"] <= 0.875 <= metrics["auc_high"]
    assert metrics["confusion_matrix"] == [[1, 1], [0, 2]]  # a score at the threshold is called fake
    assert metrics["accuracy"] == metrics["balanced_accuracy"] == 0.75
    assert metrics["majority_share"] == 0.5
    assert metrics["brier"] == pytest.approx((0.01 + 0.25 + 0.25 + 0.01) / 4)
    assert metrics["log_loss"] == pytest.approx(-np.log([0.9, 0.5, 0.5, 0.9]).mean())
    assert metrics["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert (metrics["num_videos"], metrics["num_videos_in_split"], metrics["coverage"]) == (4, 5, 0.8)


def test_counts_videos_not_clips():
    clips = Predictions(
        list("abc"), list("111"), ["original", "original", "X"], list("111"), [0, 0, 1], [0.1, 0.7, 0.9]
    )
    metrics = evaluate(clips)
    assert (metrics["num_clips"], metrics["num_videos"], metrics["num_sources"]) == (3, 2, 1)
    assert metrics["confusion_matrix"] == [[1, 0], [0, 1]]


def test_each_manipulation_is_set_against_all_originals():
    labels = [0, 0, 1, 1, 1]
    names = ["original", "original", "Deepfakes", "Face2Face", "Face2Face"]
    metrics = evaluate(one_clip_each(labels, [0.4, 0.6, 0.9, 0.1, 0.5], names))
    by_method = metrics["per_manipulation"]
    assert list(by_method) == ["Deepfakes", "Face2Face"]
    assert by_method["Deepfakes"]["auc"] == 1
    assert by_method["Face2Face"]["auc"] == pytest.approx(0.25)
    assert by_method["Face2Face"]["recall"] == 0.5
    assert by_method["Face2Face"]["num_videos"] == 4


@pytest.mark.parametrize(("label", "word"), [(0, "real"), (1, "fake")])
def test_one_class_only_has_no_auc_but_says_why(label, word):
    metrics = evaluate(one_clip_each([label] * 3, [0.1, 0.2, 0.9]))
    assert metrics["auc"] is metrics["auc_low"] is metrics["eer"] is metrics["average_precision"] is None
    assert metrics["balanced_accuracy"] is metrics["balanced_accuracy_high"] is None
    (note,) = metrics["notes"]
    assert note.startswith(f"every video is {word};")
    assert metrics["accuracy"] == pytest.approx(1 / 3 if label else 2 / 3)


def test_one_clip():
    assert evaluate(one_clip_each([1], [1.0]))["accuracy"] == 1


def test_chance_is_covered(make_predictions):
    metrics = evaluate(make_predictions(num_sources=40, separation=0))
    assert metrics["auc_low"] < 0.5 < metrics["auc_high"]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=25))
def test_metrics_are_sound_and_json(rows):
    labels, scores = map(list, zip(*rows, strict=True))
    metrics = evaluate(one_clip_each(labels, scores), resamples=20)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    (tn, fp), (fn, tp) = metrics["confusion_matrix"]
    assert tn + fp == labels.count(0)
    assert fn + tp == labels.count(1)
    assert metrics["accuracy"] == pytest.approx((tn + tp) / len(labels))
    assert metrics["eer"] is None or 0 <= metrics["eer"] <= 1
