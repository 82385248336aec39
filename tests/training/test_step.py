import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.training.optimization import FusedAdam, build_optimizer, scaled_learning_rate
from deepfake_tfdata.training.options import OptimizerOptions, StepOptions
from deepfake_tfdata.training.replicas import give_replicas_their_own_dropout
from deepfake_tfdata.training.step import make_train_steps

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


@pytest.mark.parametrize(
    ("warmup_epochs", "rates"),
    [(0, [1, (1 + 0.5**0.5) / 2, 0.5, 0]), (4, [0, 0.25, 0.5, 1]), (8, [0, 0.125, 0.25, 0.5])],
)
def test_a_cosine_begins_at_the_rate_and_a_warm_up_may_be_as_long_as_the_run(warmup_epochs, rates):
    config = OptimizerOptions(**{**PLAIN, "schedule": "cosine", "warmup_epochs": warmup_epochs})
    optimizer = build_optimizer(config, 16, steps_per_epoch=10, epochs=4, loss_scaling=False)
    found = [float(optimizer._learning_rate(step)) for step in (0, 10, 20, 40)]
    assert found == pytest.approx([1e-3 * rate for rate in rates], abs=1e-9)


@pytest.mark.parametrize("loss_scaling", [False, True])
def test_gradients_are_cut_to_the_norm_that_is_asked_for(loss_scaling):
    def first_moment(clip_norm):
        optimizer = build_optimizer(OptimizerOptions(clip_norm=clip_norm), 16, 10, 5, loss_scaling)
        variable = keras.Variable(np.zeros(2, np.float32))
        optimizer.build([variable])
        optimizer.apply([optimizer.scale_loss(tf.constant([3.0, 4.0]))])
        return np.asarray(getattr(optimizer, "inner_optimizer", optimizer)._momentums[0])

    np.testing.assert_allclose(first_moment(0.0), [0.3, 0.4], rtol=1e-5)
    np.testing.assert_allclose(first_moment(1.0), [0.06, 0.08], rtol=1e-5)
    np.testing.assert_allclose(first_moment(9.0), [0.3, 0.4], rtol=1e-5)


def test_a_scaled_loss_makes_the_same_step():
    def step(wrap):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), keras.layers.Reshape(())])
        optimizer = wrap(keras.optimizers.SGD(0.1))
        optimizer.build(model.trainable_variables)
        batch = tf.data.Dataset.from_tensors((np.eye(4, 3, dtype=np.float32), LABELS))
        batches = iter(ONE_DEVICE.experimental_distribute_dataset(batch))
        ((loss, rate, _),) = make_train_steps(model, optimizer, ONE_DEVICE, 4, StepOptions())(batches, 1)
        assert rate == pytest.approx(0.1)
        return [loss], *model.get_weights()

    plain, scaled = step(lambda inner: inner), step(keras.optimizers.LossScaleOptimizer)
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5)


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


def test_fused_adam_makes_keras_steps():
    assert type(build_optimizer(OptimizerOptions(), 16, 10, 5, loss_scaling=False)) is FusedAdam

    def weights(optimizer):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        optimizer.build(model.trainable_variables)
        for step in range(4):
            optimizer.apply([tf.fill(each.shape, 0.1 * step - 0.15) for each in model.trainable_variables])
        return np.concatenate([each.reshape(-1) for each in model.get_weights()])

    options = {"learning_rate": 0.01, "weight_decay": 0.1, "global_clipnorm": 0.2}
    fused, plain = weights(FusedAdam(**options)), weights(keras.optimizers.Adam(**options))
    np.testing.assert_allclose(fused, plain, rtol=1e-5)


def test_what_trains_calls_the_fast_kernels():
    normalization = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((4, 4, 3)), normalization])
    make_train_steps(model, keras.optimizers.SGD(), ONE_DEVICE, 2, StepOptions())
    graph = (
        tf.function(lambda x: normalization(x, training=True))
        .get_concrete_function(tf.ones((2, 4, 4, 3)))
        .graph
    )
    assert "FusedBatchNormV3" in [operation.type for operation in graph.get_operations()]
