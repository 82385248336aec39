"""Training steps over all replicas, several a call."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.model.detector import batch_norm_statistics
from deepfake_tfdata.scoring.kernels import use_fast_kernels
from deepfake_tfdata.training.options import StepOptions
from deepfake_tfdata.training.rematerialization import rematerialize
from deepfake_tfdata.training.replicas import average_over_replicas, leave_sum_to_caller, sum_over_replicas

# What a detector takes: a tensor, uint8 [B, T, H, W, 3], or a dict of such and of views.
Frames: TypeAlias = Any
LossAndGradients: TypeAlias = tuple[tf.Tensor, list[tf.Tensor]]
# From frames and labels.
Differentiate = Callable[[Frames, tf.Tensor], LossAndGradients]
# From distributed batches and a number of steps to what make_train_steps says.
TrainSteps = Callable[[Iterator[Any], int], np.ndarray]


def make_train_steps(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    strategy: tf.distribute.Strategy,
    batch_size: int,
    options: StepOptions,
    after_step: Callable[[tf.Tensor], None] = lambda stepped: None,
) -> TrainSteps:
    """Compiles training steps, which run one after another without coming back to Python between them.

    Args:
        model: gives logits; float32 [B].
        optimizer: built for the model's trainable variables.
        strategy: its replicas each get a part of the batch.
        batch_size: over all replicas; the loss is the mean over these, so that replicas do not matter.
        options: of the step. Where a batch is worked on in parts, the activations of one part at a time are
            in memory, and BatchNormalization sees a part at a time.
        after_step: is traced with the steps, outside the replicas; told whether the optimizer made a step.

    Returns:
        From an iterator of distributed batches (frames, labels) and a number of steps to float32 [steps, 3]:
        a step's loss, the learning rate it was made with, and the seconds it waited for its batch.
    """
    use_fast_kernels(model)
    variables = model.trainable_variables
    several = strategy.num_replicas_in_sync > 1
    # Statistics that each replica takes of its own clips. Training reads them not at all, all else the mean.
    apart = batch_norm_statistics(model) if several and not options.sync_batch_norm else []
    if options.rematerialize:
        rematerialize(model)
    leave_sum_to_caller(optimizer)

    differentiate = partial(_loss_and_gradients, model, optimizer, batch_size, options)

    @tf.autograph.experimental.do_not_convert
    def replica_step(frames: Frames, labels: tf.Tensor) -> tf.Tensor:
        # Of each replica its own: a compiled function keeps to the variables that it was traced with.
        of_part = _compiled(differentiate, model) if options.jit_compile else differentiate
        loss, gradients = _over_parts(of_part, frames, labels, options.accumulation)
        # Neither the sum nor the update is compiled: replicas meet in both.
        optimizer.apply(sum_over_replicas(gradients), variables)
        if apart:
            average_over_replicas(apart)
        return loss

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
            before = tf.identity(optimizer.iterations.value)
            with tf.control_dependencies([waited]):
                losses = strategy.run(replica_step, args=batch)
            after_step(optimizer.iterations.value > before)
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


def _loss_and_gradients(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batch_size: int,
    options: StepOptions,
    frames: Frames,
    labels: tf.Tensor,
) -> LossAndGradients:
    """A part's share of the loss of the batch, and its gradients, scaled as the optimizer wants them."""
    targets = tf.cast(labels, tf.float32) * (1.0 - options.label_smoothing) + 0.5 * options.label_smoothing
    with tf.GradientTape() as tape:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, model(frames, training=True))
        loss = tf.reduce_sum(losses) / batch_size
        scaled = optimizer.scale_loss(loss)
    # Dense: those of an embedding name rows, which can't be added and have no norm.
    return loss, [tf.convert_to_tensor(each) for each in tape.gradient(scaled, model.trainable_variables)]


def _over_parts(
    differentiate: Differentiate, frames: Frames, labels: tf.Tensor, count: int
) -> LossAndGradients:
    """The sums over a batch that is worked on in a number of parts."""
    parts = zip(_split(frames, count), tf.split(labels, count), strict=True)
    loss, gradients = differentiate(*next(parts))
    for part in parts:
        # One after another: TensorFlow would run them side by side, and hold all activations at once.
        with tf.control_dependencies(gradients):
            part_loss, part_gradients = differentiate(*part)
        loss += part_loss
        gradients = [total + part for total, part in zip(gradients, part_gradients, strict=True)]
    return loss, gradients


def _compiled(differentiate: Differentiate, model: keras.Model) -> Differentiate:
    """The function, compiled with XLA, which has no kernel for the LSTM that cuDNN brings."""

    def without_cudnn(*arguments: Any) -> Any:
        with _cudnn_left_out(model):
            return differentiate(*arguments)

    return tf.function(without_cudnn, jit_compile=True, autograph=False)


@contextmanager
def _cudnn_left_out(model: keras.Model) -> Iterator[None]:
    """Makes recurrent layers that are traced in the block use TensorFlow's own loop on GPUs, too."""
    layers = [layer for layer in model._flatten_layers() if hasattr(layer, "use_cudnn")]
    before = [layer.use_cudnn for layer in layers]
    for layer in layers:
        layer.use_cudnn = False
    try:
        yield
    finally:
        for layer, use_cudnn in zip(layers, before, strict=True):
            layer.use_cudnn = use_cudnn


def _clock() -> tf.Tensor:
    """The time in seconds, as an operation; tf.timestamp is refused where operations are deterministic."""
    return tf.ensure_shape(tf.numpy_function(time.perf_counter, [], tf.float64), [])


def _split(frames: Frames, parts: int) -> list[Frames]:
    pieces = [tf.split(region, parts) for region in tf.nest.flatten(frames)]
    return [tf.nest.pack_sequence_as(frames, part) for part in zip(*pieces, strict=True)]
