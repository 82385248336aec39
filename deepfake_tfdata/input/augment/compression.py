"""Compression: of every frame by itself (JPEG), and of what changes from frame to frame (a video codec)."""

import math

import numpy as np
import tensorflow as tf

from deepfake_tfdata.input.augment.common import to_uint8, uniform
from deepfake_tfdata.pixels import LUMA, MID_GREY

# Both bounds included: the range that Wang et al. 2020 (arXiv 1912.11035) train with.
_JPEG_QUALITY = (30, 100)
# The H.264 quantiser of FaceForensics++ (Rossler et al. 2019, arXiv 1901.08971): 23 in its high and 40 in its
# low quality.
_CODEC_QUANTISER = (23.0, 40.0)
_BLOCK = 8
# Up to which fraction a coefficient is rounded down, as H.264's reference encoder does: less where only a
# change is coded, so that noise costs no bits.
_ROUNDING_FIRST, _ROUNDING_CHANGE = 1 / 3, 1 / 6


def jpeg(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Compresses each frame as a JPEG, all with one quality, and decodes it."""
    low, high = _JPEG_QUALITY
    quality = tf.random.stateless_uniform([], seed, low, high + 1, tf.int32)

    def compress(frame: tf.Tensor) -> tf.Tensor:
        # The default decoder saves time with a coarser transform, which adds errors that are not JPEG's.
        return tf.image.adjust_jpeg_quality(frame, quality, "INTEGER_ACCURATE")

    return tf.map_fn(compress, frames)


def codec(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """`encode_as_video` with one quantiser for the clip."""
    return encode_as_video(frames, uniform(seed, _CODEC_QUANTISER))


def encode_as_video(frames: tf.Tensor, quantiser: tf.Tensor | float) -> tf.Tensor:
    """Quantises the first frame and then each change, in blocks, as a video codec does.

    Like H.264: 8x8 cosine transforms, the flat quantiser with its step size and dead zones, and every frame
    predicted from the decoded one before, so that still parts stay still and faint changes are lost.
    Unlike H.264: no search for motion (it saves bits, but hardly changes the error at a given quantiser),
    no deblocking filter (blocks show more), chroma at full resolution, 8x8 blocks only.

    Args:
        frames: uint8 [T, H, W, 3].
        quantiser: as H.264 counts it, 0 to 51.
    """
    step = 2.0 ** ((quantiser - 4.0) / 6.0)
    height, width = tf.unstack(tf.shape(frames)[1:3])
    padded = _whole_blocks(_whole_blocks(frames, 1, height), 2, width)
    planes = tf.einsum("thwc,cd->tdhw", tf.cast(padded, tf.float32) - MID_GREY, _RGB_TO_YCBCR)
    coefficients = _transform(planes, _COSINES)
    rounding = tf.where(tf.range(tf.shape(frames)[0]) == 0, _ROUNDING_FIRST, _ROUNDING_CHANGE)

    # The transform is linear, so prediction works on coefficients as it does on pixels.
    def decode_next(previous: tf.Tensor, frame: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        change = (frame[0] - previous) / step
        return previous + step * tf.sign(change) * tf.floor(tf.abs(change) + frame[1])

    decoded = tf.scan(decode_next, (coefficients, rounding), tf.zeros_like(coefficients[0]))
    pixels = tf.einsum("tdhw,dc->thwc", _transform(decoded, _COSINES.T), np.linalg.inv(_RGB_TO_YCBCR))
    return to_uint8(pixels + MID_GREY)[:, :height, :width]


def _whole_blocks(frames: tf.Tensor, axis: int, size: tf.Tensor) -> tf.Tensor:
    """Repeats the last pixel of an axis up to a multiple of the block."""
    return tf.gather(frames, tf.minimum(tf.range(size + -size % _BLOCK), size - 1), axis=axis)


def _transform(planes: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """Multiplies rows and columns of every block of [T, 3, H, W] with a matrix; H and W are whole blocks."""
    shape = tf.shape(planes)
    rows = tf.matmul(tf.reshape(planes, [-1, _BLOCK]), matrix.T)
    return tf.reshape(tf.matmul(matrix, tf.reshape(rows, [-1, _BLOCK, shape[3]])), shape)


def _cosine_matrix() -> np.ndarray:
    """The orthonormal cosine transform (DCT-II), a frequency a row."""
    frequency, position = np.mgrid[:_BLOCK, :_BLOCK]
    matrix = math.sqrt(2 / _BLOCK) * np.cos(math.pi * (2 * position + 1) * frequency / (2 * _BLOCK))
    matrix[0] /= math.sqrt(2)
    return matrix.astype(np.float32)


def _ycbcr_matrix() -> np.ndarray:
    """Red, green, blue (rows) to luma and two colour differences (columns)."""
    luma, (red, _, blue) = np.array(LUMA), np.eye(3)
    return np.stack([luma, (blue - luma) / 1.772, (red - luma) / 1.402], axis=1).astype(np.float32)


_COSINES = _cosine_matrix()
_RGB_TO_YCBCR = _ycbcr_matrix()
