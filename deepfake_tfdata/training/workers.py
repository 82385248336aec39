"""The processes of a run, one a machine, and what they tell each other."""

from functools import cached_property

import numpy as np
import tensorflow as tf

from deepfake_tfdata.training.cluster import read_cluster


class Workers:
    """The workers that a strategy joins; one where it works on this machine alone.

    All of them must call `any` and `sum` alike, and in the same order.

    Args:
        strategy: from select_strategy.

    Attributes:
        count: of the workers.
        index: of this one, from 0.
    """

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        self.index, self.count = 0, 1
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            cluster = read_cluster()
            self.index, self.count = cluster.index, cluster.count

    @property
    def chief(self) -> bool:
        """Whether this is the one that writes the files."""
        return self.index == 0

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in one worker at least."""
        return bool(self.sum(np.array([flag], np.float32))[0])

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum over all workers of float32 arrays of one shape."""
        if self.count == 1:
            return values
        replicas = len(self._strategy.extended.worker_devices)

        def of_replica(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            first = context.replica_id_in_sync_group % replicas == 0
            return tf.constant(values if first else np.zeros_like(values))

        own = self._strategy.experimental_distribute_values_from_function(of_replica)
        return np.asarray(self._strategy.experimental_local_results(self._sum_of_replicas(own))[0])

    @cached_property
    def _sum_of_replicas(self) -> tf.types.experimental.GenericFunction:
        def add(values: tf.Tensor) -> tf.Tensor:
            # The copy is on the replica's device; an argument is on none, which all_reduce refuses.
            context, copy = tf.distribute.get_replica_context(), tf.identity(values)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, copy)

        return tf.function(lambda values: self._strategy.run(add, args=(values,)))
