"""The registry of backbones: uint8 frames in, one feature vector a frame out, preprocessing included."""

import os
from collections.abc import Callable
from functools import partial

import keras

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.applications import application, efficientnet, xception
from deepfake_tfdata.model.assembly import BACKBONE_LAYER
from deepfake_tfdata.model.efficientnet_lite import SCALES, efficientnet_lite
from deepfake_tfdata.model.meso4 import meso4, published_meso4
from deepfake_tfdata.model.options import ModelOptions
from deepfake_tfdata.model.weights import load_weights_file

MIN_FRAME_SIZE = 32

# From images [N, H, W, 3] of 0..255, and whether to load ImageNet weights, to features [N, F].
Builder = Callable[[keras.KerasTensor, bool], keras.KerasTensor]

# By the names that `--backbone` takes.
BUILDERS: dict[str, Builder] = {
    **{
        f"efficientnet_b{n}": partial(efficientnet, getattr(keras.applications, f"EfficientNetB{n}"))
        for n in range(8)
    },
    **{
        f"efficientnet_v2_b{n}": partial(application, getattr(keras.applications, f"EfficientNetV2B{n}"))
        for n in range(4)
    },
    "mobilenet_v3_small": partial(application, keras.applications.MobileNetV3Small),
    "mobilenet_v3_large": partial(application, keras.applications.MobileNetV3Large),
    "convnext_tiny": partial(application, keras.applications.ConvNeXtTiny),
    "convnext_small": partial(application, keras.applications.ConvNeXtSmall),
    "convnext_base": partial(application, keras.applications.ConvNeXtBase),
    "xception": xception,
    **{name: partial(efficientnet_lite, name) for name in SCALES},
    "meso4": meso4,
}


def build_backbone(
    name: str,
    frame_size: int,
    weights: str | os.PathLike[str] = ModelOptions.weights,
    layer_name: str = BACKBONE_LAYER,
) -> keras.Model:
    """Builds a backbone with its preprocessing inside and its features averaged over space.

    Args:
        name: one of `options.BACKBONES`.
        frame_size: side of a frame, pixels, at least 32.
        weights: "imagenet", "none" (random), or the path of a weights file (see `load_weights_file`).
        layer_name: of the model; starts with "backbone".

    Returns:
        A model from uint8 RGB [N, frame_size, frame_size, 3] to features [N, F].

    Raises:
        UserError: unknown name, frames too small, or weights that are not to be had or don't fit.
    """
    ModelOptions(backbone=name)  # refuses an unknown one
    return _build(BUILDERS[name], frame_size, weights, layer_name)


def build_published(frame_size: int, weights: str | os.PathLike[str]) -> keras.Model:
    """Builds Meso-4 as it was published, which judges each frame by itself.

    Args:
        frame_size: 256.
        weights: "none", or the path of a weights file.

    Returns:
        A model from uint8 RGB [N, 256, 256, 3] to the logit of fake, float32 [N, 1].

    Raises:
        UserError: another frame size, or weights that are not to be had or don't fit.
    """
    return _build(published_meso4, frame_size, weights, BACKBONE_LAYER)


def _build(
    builder: Builder, frame_size: int, weights: str | os.PathLike[str], layer_name: str
) -> keras.Model:
    if frame_size < MIN_FRAME_SIZE:
        raise UserError(f"--frame_size={frame_size} is too small; choose {MIN_FRAME_SIZE} or more")
    images = keras.Input((frame_size, frame_size, 3), dtype="uint8", name="images")
    features = builder(images, weights == "imagenet")
    backbone = keras.Model(images, features, name=layer_name)
    _preprocess_in_float32(backbone)
    if weights not in ("imagenet", "none"):
        load_weights_file(backbone, weights)
    return backbone


def _preprocess_in_float32(backbone: keras.Model) -> None:
    """Keeps a pixel's 8 bits until the first filter: bfloat16 would round bright ones by half a level."""
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization):
            layer.dtype_policy = "float32"
        if isinstance(layer, keras.layers.Normalization):
            # Its constants have the old policy's type: make them again, from weights or from arguments.
            if layer.input_mean is None:
                layer.finalize_state()
            else:
                layer.build(layer.input.shape)
