"""What the operations share: seeds, random numbers, rounding."""

import tensorflow as tf


def clip_seed(seed: int, epoch: tf.Tensor, clip_id: tf.Tensor) -> tf.Tensor:
    """The int32 [2] seed of a clip in an epoch: a function of what it is, never of when it was read."""
    clip = tf.strings.to_hash_bucket_fast(clip_id, 2**31 - 1)
    folded = tf.random.fold_in(tf.constant([seed, 0], tf.int32), tf.cast(epoch, tf.int32))
    return tf.random.fold_in(folded, tf.cast(clip, tf.int32))


def uniform(seed: tf.Tensor, bounds: tuple[float, float]) -> tf.Tensor:
    """One float32 number from the lower to the upper bound: a strength is drawn once for the whole clip."""
    return tf.random.stateless_uniform([], seed, *bounds)


def to_uint8(frames: tf.Tensor) -> tf.Tensor:
    """Rounds floats to uint8; what lies outside 0 to 255 is cut."""
    return tf.saturate_cast(tf.round(frames), tf.uint8)
