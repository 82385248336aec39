import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.training.optimization import build_optimizer, scaled_learning_rate
from deepfake_tfdata.training.options import OptimizerOptions, StepOptions
from deepfake_tfdata.training.rematerialization import segments
from deepfake_tfdata.training.replicas import give_replicas_their_own_dropout
from deepfake_tfdata.training.step import make_train_steps
from tests.processes import run

PLAIN = {"learning_rate": 1e-3, "weight_decay": 0.0}
FRAMES = np.random.default_rng(0).integers(0, 256, (4, 2, 32, 32, 3), np.uint8)
LABELS = np.array([0, 1, 1, 0])
ONE_DEVICE = tf.distribute.OneDeviceStrategy("/CPU:0")


def trained_weights(accumulation, calls=(2,)):
    keras.utils.set_random_seed(0)
    model = build_detector("meso4", "attention", 2, 32, "none", lstm_units=4, dropout=0)
    # A part's own statistics are what accumulation can't keep; frozen, the two must agree.
    model.get_layer("backbone").trainable = False
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    train_steps = make_train_steps(model, optimizer, ONE_DEVICE, 4, StepOptions(accumulation=accumulation))
    batches = tf.data.Dataset.from_tensors((FRAMES, LABELS)).repeat()
    batches = iter(ONE_DEVICE.experimental_distribute_dataset(batches))
    losses = np.concatenate([train_steps(batches, count)[:, 0] for count in calls])
    return losses, model.get_weights()


@pytest.mark.slow
def test_a_batch_in_parts_gives_the_gradients_of_the_whole():
    (losses, weights), (losses_in_parts, weights_in_parts) = trained_weights(1), trained_weights(2)
    assert losses_in_parts == pytest.approx(losses, rel=1e-5)
    for whole, parts in zip(weights, weights_in_parts, strict=True):
        np.testing.assert_allclose(parts, whole, atol=1e-6)


@pytest.mark.slow
def test_steps_are_the_same_in_however_many_calls():
    (losses, weights), (losses_in_calls, weights_in_calls) = (
        trained_weights(1, calls) for calls in ((1, 1, 1, 1, 1, 1), (4, 2))
    )
    assert len(set(losses)) == 6
    assert losses_in_calls == pytest.approx(losses, rel=1e-6)
    for one, several in zip(weights, weights_in_calls, strict=True):
        np.testing.assert_allclose(several, one, atol=1e-6)


def test_replicas_drop_different_units():
    cpu = tf.config.list_logical_devices("CPU")[0].name
    strategy = tf.distribute.MirroredStrategy([cpu])
    masks = {}
    for replica in (0, 1):
        with strategy.scope():
            model = keras.Sequential([keras.Input((1000,)), keras.layers.Dropout(0.5, seed=3)])
            give_replicas_their_own_dropout(model)

        def mask(model=model, replica=replica):
            # One device stands in for two by its replica number.
            with FakeReplica(replica):
                return model(tf.ones((1, 1000)), training=True)

        masks[replica] = mask().numpy()
    assert 0.3 < np.mean(masks[0] != masks[1]) < 0.7


class FakeReplica:
    """Makes TensorFlow report a replica number."""

    def __init__(self, number):
        self.replica_id_in_sync_group = number

    def __enter__(self):
        self.original = tf.distribute.get_replica_context
        tf.distribute.get_replica_context = lambda: self

    def __exit__(self, *_):
        tf.distribute.get_replica_context = self.original


def test_the_learning_rate_grows_with_the_root_of_the_batch():
    assert scaled_learning_rate(1e-4, 16) == 1e-4
    assert scaled_learning_rate(1e-4, 64) == pytest.approx(2e-4)


def test_warm_up_and_cosine():
    config = OptimizerOptions(**{**PLAIN, "schedule": "cosine", "warmup_epochs": 1})
    optimizer = build_optimizer(config, 16, steps_per_epoch=10, epochs=5, loss_scaling=False)
    schedule = optimizer._learning_rate
    rates = [float(schedule(step)) for step in range(51)]
    assert rates[0] == 0
    assert max(rates) == rates[10] == pytest.approx(1e-3)
    assert rates[5] == pytest.approx(5e-4)
    assert rates[30] == pytest.approx(5e-4)
    assert rates[50] == pytest.approx(0, abs=1e-9)
    constant = build_optimizer(
        OptimizerOptions(**{**PLAIN, "warmup_epochs": 1}),
        16,
        steps_per_epoch=10,
        epochs=5,
        loss_scaling=False,
    )
    assert float(constant._learning_rate(40)) == pytest.approx(1e-3)


