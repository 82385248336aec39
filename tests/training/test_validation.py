"""What is said of a validation, against what `evaluate` says of the same scores."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.scoring.clip_scores import ClipScores
from deepfake_tfdata.training.run_state import RunState
from deepfake_tfdata.training.validation import scores_of_all_workers, validation_metrics
from tests.training.test_stopping import Workers


def scores(logits, labels):
    return ClipScores(np.float32(logits), np.array(labels), None, {})


def test_it_is_what_evaluate_reports_of_videos():
    random = np.random.default_rng(0)
    videos = np.array([f"{name}" for name in random.permutation(np.repeat(np.arange(12), 3))])
    labels = (videos.astype(int) % 2).tolist()
    logits = random.normal(size=36) + labels
    found = validation_metrics(scores(logits, labels), videos.tolist())
    clips = np.arange(36).astype(str)
    methods = np.where(labels, "Face2Face", "original")
    probabilities = 1 / (1 + np.exp(-np.float32(logits).astype(float)))
    reported = evaluate(Predictions(clips, videos, methods, videos, labels, probabilities), resamples=10)
    assert found["val_auc"] == pytest.approx(reported["auc"])
    assert found["val_loss"] == pytest.approx(reported["log_loss"])
    per_clip = validation_metrics(scores(logits, labels))
    assert per_clip["val_auc"] != found["val_auc"] and per_clip["val_loss"] != found["val_loss"]


def test_one_class_has_no_auc_and_a_logit_that_is_not_finite_is_told():
    assert validation_metrics(scores([0, 0], [1, 1]))["val_auc"] is None
    with pytest.raises(UserError, match="no finite logits"):
        validation_metrics(scores([0, np.inf], [0, 1]))


@pytest.mark.parametrize("attention", [None, np.random.default_rng(0).random((7, 2, 3), np.float32)])
def test_workers_put_their_scores_together_in_the_order_of_the_clips(attention):
    workers, logits, labels = Workers(), np.arange(7, dtype=np.float32) - 3, np.arange(7) % 3 // 2

    def whole(index, count):
        own = slice(index, None, count)
        share = ClipScores(logits[own], labels[own], None if attention is None else attention[own], {})
        return scores_of_all_workers(share, SimpleNamespace(index=index, count=count, sum=workers.sum))

    with ThreadPoolExecutor(2) as pool:
        results = [whole(0, 1), *pool.map(whole, (0, 1), (2, 2))]
    for result in results:
        np.testing.assert_array_equal(result.logits, logits)
        np.testing.assert_array_equal(result.labels, labels)
        assert result.labels.dtype == np.int64
        np.testing.assert_array_equal(result.attention, attention)


def test_of_equal_aucs_the_smaller_loss_is_the_better():
    state = RunState()
    better = [state.end_epoch({"val_auc": auc, "val_loss": loss}) for auc, loss in FIGURES]
    assert better == [True, False, True, True, False, False]
    assert state.epochs_since_best == 2


FIGURES = [(0.5, 0.7), (0.5, 0.7), (0.5, 0.6), (0.6, 0.9), (0.6, 1.0), (None, 0.1)]
