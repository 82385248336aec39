"""The assembled detector: shapes, types, frames folded rightly, saving, distribution, errors."""

import warnings

import keras
import numpy as np
import pytest

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.backbones import build_backbone
from deepfake_tfdata.model.detector import (
    build_detector,
    count_parameters,
    set_batch_norm_synchronized,
    weighs_frames,
    with_attention,
)
from deepfake_tfdata.model.heads import HEADS
from tests.processes import run

BATCH, NUM_FRAMES, FRAME_SIZE = 2, 3, 32


def meso4_detector(head="attention", **kwargs):
    return build_detector("meso4", head, NUM_FRAMES, FRAME_SIZE, "none", lstm_units=8, **kwargs)


@pytest.fixture
def frames(rng):
    shape = (BATCH, NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)
    return keras.ops.convert_to_tensor(rng.integers(0, 256, shape, np.uint8))


def numpy_of(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(
    ("policy", "backend", "dtype"),
    [
        ("mixed_bfloat16", "jax", "float32"),  # its call of cuDNN's LSTM knows no bfloat16
        ("mixed_bfloat16", "tensorflow", "bfloat16"),
        ("mixed_float16", "jax", "float16"),
    ],
)
def test_the_lstm_computes_in_what_the_backend_has(monkeypatch, policy, backend, dtype):
    keras.config.set_dtype_policy(policy)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    layer = meso4_detector("control").get_layer("temporal")
    assert {each.compute_dtype for each in (layer, layer.forward_layer, layer.backward_layer)} == {dtype}


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("head", HEADS)
def test_logits_and_weights_are_float32_whatever_the_policy(policy, head, frames):
    keras.config.set_dtype_policy(policy)
    detector = meso4_detector(head)
    assert detector.get_layer("backbone").get_layer("block1_conv").compute_dtype == policy.removeprefix(
        "mixed_"
    )
    logit = detector(frames)
    assert logit.shape == (BATCH,)
    assert keras.backend.standardize_dtype(logit.dtype) == "float32"
    assert weighs_frames(detector) == (head == "attention")
    if head != "attention":
        return
    same, weights = with_attention(detector)(frames)
    assert weights.shape == (BATCH, NUM_FRAMES)
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    np.testing.assert_allclose(numpy_of(weights).sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(numpy_of(same), numpy_of(logit), atol=1e-6)


@pytest.mark.slow
def test_the_default_is_the_experiment():
    detector = build_detector(weights="none")
    assert detector.inputs[0].shape == (None, 32, 224, 224, 3)
    assert detector.inputs[0].dtype == "uint8"
    assert detector.get_layer("backbone").output.shape == (None, 1280)
    assert count_parameters(detector)["backbone"] == 6_575_239


def test_a_dict_with_other_keys_is_an_input_too(frames):
    detector = meso4_detector()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = numpy_of(detector(frames))
        for batch in ({"frames": frames}, {"clip_id": keras.ops.zeros(BATCH), "frames": frames}):
            np.testing.assert_array_equal(numpy_of(detector(batch)), expected)


def test_attention_depends_on_the_frames(frames, rng):
    detector = meso4_detector()
    score = detector.get_layer("attention_score")
    score.set_weights([rng.normal(size=w.shape).astype(np.float32) * 10 for w in score.get_weights()])
    weights = numpy_of(with_attention(detector)(frames)[1])
    assert weights.std(axis=1).min() > 1e-4


def test_folding_equals_time_distributed(frames):
    def time_distributed(backbone, frames):
        return keras.layers.TimeDistributed(backbone)(frames)

    backbone = build_backbone("meso4", FRAME_SIZE, "none")
    folded = assemble_detector(backbone, "attention", NUM_FRAMES)
    distributed = assemble_detector(backbone, "attention", NUM_FRAMES, per_frame=time_distributed)
    distributed.set_weights(folded.get_weights())
    np.testing.assert_allclose(numpy_of(folded(frames)), numpy_of(distributed(frames)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["meso4", "efficientnet_b0"])
def test_saved_detector_loads_without_custom_objects(backbone, frames, tmp_path):
    detector = build_detector(backbone, "attention", NUM_FRAMES, FRAME_SIZE, "none", dropout=0.1)
    detector.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy_of(loaded({"frames": frames})), numpy_of(detector(frames)), atol=1e-6)
    assert count_parameters(loaded) == count_parameters(detector)
    assert with_attention(loaded)(frames)[1].shape == (BATCH, NUM_FRAMES)


def test_a_saved_detector_names_nothing_of_ours():
    assert "deepfake_tfdata" not in meso4_detector().to_json()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_drops_in_training_only(frames, dropout):
    detector = build_detector(
        "meso4", "control", NUM_FRAMES, FRAME_SIZE, "none", lstm_units=4, dropout=dropout
    )
    detector.get_layer("backbone").trainable = False  # so that BatchNormalization is as in inference
    first, second = (numpy_of(detector(frames, training=True)) for _ in range(2))
    assert np.array_equal(first, second) == (dropout == 0)
    np.testing.assert_array_equal(numpy_of(detector(frames)), numpy_of(detector(frames)))


def test_synchronized_reaches_nested_batch_norm():
    detector = meso4_detector()
    layers = [
        layer
        for layer in detector.get_layer("backbone").layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert len(layers) == 4
    for synchronized in (True, False):
        set_batch_norm_synchronized(detector, synchronized)
        assert all(layer.synchronized is synchronized for layer in layers)


def test_parameters_are_counted_by_part():
    control, attention = count_parameters(meso4_detector("control")), count_parameters(meso4_detector())
    assert attention["head"] - control["head"] == 2 * 8 + 1
    assert attention["total"] == attention["backbone"] + attention["temporal"] + attention["head"]
    batch_norm_statistics = 2 * (8 + 8 + 16 + 16)
    assert attention["total"] - attention["trainable"] == batch_norm_statistics


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's")
def test_builds_under_two_replicas():
    result = run("tests.model.build_under_two_replicas")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "max_pool"}, r"--head=max_pool .*attention, control"),
        ({"num_frames": 0}, r"num_frames=0 .* 1 or more"),
        ({"frame_size": 16}, r"--frame_size=16 .* 32 or more"),
        ({"backbone": "vgg"}, r"--backbone=vgg .*efficientnet_b1"),
        ({"dropout": 1.0}, r"--dropout=1.0 .*0 to below 1"),
        ({"lstm_units": 0}, r"--lstm_units=0 .*1 or more"),
        ({"weights": "no/such/file.keras"}, r"--weights=no/such/file.keras .*imagenet, none or a file"),
    ],
)
def test_mistakes_name_the_value_and_what_is_allowed(arguments, message):
    with pytest.raises(UserError, match=message):
        build_detector(**{"backbone": "meso4", "frame_size": 32, "weights": "none", **arguments})
