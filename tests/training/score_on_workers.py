"""Scores 7 clips on the workers of TF_CONFIG and prints what each has of them, as JSON. Run as a script."""

import json

import numpy as np
import tensorflow as tf

from deepfake_tfdata.scoring.clip_scores import score_clips
from deepfake_tfdata.training.devices import select_strategy
from deepfake_tfdata.training.validation import scores_of_all_workers
from deepfake_tfdata.training.workers import Workers

CLIPS = 7


def main() -> None:
    workers = Workers(select_strategy("multi_worker"))
    numbers = np.arange(CLIPS, dtype=np.float32)
    clips = tf.data.Dataset.from_tensor_slices(({"frames": numbers}, np.arange(CLIPS) % 2))
    share = clips.shard(workers.count, workers.index).batch(2)
    # A logit is ten times the clip's number, and its two weights are the number and its negative.
    scores = score_clips(lambda frames: lambda: outputs(frames.numpy()), share)
    whole = scores_of_all_workers(scores, workers)
    result = {
        "own": scores.logits.tolist(),
        "logits": whole.logits.tolist(),
        "labels": whole.labels.tolist(),
        "attention": whole.attention.tolist(),
        "any": [workers.any(False), workers.any(workers.index == 1), workers.any(True)],
    }
    print(json.dumps(result))


def outputs(frames: np.ndarray) -> list[np.ndarray]:
    return [10 * frames, np.stack([frames, -frames], axis=1)]


if __name__ == "__main__":
    main()
