"""A detector cut into stages: what it sees, its last maps, features of frames, the logit.

Frames of the clips are seen through `seen_frames`; `last_maps` of these are what a class-activation map is
drawn on; `features_of_maps` makes a vector a frame of them; the last stage is `halves.temporal_detector`. All
share the detector's layers.
"""

from collections.abc import Iterator

import keras

from deepfake_tfdata.model.assembly import BACKBONE_LAYER, RESIZE_LAYER, fold_frames, frame_inputs


def seen_frames(detector: keras.Model) -> keras.Model:
    """From a detector's inputs to what its backbones see: a list of uint8 [B, T, S, S, 3], one a region."""
    return keras.Model(detector.inputs, _seen(detector), name="seen_frames")


def last_maps(detector: keras.Model) -> keras.Model:
    """From a list of what the backbones see to a list of their last maps [B, T, h, w, C], one a region."""
    seen = [keras.Input(each.shape[1:], dtype=each.dtype) for each in _seen(detector)]
    maps = [
        fold_frames(keras.Model(backbone.inputs, _last_map(backbone)), frames)
        for frames, backbone in zip(seen, _backbone_of_each_region(detector), strict=True)
    ]
    return keras.Model(seen, maps, name="last_maps")


def features_of_maps(detector: keras.Model) -> keras.Model:
    """From a list of last maps [B, T, h, w, C] to a list of features [B, T, F], one a region."""
    inputs, features = [], []
    for frames, backbone in zip(_seen(detector), _backbone_of_each_region(detector), strict=True):
        last = _last_map(backbone)
        maps = keras.Input((frames.shape[1], *last.shape[1:]), dtype=last.dtype)
        inputs.append(maps)
        features.append(fold_frames(keras.Model(last, backbone.output), maps))
    return keras.Model(inputs, features, name="features_of_maps")


def _seen(detector: keras.Model) -> list[keras.KerasTensor]:
    """[B, T, S, S, 3] a region: the frames, after the resize of native ones."""
    resized = {layer.name: layer.output for layer in detector.layers}
    return [resized.get(f"{RESIZE_LAYER}_{each.name}", each) for each in frame_inputs(detector)]


def _backbone_of_each_region(detector: keras.Model) -> Iterator[keras.Model]:
    """The same one several times where regions share it."""
    backbones = {layer.name: layer for layer in detector.layers if layer.name.startswith(BACKBONE_LAYER)}
    for each in frame_inputs(detector):
        yield backbones.get(f"{BACKBONE_LAYER}_{each.name}") or backbones[BACKBONE_LAYER]


def _last_map(backbone: keras.Model) -> keras.KerasTensor:
    """The last [N, h, w, C] of a backbone: what it averages, or flattens, to features."""
    # Not of the layers alone: ConvNeXt ends with a sum that is none.
    return next(each.output for each in reversed(backbone.operations) if len(each.output.shape) == 4)
