"""Training steps over all replicas, several a call."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.training.options import StepOptions

# What a detector takes: a tensor, uint8 [B, T, H, W, 3], or a dict of such and of views.
Frames: TypeAlias = Any
# From distributed batches and a number of steps to what make_train_steps says.
TrainSteps = Callable[[Iterator[Any], int], np.ndarray]


def make_train_steps(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    strategy: tf.distribute.Strategy,
    batch_size: int,
    options: StepOptions,
) -> TrainSteps:
    """Compiles training steps, which run one after another without coming back to Python between them.

    Args:
        model: gives logits; float32 [B].
        optimizer: built for the model's trainable variables.
        strategy: its replicas each get a part of the batch.
        batch_size: over all replicas; the loss is the mean over these, so that replicas do not matter.
        options: of the step. Where a batch is worked on in parts, the activations of one part at a time are
            in memory, and BatchNormalization sees a part at a time.

    Returns:
        From an iterator of distributed batches (frames, labels) and a number of steps to float32 [steps, 3]:
        a step's loss, the learning rate it was made with, and the seconds it waited for its batch.
    """
    variables = model.trainable_variables

    @tf.function(jit_compile=options.jit_compile, autograph=False)
    def replica_step(frames: Frames, labels: tf.Tensor) -> tf.Tensor:
        smoothing, count = options.label_smoothing, options.accumulation
        targets = tf.cast(labels, tf.float32) * (1.0 - smoothing) + 0.5 * smoothing
        parts = zip(_split(frames, count), tf.split(targets, count), strict=True)
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
    def train_steps(batches: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        reports = tf.TensorArray(tf.float32, count)
        for index in tf.range(count):
            start = _clock()
            # Clocks have an order among themselves; what lies between two of them is to be said.
            with tf.control_dependencies([start]):
                batch = next(batches)
            with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
                waited = _clock() - start
            learning_rate = tf.cast(optimizer.learning_rate, tf.float32)
            with tf.control_dependencies([waited]):
                losses = strategy.run(replica_step, args=batch)
            done = tf.nest.flatten(losses, expand_composites=True)
            with tf.control_dependencies(done), tf.device("CPU:0"):
                # On the host the loss is there when the device has done the step, not when it was given it.
                loss = tf.identity(strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None))
                report = tf.stack([loss, learning_rate, tf.cast(waited, tf.float32)])
            with tf.control_dependencies([report]):
                _clock()  # has a place in the order of effects, so that the next start comes after it
            reports = reports.write(index, report)
        return reports.stack()

    # A tensor, because every other number would be traced anew.
    return lambda batches, count: train_steps(batches, tf.constant(count)).numpy()


def _clock() -> tf.Tensor:
    """The time in seconds, as an operation; tf.timestamp is refused where operations are deterministic."""
    return tf.ensure_shape(tf.numpy_function(time.perf_counter, [], tf.float64), [])


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
