"""TensorFlow's fast kernels in place of what Keras puts together from small or slow operations.

Only the calls of a model's layers change: weights, saved files and other backends stay as they are.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from deepfake_tfdata.model.detector import leaf_layers

# What the kernels of BatchNormalization compute in.
_FUSED_TYPES = (tf.float32, tf.float16, tf.bfloat16)
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
# A tensor's attribute: the layer that gave it, and what that layer was given.
_ORIGIN = "_origin_of_output"


def use_fast_kernels(model: keras.Model) -> None:
    """Makes the layers of a model, nested ones included, call the fast kernels that fit them.

    BatchNormalization of images becomes the fused kernel, which passes over a map twice, forward and
    backward. Keras computes moments and normalization one after another, and the gradients of each: many
    passes.

    On a CPU, moreover: a 1x1 convolution becomes a matrix product. Its gradients then are such, too, where
    those of a convolution take the long way round by patches. Zeros around a map are left to the convolution
    that needs them, and a BatchNormalization that infers becomes part of the convolution before it: neither
    passes over a map of its own then, and swish does so once. GPUs and TPUs keep their layers: nobody
    measured there.

    Args:
        model: changed in place; call it before anything is traced, and as often as you like.
    """
    on_cpu = all(device.device_type == "CPU" for device in tf.config.list_logical_devices())
    for layer in leaf_layers(model):
        if "call" in vars(layer):
            continue
        if isinstance(layer, keras.layers.BatchNormalization) and _normalizes_images(layer):
            layer.call = partial(_batch_normalization, layer, layer.call)
        elif not on_cpu:
            continue
        elif type(layer) is keras.layers.Activation and layer.activation is keras.activations.silu:
            layer.call = _swish
        elif getattr(layer, "data_format", "") != "channels_last":
            continue
        elif type(layer) is keras.layers.ZeroPadding2D:
            layer.call = partial(_zero_padding, layer, layer.call)
        elif type(layer) in _CONVOLUTIONS:
            layer.call = partial(_convolution, layer)


def _normalizes_images(layer: keras.layers.BatchNormalization) -> bool:
    renormalizes = getattr(layer, "renorm", False)  # which older Keras does not know
    return len(layer.input.shape) == 4 and layer.axis in (-1, 3) and not renormalizes


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
    convolution, convolved = _origin(inputs, *_CONVOLUTIONS)
    if convolution and not learns:
        return _folded(layer, convolution, convolved)
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


def _folded(
    normalization: keras.layers.BatchNormalization, convolution: keras.layers.Layer, inputs: tf.Tensor
) -> tf.Tensor:
    """What a convolution and the inferring BatchNormalization after it give, [N, H, W, C], in one.

    The convolution that was called before is left without a use, and a graph drops it.
    """
    scale = tf.math.rsqrt(normalization.moving_variance + normalization.epsilon)
    if normalization.scale:
        scale *= normalization.gamma
    bias = -normalization.moving_mean * scale
    if normalization.center:
        bias += normalization.beta
    kernel = convolution.kernel
    if convolution.use_bias:
        bias += scale * tf.cast(convolution.bias, scale.dtype)
    # [kh, kw, C, M] of a depthwise convolution, whose channels of output are C * M; else [kh, kw, ., C]
    kernel = tf.cast(kernel, scale.dtype) * tf.reshape(scale, (-1, kernel.shape[-1]))
    return _convolved(convolution, inputs, tf.cast(kernel, inputs.dtype), tf.cast(bias, inputs.dtype))


def _convolution(layer: keras.layers.Layer, inputs: tf.Tensor) -> tf.Tensor:
    """The layer's output [N, H, W, C]."""
    outputs = _convolved(layer, inputs, layer.kernel, layer.bias if layer.use_bias else None)
    if layer.activation is not keras.activations.linear:
        return layer.activation(outputs)
    setattr(outputs, _ORIGIN, (layer, inputs))
    return outputs


def _convolved(
    layer: keras.layers.Layer, inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None
) -> tf.Tensor:
    """Inputs convolved as the layer does it, [N, H, W, C], with a kernel of its kernel's shape."""
    zeros, unpadded = _origin(inputs, keras.layers.ZeroPadding2D)
    adds_zeros = zeros is not None and _pads_as_same(zeros, layer, unpadded)
    inputs, padding = (unpadded, "same") if adds_zeros else (inputs, layer.padding)
    how: dict[str, Any] = {name: getattr(layer, name) for name in ("strides", "dilation_rate", "data_format")}
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        outputs = keras.ops.depthwise_conv(inputs, kernel, padding=padding, **how)
    elif _is_pointwise(layer):
        channels = inputs.shape[-1]
        outputs = tf.matmul(tf.reshape(inputs, (-1, channels)), tf.reshape(kernel, (channels, layer.filters)))
        # Grappler makes one operation of a product and the bias that follows at once.
        outputs = outputs if bias is None else tf.nn.bias_add(outputs, bias)
        return tf.reshape(outputs, (-1, *inputs.shape[1:3], layer.filters))
    else:
        outputs = keras.ops.conv(inputs, kernel, padding=padding, **how)
    return outputs if bias is None else tf.nn.bias_add(outputs, bias)


@tf.custom_gradient
def _swish(inputs: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """x * sigmoid(x), in one pass."""
    # The gradient of softplus is the sigmoid, and its kernel multiplies that by what comes from above.
    outputs = tf.raw_ops.SoftplusGrad(gradients=inputs, features=inputs)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.SoftplusGrad(gradients=upstream * (1 + (inputs - outputs)), features=inputs)

    return outputs, gradient


def _is_pointwise(layer: keras.layers.Conv2D) -> bool:
    return layer.kernel_size == layer.strides == (1, 1) and layer.groups == 1


def _origin(tensor: tf.Tensor, *kinds: type) -> tuple[keras.layers.Layer | None, tf.Tensor]:
    """The layer of such a kind that gave a tensor, and what it was given; else None, and the tensor."""
    layer, inputs = getattr(tensor, _ORIGIN, (None, tensor))
    return (layer, inputs) if isinstance(layer, kinds) else (None, tensor)


def _zero_padding(
    layer: keras.layers.ZeroPadding2D, plain: Callable[[tf.Tensor], tf.Tensor], inputs: tf.Tensor
) -> tf.Tensor:
    """The layer's output [N, H, W, C]; a graph drops it where the convolution after it pads on its own."""
    outputs = plain(inputs)
    setattr(outputs, _ORIGIN, (layer, inputs))
    return outputs


def _pads_as_same(
    padding: keras.layers.ZeroPadding2D, convolution: keras.layers.Layer, unpadded: tf.Tensor
) -> bool:
    """Whether a convolution with the padding "same" would put the same zeros around the same map."""
    if convolution.padding != "valid" or convolution.dilation_rate != (1, 1):
        return False
    sizes = unpadded.shape[1:3]
    for size, kernel, stride, zeros in zip(
        sizes, convolution.kernel_size, convolution.strides, padding.padding, strict=True
    ):
        missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        if zeros != (missing // 2, missing - missing // 2):
            return False
    return True
