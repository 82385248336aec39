"""How native clips of different sizes share a batch: padded to one of a small set of shapes."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import tensorflow as tf

from deepfake_tfdata.cores import available_cores
from deepfake_tfdata.input.shards import Shards

# Four sizes an octave: at most a fifth of a side is padding, and a compiler meets few shapes.
_SIDES = np.array([m * 2**e for e in range(2, 14) for m in (4, 5, 6, 7)], np.int64)
# How many shapes batches may have: a compiler needs a while for every one that it meets.
ShapeChoice: TypeAlias = Literal["many", "few", "one"]
# What decoded batches may take while they wait; see `batches_at_once`.
_BUDGET_BYTES = 4 << 30


def padded_sides(sides: tf.Tensor | np.ndarray, choice: np.ndarray = _SIDES) -> tf.Tensor:
    """The smallest sizes of a choice that hold int64 sides, [N]."""
    return tf.gather(tf.constant(choice), tf.searchsorted(choice, tf.reshape(sides, [-1])))


class FrameShapes:
    """The padded height and width of every region's frames in a batch.

    Args:
        shards: what the clips are of.
        choice: 'many': four sizes an octave. 'few': one an octave, for programs that are compiled for the
            shapes they meet; one large face then sets the size of the batches that it is in, and no other's.
            'one': that of the split's largest clip, for devices that take no other.
    """

    def __init__(self, shards: Shards, choice: ShapeChoice) -> None:
        sizes = [np.array([(c.height, c.width) for c in clips], np.int64) for clips in shards.clips]
        if choice == "one":
            sizes = [np.broadcast_to(size.max(axis=0), size.shape) for size in sizes]
        self._regions = shards.regions
        self._sizes = [tf.constant(size) for size in sizes]
        self._sides = _SIDES[::4] if choice == "few" else _SIDES
        self._num_frames, self._is_native = shards.spec.num_frames, shards.is_native
        largest = [size.max(axis=0) for size in sizes]
        self._largest = [padded_sides(size).numpy() if shards.is_native else size for size in largest]
        # Of each region's frames, as far as all batches agree.
        varies = shards.is_native and choice != "one"
        self.known = [
            tf.TensorShape([self._num_frames, *([None, None] if varies else size), 3])
            for size in self._largest
        ]
        # Of a clip of all regions, padded, in bytes.
        self.largest_clip = int(sum(self._num_frames * 3 * np.prod(size) for size in self._largest))

    def of(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """int64 [4] a region: T, height, width, 3 for a batch of these clips."""
        frames, channels = tf.constant([self._num_frames], tf.int64), tf.constant([3], tf.int64)
        shapes = []
        for sizes, largest in zip(self._sizes, self._largest, strict=True):
            size = tf.reduce_max(tf.gather(sizes, rows), axis=0)
            if self._is_native:  # resized frames are of one size anyway, and stay of it
                size = tf.minimum(padded_sides(size, self._sides), largest)
            shapes.append(tf.concat([frames, size, channels], axis=0))
        return shapes

    def by_region(self, shapes: Sequence[Any]) -> Any:
        """Shapes, one a region, as a batch keeps its frames: by name where there are several regions."""
        # Not by TensorFlow's order of a dict's values, which is that of the names.
        return dict(zip(self._regions, shapes, strict=True)) if len(shapes) > 1 else shapes[0]


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
