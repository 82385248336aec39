"""A detector cut into stages that together are the detector."""

import numpy as np
import pytest

from deepfake_tfdata.model.cuts import features_of_maps, last_maps
from deepfake_tfdata.model.detector import build_detector
from deepfake_tfdata.model.halves import feature_extractor


# ConvNeXt normalizes what it averages, and ends with a sum that is no layer.
@pytest.mark.parametrize(("backbone", "size", "channels"), [("convnext_tiny", 32, 768), ("meso4", 64, 16)])
def test_the_last_map_is_what_the_backbone_averages(backbone, size, channels):
    detector = build_detector(backbone, "control", 2, size, "none", lstm_units=2)
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, size, size, 3), np.uint8)
    maps = last_maps(detector)([frames])
    (last,) = maps if isinstance(maps, list) else [maps]
    assert last.shape == (1, 2, size // 32, size // 32, channels)
    features = features_of_maps(detector)([last])
    np.testing.assert_allclose(features[0], feature_extractor(detector)([frames])[0], rtol=1e-4, atol=1e-5)
