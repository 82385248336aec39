"""How the clip is looked at: mirrored, brighter, flatter. Applied last, and needing nothing of the others."""

import tensorflow as tf

from deepfake_tfdata.input.augment.common import LUMA, MID_GREY, to_uint8, uniform

# Differences between cameras and screens; our choice. DeeperForensics-1.0 (arXiv 2001.03024) tests with
# contrasts of 0.35 to 0.85 and saturations of 0 to 0.4, which are meant to break detectors.
_BRIGHTNESS = (-0.1 * 255, 0.1 * 255)  # grey levels
_CONTRAST = (0.85, 1.15)  # of the distance from mid grey
_SATURATION = (0.7, 1.3)  # of the distance from the pixel's own grey


def flip(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors left and right; the seed draws nothing."""
    del seed
    return tf.reverse(frames, axis=[2])


def colour(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Changes brightness, contrast and saturation."""
    brightness, contrast, saturation = tf.unstack(tf.random.split(seed, 3))
    contrast, saturation = uniform(contrast, _CONTRAST), uniform(saturation, _SATURATION)
    offset = MID_GREY * (1.0 - contrast) + uniform(brightness, _BRIGHTNESS)
    # Both scalings are linear in a pixel's red, green and blue: together one matrix.
    grey = tf.tile(tf.constant(LUMA)[:, None], [1, 3])
    matrix = contrast * (saturation * tf.eye(3) + (1.0 - saturation) * grey)
    return to_uint8(tf.tensordot(tf.cast(frames, tf.float32), matrix, 1) + offset)
