"""The moving average of the weights, by real steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_tfdata.training.averaging import WeightAverage
from deepfake_tfdata.training.optimization import build_for, build_optimizer
from deepfake_tfdata.training.options import OptimizerOptions, StepOptions
from deepfake_tfdata.training.step import make_train_steps

INPUTS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
LABELS = np.array([0, 1, 1, 0])
KERNEL = 4  # of the dense layer, among the weights


class Run:
    """Steps of a small model with BatchNormalization, and its average."""

    def __init__(self, momentum=0.9, loss_scaling=False, strategy=None):
        self.strategy = strategy or tf.distribute.OneDeviceStrategy("/CPU:0")
        keras.utils.set_random_seed(0)
        with self.strategy.scope():
            self.model = keras.Sequential(
                [
                    keras.Input((3,)),
                    keras.layers.BatchNormalization(),
                    keras.layers.Dense(1),
                    keras.layers.Reshape(()),
                ]
            )
            self.optimizer = build_optimizer(OptimizerOptions(learning_rate=0.1), 16, 10, 5, loss_scaling)
            build_for(self.optimizer, self.model.trainable_variables)
        self.average = WeightAverage(self.model, momentum, self.strategy)
        self.steps = make_train_steps(
            self.model, self.optimizer, self.strategy, 4, StepOptions(), self.average.update
        )

        batches = tf.data.Dataset.from_tensors((INPUTS, LABELS)).repeat()
        self.batches = iter(self.strategy.experimental_distribute_dataset(batches))

    def make(self, count):
        self.steps(self.batches, count)

    def weights(self):
        return [np.array(each) for each in self.model.weights]

    def averages(self):
        with self.average.swapped_in():
            return self.weights()


def test_the_average_warms_up_and_takes_the_statistics_along():
    run = Run(0.5)
    expected = run.weights()
    for step in range(8):
        run.make(1)
        # (1 + n) / (10 + n) is one half after the eighth.
        momentum = (1 + step) / (10 + step)
        expected = [
            momentum * average + (1 - momentum) * weight
            for average, weight in zip(expected, run.weights(), strict=True)
        ]
    run.make(1)
    expected = [(old + new) / 2 for old, new in zip(expected, run.weights(), strict=True)]
    assert len(expected) == 6  # BatchNormalization's moving mean and variance among them
    for average, value, weight in zip(run.averages(), expected, run.weights(), strict=True):
        np.testing.assert_allclose(average, value, rtol=1e-5, atol=1e-6)
        assert not np.allclose(average, weight, rtol=1e-3, atol=1e-4)


def test_early_averages_are_not_of_the_initial_weights():
    run = Run(0.999)
    initial = run.weights()[KERNEL]
    run.make(20)
    moved = np.abs(run.weights()[KERNEL] - initial)
    assert np.all(np.abs(run.averages()[KERNEL] - initial) > 0.3 * moved)


def test_steps_in_one_call_move_it_as_steps_in_several_do():
    one, several = Run(), Run()
    one.make(6)
    for count in (1, 2, 3):
        several.make(count)
    for a, b in zip(one.averages(), several.averages(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_step_that_the_loss_scale_skips_does_not_move_it():
    run = Run(loss_scaling=True)
    run.make(2)
    before, weights = run.averages(), run.weights()
    run.optimizer.dynamic_scale.assign(np.inf)
    run.make(1)
    np.testing.assert_array_equal(run.weights()[KERNEL], weights[KERNEL])
    for old, new in zip(before, run.averages(), strict=True):
        np.testing.assert_array_equal(new, old)
    run.optimizer.dynamic_scale.assign(1.0)
    run.make(1)
    # The skipped one isn't counted, so that this is the third: n = 2.
    expected = 3 / 12 * before[KERNEL] + 9 / 12 * run.weights()[KERNEL]
    np.testing.assert_allclose(run.averages()[KERNEL], expected, rtol=1e-5)
    assert not np.allclose(expected, before[KERNEL], rtol=1e-3)


def test_it_is_swapped_in_and_out_again_whatever_happens():
    run = Run()
    run.make(3)
    last = run.weights()
    with pytest.raises(KeyError), run.average.swapped_in():
        assert not np.array_equal(run.weights()[KERNEL], last[KERNEL])
        raise KeyError
    for old, new in zip(last, run.weights(), strict=True):
        np.testing.assert_array_equal(old, new)
