"""What decays, by real steps whose gradients are zero."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata import build_detector
from deepfake_tfdata.training.optimization import build_for, build_optimizer
from deepfake_tfdata.training.options import LoopOptions, OptimizerOptions, StageOptions
from deepfake_tfdata.training.stages import plan_stages
from deepfake_tfdata.training.step_plan import StepPlan

RATE, DECAY = 0.1, 0.5


@pytest.fixture(scope="module")
def detector():
    """BatchNorm, LSTM, attention, LayerNorm and positions, all of ones."""
    model = build_detector("meso4", "transformer", 2, 32, "none", lstm_units=4)
    return model


def step_without_gradients(detector, optimizer):
    """The weights after it, by path, as shares of those before."""
    variables = detector.trainable_variables
    for variable in variables:
        variable.assign(tf.ones(variable.shape))
    build_for(optimizer, variables)
    optimizer.apply([tf.zeros(variable.shape) for variable in variables], variables)
    return {variable.path: np.asarray(variable) for variable in variables}


@pytest.mark.parametrize("loss_scaling", [False, True])
def test_kernels_shrink_by_rate_times_decay_and_nothing_else_does(detector, loss_scaling):
    options = OptimizerOptions(learning_rate=RATE, weight_decay=DECAY)
    after = step_without_gradients(detector, build_optimizer(options, 16, 10, 5, loss_scaling))
    decayed = {path for path, value in after.items() if not np.array_equal(value, np.ones_like(value))}
    assert decayed == {path for path in after if path.endswith("kernel")}
    for path in decayed:
        np.testing.assert_allclose(after[path], 1 - RATE * DECAY, rtol=1e-6)
    kept = {path.split("/")[-1] for path in after.keys() - decayed}
    assert kept == {"bias", "gamma", "beta", "embeddings"}
    assert any("lstm_cell/bias" in path for path in after.keys() - decayed)


def test_the_second_stages_optimizer_decays_alike(detector):
    options = OptimizerOptions(learning_rate=RATE, weight_decay=DECAY)
    stages = StageOptions(freeze_epochs=1, finetune_learning_rate=RATE / 2)
    _, second = plan_stages(stages, options, 16, StepPlan(LoopOptions(epochs=2), 3), loss_scaling=False)
    after = step_without_gradients(detector, second.optimizer)
    np.testing.assert_allclose(after["classifier/kernel"], 1 - RATE / 2 * DECAY, rtol=1e-6)
    np.testing.assert_array_equal(after["classifier/bias"], 1)


def test_nothing_decays_by_default(detector):
    after = step_without_gradients(detector, build_optimizer(OptimizerOptions(), 16, 10, 5, False))
    assert all(np.array_equal(value, np.ones_like(value)) for value in after.values())
    assert isinstance(build_optimizer(OptimizerOptions(), 16, 10, 5, False), keras.optimizers.Adam)
