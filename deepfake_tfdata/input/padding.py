"""How native clips of different sizes share a batch: padded to one of a small set of shapes."""

import numpy as np
import tensorflow as tf

from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.input.shards import Shards

# Four sizes an octave: at most a fifth of a side is padding, and a compiler meets few shapes.
_SIDES = np.array([m * 2**e for e in range(2, 14) for m in (4, 5, 6, 7)], np.int64)
# What decoded batches may take while they wait; see `batches_at_once`.
_BUDGET_BYTES = 4 << 30


def padded_sides(sides: tf.Tensor) -> tf.Tensor:
    """The smallest sizes of the set that hold int64 sides of any shape."""
    return tf.gather(tf.constant(_SIDES), tf.searchsorted(_SIDES, tf.reshape(sides, [-1])))


class FrameShapes:
    """The padded height and width of every region's frames in a batch.

    Args:
        shards: what the clips are of.
        one_shape: pad every batch to that of the split's largest clip, for devices whose programs are
            compiled for one shape.
    """

    def __init__(self, shards: Shards, one_shape: bool) -> None:
        sizes = [np.array([(c.height, c.width) for c in clips], np.int64) for clips in shards.clips]
        if one_shape:
            sizes = [np.broadcast_to(size.max(axis=0), size.shape) for size in sizes]
        # Resized frames are of one size anyway, and stay of it.
        self._padded = padded_sides if shards.is_native else tf.identity
        self._sizes = [tf.constant(size) for size in sizes]
        self._num_frames = shards.spec.num_frames
        largest = [self._padded(size.max(axis=0)).numpy().tolist() for size in sizes]
        # Of each region's frames, as far as all batches agree.
        varies = shards.is_native and not one_shape
        self.known = [
            tf.TensorShape([self._num_frames, *([None, None] if varies else size), 3]) for size in largest
        ]
        # Of a clip of all regions, padded, in bytes.
        self.largest_clip = int(sum(self._num_frames * 3 * np.prod(size) for size in largest))

    def of(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """int64 [4] a region: T, height, width, 3 for a batch of these clips."""
        frames, channels = tf.constant([self._num_frames], tf.int64), tf.constant([3], tf.int64)
        largest = (tf.reduce_max(tf.gather(sizes, rows), axis=0) for sizes in self._sizes)
        return [tf.concat([frames, self._padded(size), channels], axis=0) for size in largest]


def batches_at_once(batch_bytes: int) -> tuple[int, int]:
    """How many batches are made at the same time, and how many clips of each.

    One thread makes one batch, which moves every byte the fewest times. Where so many batches as there are
    cores would exceed the budget, fewer are made, and several threads share each.

    Args:
        batch_bytes: of a decoded batch.
    """
    cores = available_cores()
    batches = max(2, min(cores, _BUDGET_BYTES // max(1, batch_bytes)))
    return batches, -(-cores // batches)
