"""TensorFlow's fast kernels in place of what Keras puts together from small or slow operations.

Only the calls of a model's layers change: weights, saved files and other backends stay as they are.
"""

from collections.abc import Callable
from functools import partial

import keras
import tensorflow as tf

from deepfake_tfdata.model.detector import leaf_layers

# What the kernels of BatchNormalization compute in.
_FUSED_TYPES = (tf.float32, tf.float16, tf.bfloat16)


def use_fast_kernels(model: keras.Model) -> None:
    """Makes the layers of a model, nested ones included, call the fast kernels that fit them.

    BatchNormalization of images becomes the fused kernel, which passes over a map twice, forward and
    backward. Keras computes moments and normalization one after another, and the gradients of each: many
    passes.

    On a CPU, a 1x1 convolution becomes a matrix product. Its gradients then are such, too, where those of a
    convolution take the long way round by patches. GPUs and TPUs keep the convolution: nobody measured there.

    Args:
        model: changed in place; call it before anything is traced, and as often as you like.
    """
    on_cpu = all(device.device_type == "CPU" for device in tf.config.list_logical_devices())
    for layer in leaf_layers(model):
        if "call" in vars(layer):
            continue
        if isinstance(layer, keras.layers.BatchNormalization) and _normalizes_images(layer):
            layer.call = partial(_batch_normalization, layer, layer.call)
        elif type(layer) is keras.layers.Conv2D and _is_pointwise(layer) and on_cpu:
            layer.call = partial(_matrix_product, layer)


def _normalizes_images(layer: keras.layers.BatchNormalization) -> bool:
    return len(layer.input.shape) == 4 and layer.axis in (-1, 3) and not layer.renorm


def _batch_normalization(
    layer: keras.layers.BatchNormalization,
    plain: Callable[..., tf.Tensor],
    inputs: tf.Tensor,
    training: bool | None = None,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The layer's output [N, H, W, C]; in training it also moves the layer's statistics."""
    learns = bool(training and layer.trainable)
    # The kernel knows neither masks nor the statistics of other replicas.
    if mask is not None or (learns and layer.synchronized) or inputs.dtype not in _FUSED_TYPES:
        return plain(inputs, training=training, mask=mask)
    channels = inputs.shape[-1]
    nothing = tf.zeros([0])
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.convert_to_tensor(layer.gamma) if layer.scale else tf.ones([channels]),
        offset=tf.convert_to_tensor(layer.beta) if layer.center else tf.zeros([channels]),
        mean=nothing if learns else tf.convert_to_tensor(layer.moving_mean),
        variance=nothing if learns else tf.convert_to_tensor(layer.moving_variance),
        epsilon=layer.epsilon,
        is_training=learns,
    )
    if learns:
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        _move(layer.moving_mean, mean, layer.momentum)
        # The kernel estimates the variance of what the batch is a sample of; Keras keeps the batch's own.
        _move(layer.moving_variance, variance * (count - 1.0) / count, layer.momentum)
    return outputs


def _move(average: keras.Variable, value: tf.Tensor, momentum: float) -> None:
    average.assign(average * momentum + value * (1.0 - momentum))


def _is_pointwise(layer: keras.layers.Conv2D) -> bool:
    of_single_pixels = layer.kernel_size == layer.strides == (1, 1)
    return of_single_pixels and layer.groups == 1 and layer.data_format == "channels_last"


def _matrix_product(layer: keras.layers.Conv2D, inputs: tf.Tensor) -> tf.Tensor:
    """The layer's output [N, H, W, C]."""
    channels = inputs.shape[-1]
    kernel = tf.reshape(layer.kernel, (channels, layer.filters))
    outputs = tf.matmul(tf.reshape(inputs, (-1, channels)), kernel)
    if layer.use_bias:
        outputs += layer.bias
    outputs = tf.reshape(outputs, (-1, *inputs.shape[1:3], layer.filters))
    return layer.activation(outputs)
