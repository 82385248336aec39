"""Scores joined with what the index knows of their clips."""

import numpy as np
import pytest

from deepfake_tfdata.input.shards import find_shards
from deepfake_tfdata.scoring.clip_scores import ClipScores
from deepfake_tfdata.scoring.run_evaluation import to_predictions


def test_each_score_is_its_clips_though_no_worker_kept_the_features(records):
    shards = find_shards(records, "mouth", "val")
    labels = np.array([clip.label for clip in shards.clips[0]])
    predictions = to_predictions(ClipScores(np.arange(8, dtype=np.float32), labels, None, {}), shards)
    assert predictions.video_keys.tolist() == [clip.video_key for clip in shards.clips[0]]
    assert predictions.components.tolist() == [clip.component for clip in shards.clips[0]]
    np.testing.assert_allclose(predictions.scores, 1 / (1 + np.exp(-np.arange(8.0))))
    assert set(predictions.folds) == {""}
    assert predictions.frame_indices is predictions.timestamps is None


def test_scores_of_other_clips_are_refused(records):
    shards = find_shards(records, "mouth", "val")
    labels = np.array([clip.label for clip in shards.clips[0]])
    for wrong in (labels[:-1], 1 - labels):
        with pytest.raises(ValueError, match="are not of the 8 clips of val"):
            to_predictions(ClipScores(np.zeros(len(wrong), np.float32), wrong, None, {}), shards)


def test_records_say_how_many_videos_of_each_method_a_split_should_have(records):
    shards = find_shards(records, "mouth", "val")
    assert shards.planned == {"real": {"original": 4}, "fake": {"Face2Face": 4}}
