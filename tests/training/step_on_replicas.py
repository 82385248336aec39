"""Makes single steps on two logical CPU devices and prints, as JSON, what came of them. Run as a program."""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.model.assembly import assemble_detector
from deepfake_tfdata.model.detector import batch_norm_statistics, set_batch_norm_synchronized
from deepfake_tfdata.training.loop import Trainer
from deepfake_tfdata.training.options import LoopOptions, StepOptions
from deepfake_tfdata.training.stages import Stage
from deepfake_tfdata.training.step import make_train_steps
from deepfake_tfdata.training.step_plan import StepPlan
from tests.training.small_backbone import small_backbone

# Of four clips of two frames; the mean and the variance of the first two are 2 and 5, of the others 6 and 29.
APART = np.float32([[-1, 1], [3, 5], [-1, 3], [9, 13]])[..., np.newaxis]

CLIPS = np.random.default_rng(0).integers(0, 256, (4, 2, 8, 8, 3), np.uint8)


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one = tf.distribute.OneDeviceStrategy("CPU:0")
    results = {**overflow(two), **clipped(one, two), **dropped(two)}
    print(json.dumps({**results, "apart": apart(two), "rematerialized": rematerialized(two)}))


def overflow(strategy: tf.distribute.Strategy) -> dict:
    """After a step in which the second replica's gradients alone leave float16, and a good one."""
    with strategy.scope():
        model = small_model("mixed_float16")
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)
    bad = np.float32([[1], [1], [1e9], [1e9]])
    kernel = model.layers[-2].kernel
    before = of_replicas(strategy, kernel)
    steps = step(model, optimizer, strategy, [bad, np.ones_like(bad)])
    steps()
    skipped, scale = of_replicas(strategy, kernel), optimizer.dynamic_scale
    result = {"before": before, "skipped": skipped, "scale": of_replicas(strategy, scale)}
    steps()
    return {**result, "after": of_replicas(strategy, kernel)}


def clipped(*strategies: tf.distribute.Strategy) -> dict:
    """The length of an update with a rate of 1 whose gradients are cut to .5."""
    lengths = []
    for strategy in strategies:
        with strategy.scope():
            model = small_model("float32")
            optimizer = keras.optimizers.SGD(1.0, global_clipnorm=0.5)
        before = np.concatenate([weight.ravel() for weight in model.get_weights()])
        step(model, optimizer, strategy, [np.float32([[1e3], [2e3], [3e3], [4e3]])])()
        after = np.concatenate([weight.ravel() for weight in model.get_weights()])
        lengths.append(float(np.linalg.norm(after - before)))
    return {"update": lengths}


def dropped(strategy: tf.distribute.Strategy) -> dict:
    """The share of units that a trainer's replicas don't drop alike."""
    with strategy.scope():
        dropout = keras.layers.Dropout(0.5, seed=3)
        model = keras.Sequential([keras.Input((1000,)), dropout, keras.layers.Dense(1)])
        stage = Stage(0, False, 0, keras.optimizers.SGD())
    folder, plan = Path(tempfile.mkdtemp()), StepPlan(LoopOptions(), 1)
    Trainer(model, model, [stage], strategy, workdir=folder, plan=plan, batch_size=2, step=StepOptions())
    units = tf.ones((1, 1000))
    draw = tf.function(lambda: strategy.run(dropout, (units,), {"training": True}), autograph=False)
    first, second = strategy.experimental_local_results(draw())
    return {"dropped_apart": float(np.mean(first != second))}


def apart(strategy: tf.distribute.Strategy) -> list:
    """Losses and statistics of two steps without and with XLA, each replica normalizing by its own clips."""
    results = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            normalize = keras.layers.BatchNormalization(momentum=0.5)
            layers = [normalize, keras.layers.LSTM(3), keras.layers.Dense(1), keras.layers.Reshape(())]
            model = keras.Sequential([keras.Input((2, 1)), *layers])
            optimizer = keras.optimizers.SGD(0.1)
        options = StepOptions(jit_compile=jit_compile, sync_batch_norm=False)
        steps = step(model, optimizer, strategy, [APART, APART], options)
        losses = [float(steps()[0, 0]) for _ in range(2)]
        statistics = [normalize.moving_mean, normalize.moving_variance]
        results.append({"losses": losses, "statistics": [of_replicas(strategy, each) for each in statistics]})
    return results


def rematerialized(strategy: tf.distribute.Strategy) -> list:
    """Losses and statistics of two steps without and with it, normalizing by the clips of both replicas."""
    results = []
    for option in (False, True):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            detector = assemble_detector(small_backbone(), "control", 2, lstm_units=2)
            optimizer = keras.optimizers.SGD(0.1)
        set_batch_norm_synchronized(detector, True)
        steps = step(detector, optimizer, strategy, [CLIPS, CLIPS], StepOptions(rematerialize=option))
        losses = [float(steps()[0, 0]) for _ in range(2)]
        statistics = [of_replicas(strategy, each) for each in batch_norm_statistics(detector)]
        results.append({"losses": losses, "statistics": statistics})
    return results


def small_model(policy: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(1, dtype=policy)
    return keras.Sequential([keras.Input((1,)), dense, keras.layers.Reshape((), dtype="float32")])


def step(model, optimizer, strategy, batches, options=StepOptions()):  # noqa: B008
    """What makes the next of one step for each batch of four."""
    with strategy.scope():
        optimizer.build(model.trainable_variables)
    train_steps = make_train_steps(model, optimizer, strategy, 4, options)
    labels = np.array([0, 1, 0, 1])
    frames = tf.data.Dataset.from_tensor_slices(np.concatenate(batches)).batch(4)
    clips = iter(strategy.experimental_distribute_dataset(frames.map(lambda batch: (batch, labels))))
    return lambda: train_steps(clips, 1)


def of_replicas(strategy: tf.distribute.Strategy, variable: keras.Variable) -> list:
    return [value.numpy().ravel().tolist() for value in strategy.experimental_local_results(variable.value)]


if __name__ == "__main__":
    main()
