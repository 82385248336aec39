import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.training.stages import Stage, set_trainable, stage_at


def stage(first_epoch=0, frozen=False, top_layers=0):
    return Stage(first_epoch, frozen, top_layers, keras.optimizers.SGD())


@pytest.fixture(scope="module")
def detector():
    return build_detector("meso4", "control", 2, 32, "none", lstm_units=4)


def test_an_epoch_belongs_to_the_last_stage_that_has_begun():
    stages = [stage(0), stage(3)]
    assert [stage_at(stages, epoch) is stages[1] for epoch in range(5)] == [False, False, False, True, True]


def test_a_frozen_backbone_keeps_its_weights_and_statistics(detector):
    set_trainable(detector, stage(frozen=True))
    backbone = detector.get_layer("backbone")
    before = backbone.get_weights()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(detector(tf.zeros((2, 2, 32, 32, 3), tf.uint8), training=True))
    gradients = tape.gradient(loss, detector.trainable_variables)
    keras.optimizers.SGD(1.0).apply(gradients, detector.trainable_variables)
    assert not backbone.trainable_variables
    assert detector.trainable_variables
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_top_learns_without_its_batch_normalization(detector):
    set_trainable(detector, stage(top_layers=4))
    backbone = detector.get_layer("backbone")
    names = {variable.path.split("/")[-2] for variable in backbone.trainable_variables}
    assert names == {"block4_conv"}
    set_trainable(detector, stage())
    assert len(backbone.trainable_variables) == 16


@pytest.mark.slow
def test_a_frozen_backbone_with_stochastic_depth_gives_the_same_features_twice():
    detector = build_detector("efficientnet_b0", "control", 2, 32, "none", lstm_units=4)
    backbone = detector.get_layer("backbone")
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    set_trainable(detector, stage(frozen=True))
    first, second = (np.asarray(backbone(frames, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, np.asarray(backbone(frames, training=False)), atol=1e-6)
    set_trainable(detector, stage())
    assert any(getattr(layer, "rate", 0) > 0 for layer in backbone.layers)
