"""A detector in two halves: the backbones, and what follows them."""

import keras

from deepfake_tfdata.model.assembly import TEMPORAL_LAYER


def feature_extractor(detector: keras.Model) -> keras.Model:
    """The first half: from the detector's inputs to a list of features [B, T, F], one an input."""
    return keras.Model(detector.inputs, _features(detector), name="feature_extractor")


def temporal_detector(detector: keras.Model) -> keras.Model:
    """The second half: from a list of features [B, T, F] to the detector's outputs; the layers are shared."""
    return keras.Model(_features(detector), detector.output, name="temporal_detector")


def _features(detector: keras.Model) -> list[keras.KerasTensor]:
    temporal = [layer for layer in detector.layers if layer.name.startswith(TEMPORAL_LAYER)]
    # The layers' order is that of the graph's construction: one input after another.
    return [layer.input for layer in temporal if isinstance(layer, keras.layers.Bidirectional)]
