"""The moving average of a model's weights, which is steadier than the last of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from deepfake_tfdata.training.variable_names import model_variables


class WeightAverage:
    """The moving average of a model's weights over the steps of a run, whatever optimizer makes them.

    The n-th update, from 0, has the momentum min(momentum, (1 + n) / (10 + n)), as that of
    `tf.train.ExponentialMovingAverage` with num_updates: without it the initial weights would count for most
    of the average until 1 / (1 - momentum) steps are made.

    The statistics of BatchNormalization are averaged with the same momentum. They belong to the weights they
    were gathered with: the last ones would fit activations that the averaged weights don't give.

    Args:
        model: built in the strategy's scope; its weights are where the average begins.
        momentum: 0 to below 1.
        strategy: what it runs on.
    """

    def __init__(self, model: keras.Model, momentum: float, strategy: tf.distribute.Strategy) -> None:
        self._momentum, self._strategy = momentum, strategy
        self._weights = {
            name: variable for name, variable in model_variables(model).items() if "float" in variable.dtype
        }
        with strategy.scope():
            self._updates = keras.Variable(
                0, dtype="int64", trainable=False, aggregation="only_first_replica", name="updates"
            )
            self._averages = {
                name: keras.Variable(np.asarray(weight), dtype=weight.dtype, trainable=False, name="average")
                for name, weight in self._weights.items()
            }

    @property
    def variables(self) -> dict[str, keras.Variable]:
        """All it keeps, by names that are the same in every process."""
        return {"updates": self._updates, **self._averages}

    def update(self, stepped: tf.Tensor) -> None:
        """Takes the weights in; to be called outside the replicas, in the compiled step as well.

        Args:
            stepped: bool, whether the optimizer made a step; it skips one whose gradients overflow.
        """
        done = tf.cast(self._updates.value, tf.float32)
        momentum = tf.minimum(self._momentum, (1.0 + done) / (10.0 + done))
        share = tf.where(stepped, 1.0 - momentum, 0.0)

        def move(average: tf.Variable, weight: tf.Variable) -> None:
            average.assign_add(tf.cast(share, average.dtype) * (weight - average))

        for name, average in self._averages.items():
            self._strategy.extended.update(
                average.value, move, args=(self._weights[name].value,), group=False
            )
        self._updates.assign_add(tf.cast(stepped, self._updates.dtype))

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Puts the average into the model while the block runs."""
        last = {name: np.asarray(weight) for name, weight in self._weights.items()}
        for name, weight in self._weights.items():
            weight.assign(np.asarray(self._averages[name]))
        try:
            yield
        finally:
            for name, weight in self._weights.items():
                weight.assign(last[name])
