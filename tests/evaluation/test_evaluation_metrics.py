import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, recall_score

from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import Predictions


def one_clip_each(labels, scores, manipulations=None):
    names = [f"{index:03d}" for index in range(len(labels))]
    manipulations = manipulations or ["Face2Face" if label else "original" for label in labels]
    return Predictions(names, names, manipulations, names, labels, scores)


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


def test_another_threshold_moves_the_calls_and_nothing_else(make_predictions):
    predictions = make_predictions(methods=("Deepfakes", "Face2Face"), separation=1)
    fixed, moved = evaluate(predictions), evaluate(predictions, threshold=0.7)
    for metrics in (fixed, moved):
        called = predictions.scores >= metrics["threshold"]
        matrix = confusion_matrix(predictions.labels, called)
        assert metrics["confusion_matrix"] == matrix.tolist()
        assert metrics["accuracy"] == pytest.approx(np.trace(matrix) / 60)
        for name, values in metrics["per_manipulation"].items():
            rows = predictions.manipulations == name
            assert values["recall"] == recall_score(predictions.labels[rows], called[rows])
    assert (fixed["threshold"], moved["threshold"]) == (0.5, 0.7)
    assert fixed["confusion_matrix"] != moved["confusion_matrix"]
    for key in ("auc", "auc_low", "eer", "average_precision", "brier", "log_loss"):
        assert fixed[key] == moved[key]


def test_seed_and_number_of_resamples_reach_every_interval_that_has_no_formula(make_predictions):
    # One source has half of all videos, and is called wrong: wider intervals than sources alone would give.
    predictions = make_predictions(120, methods=("Deepfakes",), separation=2)
    is_large = predictions.target_ids < "060"
    targets = np.where(is_large, "large", predictions.target_ids)
    scores = np.where(is_large, 1 - predictions.scores, predictions.scores)
    mixed = replace(predictions, scores=scores, target_ids=targets, components=targets)

    def intervals(**how):
        metrics = evaluate(mixed, **how)
        metrics |= {f"method {key}": value for key, value in metrics["per_manipulation"]["Deepfakes"].items()}
        keys = [key for key in metrics if key.endswith("_low") and not key.endswith("auc_low")]
        return {key: (metrics[key], metrics[f"{key[:-4]}_high"]) for key in keys}

    first = intervals(seed=3, resamples=50)
    assert len(first) == 8 and first == intervals(seed=3, resamples=50)
    for how in ({"seed": 4, "resamples": 50}, {"seed": 3, "resamples": 51}):
        others = intervals(**how)
        assert not [key for key, ends in first.items() if ends == others[key]]


@pytest.mark.parametrize(("label", "word"), [(0, "real"), (1, "fake")])
def test_one_class_only_has_no_auc_but_says_why(label, word):
    scores = [0.1, 0.2, 0.9] * 40
    metrics = evaluate(one_clip_each([label] * 120, scores))
    undefined = ("auc", "auc_low", "eer", "average_precision", "balanced_accuracy", "balanced_accuracy_high")
    assert {metrics[key] for key in (*undefined, "tpr_at_fpr_1", "tpr_at_fpr_5_low")} == {None}
    (note,) = metrics["notes"]
    assert note.startswith(f"every video is {word};")
    assert metrics["accuracy"] == pytest.approx(1 / 3 if label else 2 / 3)
    assert metrics["majority_share"] == 1
    assert metrics["brier"] == pytest.approx(np.mean((np.array(scores) - label) ** 2))


def test_one_clip():
    assert evaluate(one_clip_each([1], [1.0]))["accuracy"] == 1


def test_chance_is_covered(make_predictions):
    metrics = evaluate(make_predictions(num_sources=40, separation=0))
    assert metrics["auc_low"] < 0.5 < metrics["auc_high"]


@pytest.mark.filterwarnings("error::RuntimeWarning")
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
