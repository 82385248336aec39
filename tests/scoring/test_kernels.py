"""The fast kernels compute what Keras does."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfake_tfdata.scoring.clip_scores import make_predict
from deepfake_tfdata.scoring.kernels import use_fast_kernels

IMAGES = np.random.default_rng(0).normal(1.0, 2.0, (3, 6, 6, 4)).astype(np.float32)
LABELS = np.random.default_rng(1).normal(size=(3, 6)).astype(np.float32)


def small_model():
    """A model in a model, with every kind of layer that is called otherwise."""
    images = keras.Input((6, 6, 4))
    x = keras.layers.Conv2D(8, 1, use_bias=False)(images)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    x = keras.layers.Activation("silu")(x)
    x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = keras.layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ZeroPadding2D(((2, 0), (1, 1)))(x)  # not what "same" would add
    x = keras.layers.Conv2D(8, 3, strides=2, bias_initializer="random_normal")(x)
    x = keras.layers.BatchNormalization(scale=False)(x)
    x = keras.layers.Conv2D(6, 1, activation="silu")(x)
    x = keras.layers.BatchNormalization(center=False)(x)
    inner = keras.Model(images, x)
    outer = keras.Input((6, 6, 4))
    return keras.Model(outer, keras.layers.GlobalAveragePooling2D(dtype="float32")(inner(outer)))


def both_models():
    keras.utils.set_random_seed(0)
    plain, fast = small_model(), small_model()
    for layer in [
        each for each in plain._flatten_layers() if isinstance(each, keras.layers.BatchNormalization)
    ]:
        layer.moving_mean.assign(np.random.normal(size=layer.moving_mean.shape))
        layer.moving_variance.assign(np.random.uniform(0.5, 2, layer.moving_variance.shape))
    fast.set_weights(plain.get_weights())
    use_fast_kernels(fast)
    return plain, fast


def one_step(model):
    """Output and gradients of a step; it moves the statistics."""

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            outputs = model(IMAGES, training=True)
            loss = tf.reduce_mean((outputs - LABELS) ** 2)
        return outputs, tape.gradient(loss, model.trainable_variables)

    outputs, gradients = step()
    return [np.asarray(tf.cast(each, tf.float32)) for each in (outputs, *gradients)]


def operations_of(model, training):
    """The types of the operations that the output depends on; a graph runs no others."""
    graph = tf.function(lambda x: model(x, training=training)).get_concrete_function(IMAGES).graph
    needed, found = [output.op for output in graph.outputs], {}
    while needed:
        operation = needed.pop()
        if operation.name not in found:
            found[operation.name] = operation.type
            needed += [each.op for each in operation.inputs]
    return list(found.values())


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("float32", 1e-5), ("mixed_float16", 1e-2), ("mixed_bfloat16", 6e-2)]
)
def test_they_compute_what_keras_does(policy, tolerance):
    keras.config.set_dtype_policy(policy)
    try:
        plain, fast = both_models()
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(fast(IMAGES), plain(IMAGES), rtol=tolerance, atol=tolerance)
    for found, expected in zip(one_step(fast), one_step(plain), strict=True):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    for found, expected in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


# What infers has one of them left: an activation stands between it and its convolution.
@pytest.mark.parametrize(("training", "normalizations"), [(False, 1), (True, 4)])
def test_they_are_what_runs(training, normalizations):
    plain, fast = both_models()
    assert "FusedBatchNormV3" not in operations_of(plain, training)
    operations = operations_of(fast, training)
    assert operations.count("FusedBatchNormV3") == normalizations
    assert operations.count("Conv2D") == 1  # of 3x3
    assert operations.count("DepthwiseConv2dNative") == 1
    assert operations.count("Pad") == 1
    assert (
        operations.count("SoftplusGrad") == operations.count("Sigmoid") == 1
    )  # of a layer, and of a convolution


@given(
    size=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    zeros=st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2),
    kernel=st.integers(1, 3),
    strides=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]),
    depthwise=st.booleans(),
)
@settings(max_examples=60)
def test_zeros_around_a_map_are_the_same_whoever_adds_them(size, zeros, kernel, strides, padding, depthwise):
    images = IMAGES[:1, :1, :1] + np.arange(np.prod(size) * 4, dtype=np.float32).reshape(1, *size, 4)
    kind = keras.layers.DepthwiseConv2D if depthwise else partial(keras.layers.Conv2D, 2)
    model = keras.Sequential(
        [
            keras.Input((*size, 4)),
            keras.layers.ZeroPadding2D(zeros),
            kind(kernel_size=kernel, strides=strides, padding=padding),
        ]
    )
    expected = model(images)
    use_fast_kernels(model)
    np.testing.assert_allclose(model(images), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_large_activations_are_finite_and_so_are_their_gradients(dtype):
    model = keras.Sequential([keras.Input((5,)), keras.layers.Activation("silu", dtype=dtype)])
    use_fast_kernels(model)
    inputs = tf.constant([[-30000.0, -100.0, 0.0, 100.0, 30000.0]])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs)
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), [[0, 0, 0, 100, 30000]], rtol=0.01)
    np.testing.assert_array_equal(tape.gradient(outputs, inputs), [[0, 0, 0.5, 1, 1]])


def test_frozen_statistics_stay():
    _, fast = both_models()
    before = fast.get_weights()
    fast.trainable = False
    np.testing.assert_allclose(fast(IMAGES, training=True), fast(IMAGES), rtol=1e-6)
    assert all(map(np.array_equal, fast.get_weights(), before))


def test_synchronized_statistics_and_double_precision_are_left_to_keras():
    _, fast = both_models()
    for layer in fast._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    assert "FusedBatchNormV3" not in operations_of(fast, training=True)
    assert "FusedBatchNormV3" in operations_of(fast, training=False)
    double = keras.Sequential([keras.Input((6, 6, 4)), keras.layers.BatchNormalization(dtype="float64")])
    use_fast_kernels(double)
    assert double(IMAGES.astype(np.float64)).dtype == tf.float64


def test_a_saved_model_is_the_same(tmp_path):
    plain, fast = both_models()
    use_fast_kernels(fast)  # once more changes nothing
    fast.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert [type(layer) for layer in loaded._flatten_layers()] == [
        type(each) for each in plain._flatten_layers()
    ]
    np.testing.assert_allclose(loaded(IMAGES), plain(IMAGES), rtol=1e-5, atol=1e-5)


def test_what_was_traced_follows_the_weights():
    plain, fast = both_models()
    predict = make_predict(fast, tf.distribute.OneDeviceStrategy("CPU:0"))
    before = predict(IMAGES)()[0]
    for model in (plain, fast):
        model.set_weights([1.5 * each for each in model.get_weights()])
    np.testing.assert_allclose(predict(IMAGES)()[0], plain(IMAGES), rtol=1e-4, atol=1e-4)
    assert np.abs(predict(IMAGES)()[0] - before).max() > 0.1


def test_what_scores_calls_them():
    plain, _ = both_models()
    make_predict(plain, tf.distribute.OneDeviceStrategy("CPU:0"))
    assert "FusedBatchNormV3" in operations_of(plain, training=False)


def test_on_a_gpu_convolutions_stay_convolutions(monkeypatch):
    devices = [tf.config.LogicalDevice(f"{kind}:0", kind) for kind in ("CPU", "GPU")]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: devices)
    model = small_model()
    use_fast_kernels(model)
    operations = operations_of(model, training=False)
    assert (operations.count("Conv2D"), operations.count("Pad"), operations.count("FusedBatchNormV3")) == (
        3,
        2,
        4,
    )
