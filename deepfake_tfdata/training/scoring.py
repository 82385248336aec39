"""Scores of clips by a detector, on however many replicas."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

# From uint8 [B, T, H, W, 3] to the model's outputs, arrays of B.
Predict = Callable[[np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class ClipScores:
    """What a detector says of N clips, with what identifies them.

    Attributes:
        logits: float32 [N].
        labels: int64 [N].
        attention: float32 [N, T], or None if the model gives none.
        features: all other features of the clips by name, arrays of N.
    """

    logits: np.ndarray
    labels: np.ndarray
    attention: np.ndarray | None
    features: dict[str, np.ndarray]


def score_clips(predict: Predict, clips: tf.data.Dataset) -> ClipScores:
    """Runs a detector over batches, in order, each clip once.

    Args:
        predict: from make_predict.
        clips: from load_clips, unshuffled; the last batch may be smaller.
    """
    outputs, labels, features = [], [], []
    size = 0
    for batch, label in clips:
        frames = batch.pop("frames").numpy()
        # Every batch has the first one's size, so that one graph serves all; the filling is cut off again.
        size = size or len(frames)
        padded = np.pad(frames, [(0, size - len(frames))] + [(0, 0)] * (frames.ndim - 1))
        outputs.append([value[: len(frames)] for value in predict(padded)])
        labels.append(label.numpy())
        features.append({name: value.numpy() for name, value in batch.items()})
    columns = [np.concatenate(column) for column in zip(*outputs, strict=True)]
    return ClipScores(
        logits=columns[0].reshape(-1),
        labels=np.concatenate(labels),
        attention=columns[1] if len(columns) > 1 else None,
        features={name: np.concatenate([batch[name] for batch in features]) for name in features[0]},
    )


def make_predict(model: keras.Model, strategy: tf.distribute.Strategy) -> Predict:
    """Compiles a model's forward pass over all replicas.

    Args:
        model: gives logits, or logits and attention weights; built in the strategy's scope.
        strategy: its replicas each get a part of the batch.
    """
    # Of this process; with several workers each scores all clips, so that nothing need be gathered.
    replicas = len(strategy.extended.worker_devices)

    @tf.function
    def run(frames: tf.Tensor) -> list[tf.Tensor]:
        return strategy.run(lambda part: tf.nest.flatten(model(part, training=False)), args=(frames,))

    def predict(frames: np.ndarray) -> list[np.ndarray]:
        filling = -len(frames) % replicas
        parts = np.split(np.concatenate([frames, frames[:1].repeat(filling, axis=0)]), replicas)
        distributed = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group % replicas])
        )
        outputs = run(distributed)
        parts_of = strategy.experimental_local_results
        return [np.concatenate(parts_of(output))[: len(frames)] for output in outputs]

    return predict
