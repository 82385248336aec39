"""Views: what the detector looks at in native frames, as the nine numbers that `ResizeView` takes."""

import tensorflow as tf


def whole_view(height: tf.Tensor, width: tf.Tensor, fit: str, frame_size: int) -> tf.Tensor:
    """The view of everything.

    Args:
        height, width: int64 scalars, pixels of the frames.
        fit: 'stretch' fills the square; 'letterbox' keeps the shape between bars, on the same whole pixels as
            the converter's.
        frame_size: side of what the detector sees, pixels.

    Returns:
        float32 [9], the numbers of `pixels.VIEW`.
    """
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    top, bottom, left, right = tf.constant(0.0), height, tf.constant(0.0), width
    if fit == "letterbox":
        top, bottom = _letterboxed(height, tf.maximum(height, width), frame_size)
        left, right = _letterboxed(width, tf.maximum(height, width), frame_size)
    return tf.stack([height, width, top, left, bottom, right, 1.0, 1.0, 0.0])


def _letterboxed(side: tf.Tensor, longer: tf.Tensor, frame_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Where a window begins and ends that shows a side in whole pixels between equal bars."""
    shown = tf.maximum(tf.round(side * frame_size / longer), 1.0)
    scale = side / shown
    before = tf.floor((frame_size - shown) / 2)
    return -before * scale, (frame_size - before) * scale
