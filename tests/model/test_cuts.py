"""A detector cut into stages that together are the detector."""

import keras
import numpy as np

from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.cuts import features_of_maps, last_maps
from deepfake_tfdata.model.halves import feature_extractor


def test_the_last_map_is_what_the_backbone_averages():
    # As ConvNeXt: it ends with a sum that is no layer, and normalizes what it averages.
    images = keras.Input((8, 8, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(5, 2, 2)(x) + keras.layers.AveragePooling2D(2)(keras.layers.Conv2D(5, 1)(x))
    features = keras.layers.LayerNormalization()(keras.layers.GlobalAveragePooling2D()(x))
    detector = assemble_detector(keras.Model(images, features, name="backbone"), "control", 2, lstm_units=2)
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 8, 8, 3), np.uint8)
    maps = last_maps(detector)([frames])
    (last,) = maps if isinstance(maps, list) else [maps]
    assert last.shape == (1, 2, 4, 4, 5)
    found = features_of_maps(detector)([last])
    np.testing.assert_allclose(found[0], feature_extractor(detector)([frames])[0], rtol=1e-4, atol=1e-5)
