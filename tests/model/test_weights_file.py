"""A file of weights loads where it fits and is refused, by name, where it doesn't."""

import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.detector import build_detector

FRAME_SIZE = 32


def detector(head="attention", weights="none", backbone="meso4", num_frames=2, **kwargs):
    return build_detector(backbone, head, num_frames, FRAME_SIZE, weights, lstm_units=4, **kwargs)


def assert_same_weights(left, right):
    for a, b in zip(left.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_a_detector_file_fills_the_whole_detector(tmp_path, name):
    saved = detector()
    saved.save(tmp_path / name) if name.endswith(".keras") else saved.save_weights(tmp_path / name)
    assert_same_weights(detector(weights=tmp_path / name, num_frames=5), saved)


@pytest.mark.parametrize("name", ["backbone.keras", "backbone.weights.h5"])
def test_a_backbone_file_fills_the_backbone(tmp_path, name):
    saved = build_backbone("meso4", 64, "none")
    saved.save(tmp_path / name) if name.endswith(".keras") else saved.save_weights(tmp_path / name)
    assert_same_weights(detector(weights=tmp_path / name).get_layer("backbone"), saved)
    assert_same_weights(build_backbone("meso4", FRAME_SIZE, tmp_path / name), saved)


def test_the_state_of_an_optimizer_and_a_metric_is_no_obstacle(tmp_path, rng):
    saved = detector()
    metrics = [keras.metrics.AUC(from_logits=True)]
    saved.compile("adam", "binary_crossentropy", metrics=metrics, run_eagerly=True)
    saved.train_on_batch(rng.integers(0, 256, (2, 2, FRAME_SIZE, FRAME_SIZE, 3), np.uint8), np.array([0, 1]))
    saved.save(tmp_path / "model.keras")
    assert_same_weights(detector(weights=tmp_path / "model.keras"), saved)


@pytest.mark.slow
def test_a_published_file_fills_a_detectors_backbone(published_file):
    loaded = detector(backbone="efficientnet_b0", weights=published_file)
    expected = build_backbone("efficientnet_b0", FRAME_SIZE, published_file)
    assert_same_weights(loaded.get_layer("backbone"), expected)


@pytest.mark.slow
def test_keras_own_imagenet_graph_saved_by_hand_is_corrected(tmp_path, published_file):
    model = keras.applications.EfficientNetB0(weights=None, include_top=False, pooling="avg")
    model.load_weights(published_file)
    model.save_weights(tmp_path / "b0.weights.h5")
    loaded = build_backbone("efficientnet_b0", FRAME_SIZE, tmp_path / "b0.weights.h5")
    assert_same_weights(loaded, build_backbone("efficientnet_b0", FRAME_SIZE, published_file))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("saved", "wanted", "difference"),
    [
        (
            {"head": "attention"},
            {"head": "control"},
            r"classifier \[8, 1\] in the file and absent in the model",
        ),
        (
            {"head": "control"},
            {"head": "attention"},
            r"absent in the file and classifier \[8, 1\] in the model",
        ),
        ({"backbone": "meso4"}, {"backbone": "xception"}, "in the file and .* in the model"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_at_the_first_difference(tmp_path, saved, wanted, difference):
    path = tmp_path / "model.weights.h5"
    detector(**saved).save_weights(path)
    with pytest.raises(UserError, match=difference) as error:
        detector(**wanted, weights=path)
    assert str(path) in str(error.value)


@pytest.mark.slow
def test_a_published_file_of_another_network_is_refused(published_file):
    with pytest.raises(UserError, match=r"efficientnetb0_notop.h5 does not fit"):
        build_backbone("meso4", FRAME_SIZE, published_file)


@pytest.mark.parametrize("name", ["broken.keras", "broken.weights.h5", "broken.h5"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"not weights")
    with pytest.raises(UserError, match=name):
        build_backbone("meso4", FRAME_SIZE, tmp_path / name)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(UserError, match=r"model.onnx .*\.keras, \.weights\.h5 or \.h5"):
        build_backbone("meso4", FRAME_SIZE, tmp_path / "model.onnx")
