"""Backbones that compute their activations again in the backward pass instead of keeping them.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost" (arXiv 1604.06174), section 4. Keras' own
RematScope wraps single layers: their inputs, which are all that a backbone keeps, stay in memory, and
BatchNormalization moves its statistics twice a step.
"""

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from deepfake_tfdata.model.assembly import backbones_of

# A segment ends where the one tensor that is kept for it is so many times smaller than what it computes.
_WORTH_KEEPING = 16


def rematerialize(detector: keras.Model) -> None:
    """Makes the backbones that learn keep, in training, the tensors between their segments alone.

    A frozen backbone needs no gradients, and keeps nothing for them.
    """
    for backbone in backbones_of(detector):
        if backbone.trainable_variables:
            backbone.call = _segment_by_segment(backbone)


def segments(backbone: keras.Model) -> list[keras.Model]:
    """A backbone in parts, to be applied one after another; the layers are shared.

    It is cut where one tensor is all that the rest needs, so that whole residual blocks stay together: before
    the first weights, for what comes before them needs no gradients, and where keeping that tensor pays.
    """
    operations = [each for each in backbone.operations if not isinstance(each, keras.layers.InputLayer)]
    last_uses = {id(tensor): index for index, each in enumerate(operations) for tensor in _inputs(each)}
    start = backbone.inputs[0]
    parts: list[keras.Model] = []
    computed, needed = 0, {id(start)}
    for index, operation in enumerate(operations[:-1]):
        output = operation.output
        computed += _size(output)
        needed = {each for each in needed | {id(output)} if last_uses[each] > index}
        before_weights = not parts and bool(getattr(operations[index + 1], "weights", []))
        pays = computed >= _WORTH_KEEPING * _size(output)
        if needed == {id(output)} and (before_weights or pays):
            parts.append(keras.Model(start, output))
            start, computed = output, 0
    return [*parts, keras.Model(start, backbone.outputs[0])]


def _segment_by_segment(backbone: keras.Model) -> Callable[..., tf.Tensor]:
    parts, whole = segments(backbone), type(backbone).call

    def call(frames: tf.Tensor, training: bool | None = None, mask: None = None) -> tf.Tensor:
        if not training:
            return whole(backbone, frames, training=training, mask=mask)
        for part in parts:
            frames = _recomputed(part, frames) if part.trainable_variables else part(frames, training=True)
        return frames

    return call


def _recomputed(segment: keras.Model, inputs: tf.Tensor) -> tf.Tensor:
    """What the segment makes of its inputs, to be computed again for the gradients.

    Both computations begin with the same state: they drop the same units, and only what the first one does to
    BatchNormalization's statistics is kept.
    """
    weights = list(map(_value, segment.trainable_variables))
    state = list(map(_value, segment.non_trainable_variables))
    states_after: list[list[tf.Tensor]] = []

    def compute(inputs: tf.Tensor, *weights: tf.Tensor) -> tf.Tensor:
        outputs, after = segment.stateless_call(weights, state, inputs, training=True)
        states_after.append(after)
        return outputs

    outputs = tf.recompute_grad(compute)(inputs, *weights)
    for variable, before, after in zip(segment.non_trainable_variables, state, states_after[0], strict=True):
        if after is not before:
            variable.assign(after)
    return outputs


def _value(variable: keras.Variable) -> tf.Tensor:
    return tf.convert_to_tensor(variable.value)


def _inputs(operation: keras.Operation) -> list[keras.KerasTensor]:
    tensors: list[keras.KerasTensor] = keras.tree.flatten(operation.input)
    return tensors


def _size(tensor: keras.KerasTensor) -> int:
    """Elements a frame."""
    return math.prod(tensor.shape[1:])
