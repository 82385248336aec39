"""Augmentation of a whole clip: every frame alike, so that no false temporal signal is made."""

import tensorflow as tf

_BRIGHTNESS = 0.1 * 255  # grey levels, up or down
_CONTRAST = 0.15  # of the distance from mid grey, more or less
_MID_GREY = 127.5


def augment_clip(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Flips a clip horizontally half of the time, and changes its brightness and contrast.

    Args:
        frames: uint8 [T, H, W, 3].
        seed: int32 [2]; the same seed gives the same result, on any number of threads.

    Returns:
        uint8 [T, H, W, 3].
    """
    flip, brightness, contrast = tf.unstack(tf.random.stateless_uniform([3], seed))
    frames = tf.cond(flip < 0.5, lambda: tf.reverse(frames, axis=[2]), lambda: frames)
    scale = 1.0 + _CONTRAST * (2.0 * contrast - 1.0)
    offset = _MID_GREY * (1.0 - scale) + _BRIGHTNESS * (2.0 * brightness - 1.0)
    return tf.saturate_cast(tf.round(tf.cast(frames, tf.float32) * scale + offset), tf.uint8)


def clip_seed(seed: int, epoch: tf.Tensor, clip_id: tf.Tensor) -> tf.Tensor:
    """The int32 [2] seed of a clip in an epoch: a function of what it is, never of when it was read."""
    clip = tf.strings.to_hash_bucket_fast(clip_id, 2**31 - 1)
    folded = tf.random.fold_in(tf.constant([seed, 0], tf.int32), tf.cast(epoch, tf.int32))
    return tf.random.fold_in(folded, tf.cast(clip, tf.int32))
