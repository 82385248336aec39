"""What a detector says of clips: logits, and the weights of frames, on however many replicas."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.input.dataset import detector_inputs
from deepfake_tfdata.scoring.kernels import use_fast_kernels

# What a detector takes: uint8 [B, T, H, W, 3], or a dict of such and of views.
Frames = np.ndarray | dict[str, np.ndarray]
# When the frames are; who they are of stands in the index.
_KEPT = ("frame_indices", "timestamps")
# From frames to the model's outputs, arrays of B.
Predict = Callable[[Frames], list[np.ndarray]]


@dataclass(frozen=True)
class ClipScores:
    """What a detector says of N clips.

    Attributes:
        logits: float32 [N].
        labels: int64 [N].
        attention: float32 [N, T], or [N, R, T] of several regions; None if the model gives none.
        features: of the clips by name, arrays [N, T]: when the frames are, where that is known.
    """

    logits: np.ndarray
    labels: np.ndarray
    attention: np.ndarray | None
    features: dict[str, np.ndarray]

    @property
    def attention_over_frames(self) -> np.ndarray | None:
        """What each frame weighs, float32 [N, T]: the sum over the regions."""
        if self.attention is None or self.attention.ndim == 2:
            return self.attention
        return self.attention.sum(axis=1)


def score_clips(predict: Predict, clips: Iterable[Any]) -> ClipScores:
    """Runs a detector over batches, in order, each clip once.

    Args:
        predict: from make_predict.
        clips: batches from load_clips, unshuffled; the last one may be smaller.
    """
    outputs, labels, features = [], [], []
    for batch, label in clips:
        outputs.append(predict(tf.nest.map_structure(np.asarray, detector_inputs(batch))))
        labels.append(label.numpy())
        kept = {name: value for name, value in batch.items() if name in _KEPT}
        features.append({name: value.numpy() for name, value in kept.items()})
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

    Returns:
        It may be called with batches of any size; the last one of a split is often smaller.
    """
    use_fast_kernels(model)
    # Of this process: each worker scores clips of its own, and as many as it has.
    replicas = len(strategy.extended.worker_devices)
    part = 0

    # Native batches come in several sizes.
    @tf.function(reduce_retracing=True, autograph=False)
    def run(frames: Any) -> list[tf.Tensor]:
        return strategy.run(lambda part: tf.nest.flatten(model(part, training=False)), args=(frames,))

    def predict(frames: Frames) -> list[np.ndarray]:
        nonlocal part
        size = len(tf.nest.flatten(frames)[0])
        # A batch smaller than one before is filled up to its size, so that one graph serves all.
        part = max(part, -(-size // replicas))
        filled = _padded(frames, part * replicas)

        def part_of(replica: int) -> Any:
            first = replica * part
            return tf.nest.map_structure(lambda region: tf.constant(region[first : first + part]), filled)

        distributed = strategy.experimental_distribute_values_from_function(
            lambda context: part_of(context.replica_id_in_sync_group % replicas)
        )
        outputs = run(distributed)
        parts_of = strategy.experimental_local_results
        return [np.concatenate(parts_of(output))[:size] for output in outputs]

    return predict


def _padded(frames: Frames, size: int) -> Frames:
    """Adds black clips up to a number of clips."""

    def pad(region: np.ndarray) -> np.ndarray:
        return np.pad(region, [(0, size - len(region))] + [(0, 0)] * (region.ndim - 1))

    return tf.nest.map_structure(pad, frames)
