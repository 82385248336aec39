"""The optimizer and its learning rate."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from deepfake_tfdata.training.options import REFERENCE_BATCH_SIZE, OptimizerOptions


def scaled_learning_rate(learning_rate: float, batch_size: int) -> float:
    """The rate for a batch.

    Adam's steps shrink with the gradients' noise, so its rate grows with the square root of the batch
    (Malladi et al. 2022, arXiv 2205.10287), not with the batch as stochastic gradient descent's does.
    """
    return learning_rate * (batch_size / REFERENCE_BATCH_SIZE) ** 0.5


def build_optimizer(
    options: OptimizerOptions, batch_size: int, steps_per_epoch: int, epochs: int, loss_scaling: bool
) -> keras.optimizers.Optimizer:
    """Builds AdamW as asked for.

    Args:
        options: of the optimizer.
        batch_size: clips a step, over all replicas.
        steps_per_epoch, epochs: how long the schedule is.
        loss_scaling: small gradients vanish in float16; scaling the loss keeps them.
    """
    # With a decay, Keras' Adam is AdamW; without one, AdamW would multiply every weight by 1.
    optimizer = FusedAdam(
        _learning_rate(options, batch_size, steps_per_epoch, epochs),
        weight_decay=options.weight_decay or None,
        global_clipnorm=options.clip_norm or None,
    )
    return keras.optimizers.LossScaleOptimizer(optimizer) if loss_scaling else optimizer


def build_for(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
    """Builds an optimizer, if it is not yet; to be called in the strategy's scope.

    Only kernels decay. What shifts and scales (biases, the gamma and beta of normalization, layer scales) and
    learned positions don't make a function more complex by being large, and towards zero is no better for
    them (He et al. 2019, arXiv 1812.01187, section 3.1).
    """
    if optimizer.built:
        return
    decaying = getattr(optimizer, "inner_optimizer", optimizer)
    decaying.exclude_from_weight_decay([each for each in variables if not each.name.endswith("kernel")])
    optimizer.build(variables)


def _learning_rate(
    options: OptimizerOptions, batch_size: int, steps_per_epoch: int, epochs: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    rate = scaled_learning_rate(options.learning_rate, batch_size)
    warmup = options.warmup_epochs * steps_per_epoch
    if options.schedule == "constant" and warmup == 0:
        return rate
    decay = max(1, epochs * steps_per_epoch - warmup)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else rate,
        decay_steps=decay,
        # alpha is where the cosine ends, as a share of its start: 1 keeps the rate constant.
        alpha=0.0 if options.schedule == "cosine" else 1.0,
        warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )


class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam in one operation of TensorFlow's a variable, where Keras makes twenty.

    With hundreds of variables, those are half of a step's graph, and of the time that its first call takes.
    """

    def _backend_update_step(
        self, grads: Sequence[tf.Tensor], trainable_variables: Sequence[Any], learning_rate: tf.Tensor
    ) -> None:
        """Moves variables and their two moments; called in a replica, with gradients that all of them share.

        There each replica can move its own copies. Keras would leave the replica for every variable.
        """
        step = tf.cast(self.iterations + 1, tf.float32)
        shared = {
            "beta1_power": tf.pow(self.beta_1, step),
            "beta2_power": tf.pow(self.beta_2, step),
            "lr": tf.cast(learning_rate, tf.float32),
            "beta1": tf.constant(self.beta_1),
            "beta2": tf.constant(self.beta_2),
            "epsilon": tf.constant(self.epsilon),
        }
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            index = self._get_variable_index(variable)
            moments = self._momentums[index], self._velocities[index]
            var, m, v = (each.value.handle for each in (variable, *moments))
            tf.raw_ops.ResourceApplyAdam(var=var, m=m, v=v, grad=gradient, use_locking=True, **shared)
