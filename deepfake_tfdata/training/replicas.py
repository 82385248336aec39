"""What the replicas of a strategy share, and what each has of its own."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf


def sum_over_replicas(gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The gradients of the whole batch, from each replica's of its part; to be called in a replica."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return list(gradients)
    summed: list[tf.Tensor] = context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))
    return summed


def leave_sum_to_caller(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes `apply` take gradients that are summed over replicas.

    Keras sums them itself, but after its finite check and after clipping, which then go by one replica's: an
    overflow on one replica reaches the weights, and two cut to a norm of 1 sum to up to 2.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    # Keras 3 has no public way, as tf.keras had in apply_gradients(skip_gradients_aggregation=True).
    inner._all_reduce_sum_gradients = list


def average_over_replicas(variables: Sequence[keras.Variable]) -> None:
    """Gives every replica the mean of all; to be called in a replica."""
    context = tf.distribute.get_replica_context()
    values = [tf.convert_to_tensor(variable.value) for variable in variables]
    means = context.all_reduce(tf.distribute.ReduceOp.MEAN, values)
    for variable, mean in zip(variables, means, strict=True):
        variable.assign(mean)


def give_replicas_their_own_dropout(model: keras.Model) -> None:
    """Folds the replica's number into every random layer's seed.

    Keras mirrors a seed like any other variable, so that all replicas would drop the same units and the batch
    would see fewer masks than it has parts.
    """
    for generator in _seed_generators(model):
        generator.next = _with_replica(generator.next)


def _with_replica(draw: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    def next_seed(*args: Any, **kwargs: Any) -> tf.Tensor:
        seed = draw(*args, **kwargs)
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group if context else 0
        # The first half of the seed is fixed, the second counts the draws: replicas differ in the first.
        return seed + tf.stack([tf.cast(replica, seed.dtype) * 7919, tf.zeros([], seed.dtype)])

    return next_seed


def _seed_generators(layer: keras.Layer) -> Iterator[keras.random.SeedGenerator]:
    yield from (value for value in vars(layer).values() if isinstance(value, keras.random.SeedGenerator))
    for child in layer._layers:
        yield from _seed_generators(child)
