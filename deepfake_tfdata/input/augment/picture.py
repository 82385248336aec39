"""What happens to the picture before it is compressed: blur, noise, lost resolution, something in front."""

import tensorflow as tf

from deepfake_tfdata.input.augment.common import to_uint8, uniform
from deepfake_tfdata.pixels import MID_GREY

# Standard deviation in pixels: the range that Wang et al. 2020 (arXiv 1912.11035) train with, also on 224
# pixels. Below 0.1 nothing changes.
_BLUR = (0.1, 3.0)
# Standard deviation in grey levels. The two mildest of five in DeeperForensics-1.0 (arXiv 2001.03024), which
# LipForensics (arXiv 2012.07657) tests with, are 8 and 11; the others are up to 57, beyond any camera.
_NOISE = (1.0, 12.0)
# The same protocol's pixelation divides the sides by 2 to 6; beyond 4 a mouth of 224 pixels is no longer one.
_DOWNSCALE = (2.0, 4.0)
# Share of each side, at most 16 % of the area. Cutout (arXiv 1708.04552) takes squares of half a side, and
# Face-Cutout (arXiv 2102.09603) parts of a face; this leaves most of a mouth or of an eye strip to judge by.
_CUTOUT = (0.1, 0.4)


def blur(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`blur_by` with one width for the clip."""
    return blur_by(frames, uniform(seed, _BLUR))


def blur_by(frames: tf.Tensor, width: tf.Tensor | float) -> tf.Tensor:
    """Blurs with a Gaussian of that standard deviation, pixels; at an edge it averages over what there is."""
    height_weights, width_weights = (_gaussian(size, width) for size in tf.unstack(tf.shape(frames)[1:3]))
    # Matrix products: TensorFlow 2.16 crashes in a depthwise convolution of one row on a CPU.
    blurred = tf.einsum("hg,tgwc->thwc", height_weights, tf.cast(frames, tf.float32))
    return to_uint8(tf.einsum("wv,thvc->thwc", width_weights, blurred))


def _gaussian(size: tf.Tensor, width: tf.Tensor | float) -> tf.Tensor:
    """How much each pixel of a side (columns) adds to each blurred one (rows): float32 [size, size]."""
    position = tf.range(tf.cast(size, tf.float32))
    return tf.nn.softmax(-0.5 * tf.square((position[:, None] - position) / width))


def noise(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`add_noise` of one strength for the clip."""
    strength, values = tf.unstack(tf.random.split(seed, 2))
    return add_noise(frames, uniform(strength, _NOISE), values)


def add_noise(frames: tf.Tensor, deviation: tf.Tensor | float, seed: tf.Tensor) -> tf.Tensor:
    """Adds Gaussian noise of that standard deviation, grey levels, new in every frame, as a sensor's is."""
    normal = tf.random.stateless_normal(tf.shape(frames), seed)
    return to_uint8(tf.cast(frames, tf.float32) + deviation * normal)


def downscale(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`shrink_and_enlarge` by one factor for the clip."""
    return shrink_and_enlarge(frames, 1.0 / uniform(seed, _DOWNSCALE))


def shrink_and_enlarge(frames: tf.Tensor, share: tf.Tensor | float) -> tf.Tensor:
    """Makes the frames smaller, to a share of their sides, and large again; finer detail is gone."""
    size = tf.shape(frames)[1:3]
    small = tf.cast(tf.round(tf.cast(size, tf.float32) * share), tf.int32)
    # Lanczos with antialiasing, as a converter makes a video small; bicubic, as a player shows it large.
    shrunk = tf.image.resize(frames, tf.maximum(small, 1), "lanczos3", antialias=True)
    return to_uint8(tf.image.resize(shrunk, size, "bicubic"))


def cutout(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Covers one rectangle, at the same place in every frame, with mid grey."""
    height_seed, width_seed, top_seed, left_seed = tf.unstack(tf.random.split(seed, 4))
    rows = _inside(tf.shape(frames)[1], height_seed, top_seed)
    columns = _inside(tf.shape(frames)[2], width_seed, left_seed)
    covered = tf.logical_and(rows[:, None, None], columns[:, None])
    return tf.where(covered, tf.constant(MID_GREY, tf.uint8), frames)


def _inside(size: tf.Tensor, length_seed: tf.Tensor, start_seed: tf.Tensor) -> tf.Tensor:
    """Which pixels of a side lie in a random piece of it: bool [size]."""
    side = tf.cast(size, tf.float32)
    length = tf.round(side * uniform(length_seed, _CUTOUT))
    start = tf.floor((side - length + 1.0) * uniform(start_seed, (0.0, 1.0)))
    position = tf.range(side)
    return tf.logical_and(start <= position, position < start + length)
