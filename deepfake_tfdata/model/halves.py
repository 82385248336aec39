"""A detector in two halves: the backbones, and what follows them."""

from typing import Any

import keras

from deepfake_tfdata.model.assembly import FRAME_LOGITS_LAYER, TEMPORAL_LAYER


def feature_extractor(detector: keras.Model) -> keras.Model:
    """The first half: from the detector's inputs to a list of features [B, T, F], one an input."""
    return keras.Model(detector.inputs, _features(detector), name="feature_extractor")


def temporal_detector(detector: keras.Model) -> keras.Model:
    """The second half: from a list of features [B, T, F] to the detector's outputs; the layers are shared."""
    return keras.Model(_features(detector), detector.output, name="temporal_detector")


def with_inferring_backbones(detector: keras.Model) -> keras.Model:
    """The detector with backbones that infer even in training, without dropout or stochastic depth.

    Freezing a layer puts BatchNormalization into inference mode and nothing else. The layers are shared.
    """
    return _InferringBackbones(feature_extractor(detector), temporal_detector(detector))


class _InferringBackbones(keras.Model):
    """Not a functional model: there, a call's `training` overrides what a layer was called with."""

    def __init__(self, backbones: keras.Model, rest: keras.Model) -> None:
        super().__init__(name="inferring_backbones")
        self.backbones, self.rest = backbones, rest

    def call(self, frames: Any, training: bool | None = None) -> keras.KerasTensor:
        """The logits of frames."""
        return self.rest(self.backbones(frames, training=False), training=training)


def _features(detector: keras.Model) -> list[keras.KerasTensor]:
    # The layers' order is that of the graph's construction: one input after another.
    return [layer.input for layer in detector.layers if _takes_features(layer)]


def _takes_features(layer: keras.Layer) -> bool:
    is_lstm = isinstance(layer, keras.layers.Bidirectional) and layer.name.startswith(TEMPORAL_LAYER)
    return is_lstm or layer.name == FRAME_LOGITS_LAYER
