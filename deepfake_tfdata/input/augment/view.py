"""How the clip is looked at: nearer, mirrored, brighter, flatter. Applied last, needing none of the others.

Each operation is there twice: on frames, and on the view of native frames, which the detector turns into
part of its resize (see `ResizeView`), so that it costs nothing here.
"""

import tensorflow as tf

from deepfake_tfdata.input.augment.common import to_uint8, uniform
from deepfake_tfdata.pixels import LUMA, MID_GREY, VIEW

# Differences between cameras and screens; our choice. DeeperForensics-1.0 (arXiv 2001.03024) tests with
# contrasts of 0.35 to 0.85 and saturations of 0 to 0.4, which are meant to break detectors.
_BRIGHTNESS = (-0.1 * 255, 0.1 * 255)  # grey levels
_CONTRAST = (0.85, 1.15)  # of the distance from mid grey
_SATURATION = (0.7, 1.3)  # of the distance from the pixel's own grey
# The share of the height and width that is still seen; our choice: more would cut the mouth's corners.
_ZOOM = (0.85, 1.0)
# Where the window and the tone are among a view's numbers, and the numbers of the mirrored one.
_WINDOW, _TONE = VIEW.index("top"), VIEW.index("saturation")
_MIRRORED = [VIEW.index({"left": "right", "right": "left"}.get(name, name)) for name in VIEW]


def zoom(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Cuts a part out, at the same place in every frame, and enlarges it to the size of the whole."""
    size = tf.shape(frames)[1:3]
    start, end = _zoomed(tf.zeros([2]), tf.cast(size, tf.float32), seed)
    start, end = tf.cast(tf.floor(start), tf.int32), tf.cast(tf.math.ceil(end), tf.int32)
    part = frames[:, start[0] : end[0], start[1] : end[1]]
    return to_uint8(tf.image.resize(part, size, "lanczos3"))


def zoom_view(view: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`zoom` of the view's window; what is hidden stays where it is in the frame."""
    before, start, end, after = tf.split(view, [_WINDOW, 2, 2, len(VIEW) - _WINDOW - 4])
    return tf.concat([before, *_zoomed(start, end, seed), after], axis=0)


def _zoomed(start: tf.Tensor, end: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A part of a window whose upper left and lower right corners are float32 [2]."""
    share_seed, place_seed = tf.unstack(tf.random.split(seed, 2))
    share = uniform(share_seed, _ZOOM)
    size = share * (end - start)
    start = start + tf.random.stateless_uniform([2], place_seed) * (1.0 - share) * (end - start)
    return start, start + size


def flip(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors left and right; the seed draws nothing."""
    del seed
    return tf.reverse(frames, axis=[2])


def flip_view(view: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`flip` of the view: its left and right edges change places."""
    del seed
    return tf.gather(view, _MIRRORED)


def colour(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Changes brightness, contrast and saturation."""
    saturation, contrast, brightness = _tone(seed)
    # Both scalings are linear in a pixel's red, green and blue: together one matrix.
    grey = tf.tile(tf.constant(LUMA)[:, None], [1, 3])
    matrix = contrast * (saturation * tf.eye(3) + (1.0 - saturation) * grey)
    offset = MID_GREY * (1.0 - contrast) + brightness
    return to_uint8(tf.tensordot(tf.cast(frames, tf.float32), matrix, 1) + offset)


def colour_view(view: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`colour` of the view."""
    return tf.concat([view[:_TONE], tf.stack(_tone(seed))], axis=0)


def _tone(seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Saturation, contrast, brightness."""
    brightness, contrast, saturation = tf.unstack(tf.random.split(seed, 3))
    return uniform(saturation, _SATURATION), uniform(contrast, _CONTRAST), uniform(brightness, _BRIGHTNESS)
