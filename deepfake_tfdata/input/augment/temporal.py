"""What happens to the order of frames. Indices, timestamps and boxes of a clip stay as they were recorded."""

import tensorflow as tf

from deepfake_tfdata.input.augment.common import uniform

# Share of frames lost, for a bad connection; our choice. Beyond a fifth the motion of a mouth is lost, too.
_DROPPED = (0.0, 0.2)


def frame_drop(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`lose_frames` of one share for the clip."""
    share, which = tf.unstack(tf.random.split(seed, 2))
    return lose_frames(frames, uniform(share, _DROPPED), which)


def lose_frames(frames: tf.Tensor, share: tf.Tensor | float, seed: tf.Tensor) -> tf.Tensor:
    """Shows the frame before in place of that share of the frames, as a player does; the first stays."""
    order = tf.range(tf.shape(frames)[0])
    lost = tf.random.stateless_uniform(tf.shape(order), seed) < share
    kept = tf.where(lost, 0, order)
    # The last kept frame up to each: the maximum over those that are not later.
    shown = tf.reduce_max(tf.where(order <= order[:, None], kept, 0), axis=1)
    return tf.gather(frames, shown)


def reverse(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Plays the clip backwards; the seed draws nothing."""
    del seed
    return tf.reverse(frames, axis=[0])
