"""A backbone that computes its activations again learns as one that keeps them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.training.options import StepOptions
from deepfake_tfdata.training.rematerialization import segments
from deepfake_tfdata.training.step import make_train_steps
from tests.training.small_backbone import small_backbone

FRAMES = np.random.default_rng(0).integers(0, 256, (4, 2, 8, 8, 3), np.uint8)
LABELS = np.array([0, 1, 1, 0])
ONE_DEVICE = tf.distribute.OneDeviceStrategy("/CPU:0")


def test_a_backbone_is_cut_between_its_blocks():
    backbone = small_backbone()
    parts = segments(backbone)
    assert [part.output_shape[-1] for part in parts] == [3, 4, 4, 4]
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    features = images
    for part in parts:
        features = part(features)
    np.testing.assert_allclose(features, backbone(images), atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_rematerialized_steps_are_the_same(policy):
    def trained(rematerialize):
        keras.utils.set_random_seed(0)
        backbone = small_backbone()
        traced = Counted(backbone.get_layer(index=2))
        detector = assemble_detector(backbone, "control", 2, lstm_units=2, dropout=0)
        as_text = detector.to_json()
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(detector.trainable_variables)
        options = StepOptions(rematerialize=rematerialize)
        train_steps = make_train_steps(detector, optimizer, ONE_DEVICE, 4, options)
        traced.count = 0
        batches = tf.data.Dataset.from_tensors((FRAMES, LABELS)).repeat()
        losses = train_steps(iter(ONE_DEVICE.experimental_distribute_dataset(batches)), 3)[:, 0]
        assert detector.to_json() == as_text
        return losses, detector.get_weights(), traced.count

    keras.config.set_dtype_policy(policy)
    try:
        (losses, weights, calls), (same_losses, same_weights, more_calls) = trained(False), trained(True)
    finally:
        keras.config.set_dtype_policy("float32")
    assert more_calls == 2 * calls
    assert len(set(losses)) == 3
    assert same_losses == pytest.approx(losses, rel=1e-5 if policy == "float32" else 1e-3)
    for expected, found in zip(weights, same_weights, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5 if policy == "float32" else 1e-3)


class Counted:
    """Counts how often a layer is called."""

    def __init__(self, layer):
        self.count, self._call = 0, layer.call
        layer.call = self

    def __call__(self, *arguments, **options):
        self.count += 1
        return self._call(*arguments, **options)
