"""What TensorBoard shows of a run."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from deepfake_tfdata.reports import plots
from deepfake_tfdata.training.scoring import ClipScores

# The folder of a workdir.
TENSORBOARD = "tensorboard"


def write_summaries(folder: Path, metrics: dict[str, Any], scores: ClipScores) -> None:
    """Adds an epoch: its metrics as scalars, and pictures of the validation, clip by clip.

    Args:
        folder: of the events.
        metrics: a line of metrics.jsonl.
        scores: of the validation.
    """
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default(step=metrics["step"]):
        for name, value in metrics.items():
            if name not in ("epoch", "step") and value is not None:
                tf.summary.scalar(name, value)
        for name, picture in _pictures(scores).items():
            tf.summary.image(name, tf.io.decode_png(picture)[tf.newaxis])
    writer.close()


def _pictures(scores: ClipScores) -> dict[str, bytes]:
    """PNG files by name: curves where there are both classes, attention where the head has it."""
    pictures = {}
    if len(set(scores.labels.tolist())) == 2:
        pictures["validation/curves"] = plots.ranking_curves(scores.labels, scores.logits)
    if scores.attention is not None:
        attention = plots.attention_over_time(scores.labels, scores.attention_over_frames)
        pictures["validation/attention"] = attention
    return pictures
