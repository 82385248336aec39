"""One training step over all replicas."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

# What a detector takes: uint8 [B, T, H, W, 3], or a dict of such and of views.
Frames = tf.Tensor | dict[str, tf.Tensor]


def make_train_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    strategy: tf.distribute.Strategy,
    batch_size: int,
    *,
    label_smoothing: float = 0.0,
    accumulation: int = 1,
    jit_compile: bool = False,
) -> Callable[[Any], tf.Tensor]:
    """Compiles a step.

    Args:
        model: gives logits; float32 [B].
        optimizer: built for the model's trainable variables.
        strategy: its replicas each get a part of the batch.
        batch_size: over all replicas; the loss is the mean over these, so that replicas do not matter.
        label_smoothing: share of every label that is moved to the middle.
        accumulation: parts of a replica's batch that are worked on one after another, so that the
            activations of one part at a time are in memory; BatchNormalization sees a part at a time.
        jit_compile: compile the step with XLA.

    Returns:
        From a distributed batch (frames, labels) to the loss, a float32 scalar.
    """
    variables = model.trainable_variables

    @tf.function(jit_compile=jit_compile)
    def replica_step(frames: Frames, labels: tf.Tensor) -> tf.Tensor:
        targets = tf.cast(labels, tf.float32) * (1.0 - label_smoothing) + 0.5 * label_smoothing
        parts = zip(_split(frames, accumulation), tf.split(targets, accumulation), strict=True)
        loss, gradients = loss_and_gradients(*next(parts))
        for part in parts:
            # One after another: TensorFlow would run them side by side, and hold all activations at once.
            with tf.control_dependencies(gradients):
                part_loss, part_gradients = loss_and_gradients(*part)
            loss += part_loss
            gradients = [total + part for total, part in zip(gradients, part_gradients, strict=True)]
        optimizer.apply(gradients, variables)
        return loss

    def loss_and_gradients(frames: Frames, targets: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, model(frames, training=True))
            loss = tf.reduce_sum(losses) / batch_size
            scaled = optimizer.scale_loss(loss)
        return loss, tape.gradient(scaled, variables)

    @tf.function
    def train_step(batch: Any) -> tf.Tensor:
        losses = strategy.run(replica_step, args=batch)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    return train_step


def _split(frames: Frames, parts: int) -> list[Frames]:
    pieces = [tf.split(region, parts) for region in tf.nest.flatten(frames)]
    return [tf.nest.pack_sequence_as(frames, part) for part in zip(*pieces, strict=True)]


def give_replicas_their_own_dropout(model: keras.Model) -> None:
    """Folds the replica's number into every random layer's seed.

    Keras mirrors a seed like any other variable, so that all replicas would drop the same units and the batch
    would see fewer masks than it has parts.
    """
    for generator in _seed_generators(model):
        generator.next = _with_replica(generator.next)


def _with_replica(draw: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    def next_seed(*args: Any, **kwargs: Any) -> tf.Tensor:
        seed = draw(*args, **kwargs)
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group if context else 0
        # The first half of the seed is fixed, the second counts the draws: replicas differ in the first.
        return seed + tf.stack([tf.cast(replica, seed.dtype) * 7919, tf.zeros([], seed.dtype)])

    return next_seed


def _seed_generators(layer: keras.Layer) -> Iterator[keras.random.SeedGenerator]:
    yield from (value for value in vars(layer).values() if isinstance(value, keras.random.SeedGenerator))
    for child in layer._layers:
        yield from _seed_generators(child)
