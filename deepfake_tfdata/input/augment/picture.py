"""What happens to the picture before it is compressed: blur, noise, lost resolution, something in front."""

import math

import tensorflow as tf

from deepfake_tfdata.input.augment.common import MID_GREY, pad_edges, to_uint8, uniform

# Standard deviation in pixels: the range that Wang et al. 2020 (arXiv 1912.11035) train with, also on 224
# pixels. Below 0.1 nothing changes.
_BLUR = (0.1, 3.0)
_BLUR_RADIUS = math.ceil(3 * _BLUR[1])  # holds 99.7 % of the widest
# Standard deviation in grey levels. The two mildest of five in DeeperForensics-1.0 (arXiv 2001.03024), which
# LipForensics (arXiv 2012.07657) tests with, are 8 and 11; the others are up to 57, beyond any camera.
_NOISE = (1.0, 12.0)
# The same protocol's pixelation divides the sides by 2 to 6; beyond 4 a mouth of 224 pixels is no longer one.
_DOWNSCALE = (2.0, 4.0)
# Share of each side, at most 16 % of the area. Cutout (arXiv 1708.04552) takes squares of half a side, and
# Face-Cutout (arXiv 2102.09603) parts of a face; this leaves most of a mouth or of an eye strip to judge by.
_CUTOUT = (0.1, 0.4)


def blur(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Blurs with a Gaussian, one width for the clip; the edges are repeated outwards."""
    distance = tf.range(-_BLUR_RADIUS, _BLUR_RADIUS + 1, dtype=tf.float32)
    weights = tf.nn.softmax(-0.5 * tf.square(distance / uniform(seed, _BLUR)))
    blurred = tf.cast(frames, tf.float32)
    for axis, shape in ((1, [-1, 1, 1, 1]), (2, [1, -1, 1, 1])):
        padded = pad_edges(blurred, axis, _BLUR_RADIUS, _BLUR_RADIUS)
        filters = tf.tile(tf.reshape(weights, shape), [1, 1, 3, 1])
        blurred = tf.nn.depthwise_conv2d(padded, filters, strides=[1, 1, 1, 1], padding="VALID")
    return to_uint8(blurred)


def noise(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Adds Gaussian noise: its strength is one for the clip, its values differ by frame, as a sensor's do."""
    strength, values = tf.unstack(tf.random.split(seed, 2))
    normal = tf.random.stateless_normal(tf.shape(frames), values)
    return to_uint8(tf.cast(frames, tf.float32) + uniform(strength, _NOISE) * normal)


def downscale(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Makes the frames smaller and larger again, one factor for the clip; finer detail is gone."""
    size = tf.shape(frames)[1:3]
    small = tf.cast(tf.round(tf.cast(size, tf.float32) / uniform(seed, _DOWNSCALE)), tf.int32)
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