@pytest.fixture(scope="module")
def on_replicas():
    """What single steps on two replicas came to."""
    result = run("tests.training.step_on_replicas")
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


def test_an_overflow_on_one_replica_skips_the_step_on_all(on_replicas):
    assert on_replicas["skipped"] == on_replicas["before"]
    assert on_replicas["scale"] == [[4.0], [4.0]]
    first, second = on_replicas["after"]
    assert first == second != on_replicas["before"][0]
    assert np.isfinite(first).all()


def test_gradients_are_cut_after_replicas_are_summed(on_replicas):
    assert on_replicas["update"] == pytest.approx([0.5, 0.5], rel=1e-5)


def test_a_trainer_gives_replicas_their_own_dropout(on_replicas):
    assert 0.3 < on_replicas["dropped_apart"] < 0.7


def test_replicas_that_normalize_apart_share_the_mean_of_their_statistics(on_replicas):
    plain, compiled = on_replicas["apart"]
    # Two steps with a momentum of one half, from a mean of 0 and a variance of 1.
    for result in (plain, compiled):
        assert result["statistics"] == [[[0.75 * 4]] * 2, [[0.25 + 0.75 * 17]] * 2]
    assert len(set(plain["losses"])) == 2


def test_replicas_take_the_same_steps_compiled(on_replicas):
    plain, compiled = on_replicas["apart"]
    assert compiled["losses"] == pytest.approx(plain["losses"], rel=1e-5)


def test_a_compiled_step_leaves_cudnn_out(monkeypatch):
    def losses(jit_compile):
        keras.utils.set_random_seed(0)
        lstm = keras.layers.Bidirectional(keras.layers.LSTM(2))
        model = keras.Sequential([keras.Input((3, 1)), lstm, keras.layers.Dense(1), keras.layers.Reshape(())])
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(model.trainable_variables)
        options = StepOptions(jit_compile=jit_compile)
        train_steps = make_train_steps(model, optimizer, ONE_DEVICE, 2, options)
        batch = tf.data.Dataset.from_tensors((np.ones((2, 3, 1), np.float32), [0, 1]))
        reports = train_steps(iter(ONE_DEVICE.experimental_distribute_dataset(batch)), 1)
        assert lstm.forward_layer.use_cudnn == "auto"
        return reports[:, 0]

    plain = losses(jit_compile=False)
    # As on a GPU, Keras now asks for an operation that XLA doesn't have, nor a CPU.
    backend = sys.modules["keras.src.backend.tensorflow.rnn"]  # the package has a function of that name, too
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    with pytest.raises(tf.errors.OpError, match="CudnnRNNV3"):
        losses(jit_compile=False)
    assert losses(jit_compile=True) == pytest.approx(plain, rel=1e-5)


def small_backbone():
    """Two blocks, one of them residual, with all that a segment could get wrong."""
    x = images = keras.Input((8, 8, 3), dtype="uint8", name="images")
    x = keras.layers.Rescaling(1 / 255, dtype="float32")(x)
    for residual in (False, True):
        wide = keras.layers.Conv2D(64, 1)(x)
        wide = keras.layers.BatchNormalization(momentum=0.5)(wide)
        wide = keras.layers.Activation("relu")(wide)
        wide = keras.layers.Dropout(0.5, noise_shape=(None, 1, 1, None))(wide)
        narrow = keras.layers.Conv2D(4, 3, padding="same")(wide)
        x = keras.layers.Add()([x, narrow]) if residual else narrow
    return keras.Model(images, keras.layers.GlobalAveragePooling2D()(x), name="backbone")


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
        batches = tf.data.Dataset.from_tensors((FRAMES[:, :, :8, :8], LABELS)).repeat()
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
