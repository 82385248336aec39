"""What a detector says of clips: logits, and the weights of frames, on however many replicas."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.input.dataset import detector_inputs
from deepfake_tfdata.scoring.kernels import use_fast_kernels

# What a detector takes: uint8 [B, T, H, W, 3], or a dict of such and of views; in NumPy or TensorFlow.
Frames: TypeAlias = Any
# When the frames are; who they are of stands in the index.
_KEPT = ("frame_indices", "timestamps")
# Gives frames to the devices, and what then waits for the model's outputs, arrays of B.
Predict = Callable[[Frames], Callable[[], list[np.ndarray]]]


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
    for output, batch, label in predicted(predict, clips):
        outputs.append(output)
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


def predicted(predict: Predict, clips: Iterable[Any]) -> Iterator[tuple[list[np.ndarray], Any, tf.Tensor]]:
    """The model's outputs for every batch, with its features and labels.

    The devices are given a batch before the outputs of the one before are waited for, so that they have work
    while these are fetched and handled.

    Args:
        predict: from make_predict.
        clips: batches from load_clips.
    """
    begun: list[tuple[Callable[[], list[np.ndarray]], Any, tf.Tensor]] = []
    for batch, label in clips:
        begun.append((predict(detector_inputs(batch)), batch, label))
        if len(begun) > 1:
            outputs, *of_batch = begun.pop(0)
            yield outputs(), *of_batch
    for outputs, *of_batch in begun:
        yield outputs(), *of_batch


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

    def predict(frames: Frames) -> Callable[[], list[np.ndarray]]:
        nonlocal part
        with tf.device("CPU:0"):  # each replica then fetches its part, and no other
            regions = [tf.convert_to_tensor(region) for region in tf.nest.flatten(frames)]
            size = len(regions[0])
            # A batch smaller than one before is filled up to its size, so that one graph serves all.
            part = max(part, -(-size // replicas))
            parts = [
                tf.nest.pack_sequence_as(frames, [_part(region, part * replica, part) for region in regions])
                for replica in range(replicas)
            ]
        distributed = strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group % replicas]
        )
        outputs = run(distributed)
        parts_of = strategy.experimental_local_results
        return lambda: [np.concatenate(parts_of(output))[:size] for output in outputs]

    return predict


def _part(clips: tf.Tensor, first: int, count: int) -> tf.Tensor:
    """So many clips from one on, not copied where these are all; beyond the last they are black."""
    part = clips if (first, count) == (0, len(clips)) else clips[first : first + count]
    missing = count - len(part)
    return tf.pad(part, [(0, missing)] + [(0, 0)] * (part.shape.rank - 1)) if missing else part
