"""Every backbone takes raw pixels and computes what keras.applications does after its preprocessing."""

import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.options import BACKBONES
from tests.model.networks import FRAME_SIZE, IMAGENET_MEAN, IMAGENET_STDDEV, settle_batch_norm

# The least size that keras.applications lets Xception have.
XCEPTION_SIZE = 71


def features_of(model, images):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(images)))


def standardized(images):
    return (images / 255 - IMAGENET_MEAN) / IMAGENET_STDDEV


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("efficientnet_b0", standardized),
        ("efficientnet_v2_b0", standardized),
        ("convnext_tiny", standardized),
        ("mobilenet_v3_small", lambda images: images / 127.5 - 1),
        ("xception", lambda images: images / 127.5 - 1),
        ("efficientnet_lite0", lambda images: (images - 127) / 128),
        ("meso4", lambda images: images / 255),
    ],
)
def test_preprocessing_is_inside_and_in_float32(name, expected, policy, images):
    keras.config.set_dtype_policy(policy)
    backbone = build_backbone(name, FRAME_SIZE, "none")
    preprocessing = [
        layer
        for layer in backbone.layers
        if isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)
    ]
    scaled = features_of(keras.Model(backbone.input, preprocessing[-1].output), images)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected(images.astype(np.float64)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "constructor", "module", "size"),
    [
        ("efficientnet_b0", "EfficientNetB0", "efficientnet", FRAME_SIZE),
        ("efficientnet_v2_b0", "EfficientNetV2B0", "efficientnet_v2", FRAME_SIZE),
        ("convnext_tiny", "ConvNeXtTiny", "convnext", 32),
        ("mobilenet_v3_small", "MobileNetV3Small", "mobilenet_v3", FRAME_SIZE),
        ("xception", "Xception", "xception", XCEPTION_SIZE),
    ],
)
def test_features_equal_the_application_behind_its_preprocess_input(name, constructor, module, size, rng):
    images = rng.integers(0, 256, (2, size, size, 3), np.uint8)
    backbone = build_backbone(name, size, "none")
    settle_batch_norm(backbone, images)
    application = getattr(keras.applications, constructor)(
        weights=None, include_top=False, input_shape=(size, size, 3), pooling="avg"
    )
    application.set_weights(backbone.get_weights())
    for layer in application.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    preprocess_input = getattr(keras.applications, module).preprocess_input
    expected = features_of(application, preprocess_input(images.astype(np.float32)))
    np.testing.assert_allclose(features_of(backbone, images), expected, atol=1e-4)


@pytest.mark.slow
def test_imagenet_weights_compute_the_same_as_in_keras_own_graph(monkeypatch, published_file, images):
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: str(published_file))
    genuine = keras.applications.EfficientNetB0(
        weights="imagenet", include_top=False, input_shape=(FRAME_SIZE, FRAME_SIZE, 3), pooling="avg"
    )
    backbone = build_backbone("efficientnet_b0", FRAME_SIZE, "imagenet")
    expected = features_of(genuine, images)
    np.testing.assert_allclose(features_of(backbone, images), expected, atol=1e-3)

    count = [
        sum(isinstance(layer, keras.layers.Rescaling) for layer in m.layers) for m in (genuine, backbone)
    ]
    assert count == [2, 1]


@pytest.mark.slow
def test_published_file_computes_the_same_as_imagenet(monkeypatch, published_file, images):
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **kwargs: str(published_file))
    expected = features_of(build_backbone("efficientnet_b0", FRAME_SIZE, "imagenet"), images)
    from_file = build_backbone("efficientnet_b0", FRAME_SIZE, published_file)
    np.testing.assert_allclose(features_of(from_file, images), expected, atol=1e-3)

    # The trap itself: Keras loads the file into the graph without the second Rescaling and says nothing.
    trapped = keras.applications.EfficientNetB0(
        weights=str(published_file), include_top=False, input_shape=(FRAME_SIZE, FRAME_SIZE, 3), pooling="avg"
    )
    assert abs(features_of(trapped, images) - expected).max() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("frame_size", [32, 33, 100])
@pytest.mark.parametrize("name", ["meso4", "xception"])
def test_any_frame_size_from_32(name, frame_size, rng):
    backbone = build_backbone(name, frame_size, "none")
    images = rng.integers(0, 256, (2, frame_size, frame_size, 3), np.uint8)
    assert features_of(backbone, images).shape == (2, {"meso4": 16, "xception": 2048}[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "convnext_tiny", "efficientnet_lite0"])
def test_a_saved_graph_loads_without_custom_objects(name):
    backbone = build_backbone(name, FRAME_SIZE, "none")
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(backbone))
    assert loaded.count_params() == backbone.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "convnext_tiny"])
def test_half_precision_holds_in_training(name):
    keras.config.set_dtype_policy("mixed_float16")
    backbone = build_backbone(name, 32, "none")
    features = backbone(np.zeros((1, 32, 32, 3), np.uint8), training=True)
    assert keras.backend.standardize_dtype(features.dtype) == "float16"
    assert np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(features, "float32"))).all()


def test_meso4_has_the_trunk_of_the_paper():
    backbone = build_backbone("meso4", 256, "none")
    assert backbone.get_layer("block4_pool").output.shape == (None, 8, 8, 16)
    # The paper counts 27,977 trainable parameters; its two dense layers, which we leave out, hold these.
    dense = (8 * 8 * 16 * 16 + 16) + (16 + 1)
    assert sum(keras.ops.size(weight) for weight in backbone.trainable_weights) == 27_977 - dense


def test_unknown_backbone_is_refused_with_the_list():
    with pytest.raises(UserError, match=r"--backbone=resnet.*meso4") as error:
        build_backbone("resnet", 64, "none")
    assert all(name in str(error.value) for name in BACKBONES)


def test_small_frames_are_refused():
    with pytest.raises(UserError, match=r"--frame_size=31 .* 32"):
        build_backbone("meso4", 31, "none")


def test_meso4_has_no_imagenet_weights():
    with pytest.raises(UserError, match="--weights=none"):
        build_backbone("meso4", 64, "imagenet")


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure",
    [
        Exception("URL fetch failure on https://host/file.h5: None -- [Errno -2] Name or service not known"),
        ConnectionResetError("Connection reset by peer"),
        ValueError("Incomplete or corrupted file detected. The md5 file hash does not match."),
    ],
)
def test_failed_download_is_one_line_that_says_what_to_do(monkeypatch, failure):
    def get_file(*args, **kwargs):
        raise failure

    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(UserError, match=r"--weights=none.*--weights=FILE") as error:
        build_backbone("mobilenet_v3_small", FRAME_SIZE, "imagenet")
    assert "\n" not in str(error.value)


def test_other_errors_of_the_application_are_not_hidden(monkeypatch):
    def get_file(*args, **kwargs):
        raise ValueError("a bug")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    with pytest.raises(ValueError, match="a bug"):
        build_backbone("mobilenet_v3_small", FRAME_SIZE, "imagenet")
