"""Views of native frames as the numbers that `ResizeView` takes."""

import tensorflow as tf

from deepfake_tfdata.clips.regions import REGIONS, Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.views import View, view_in
from deepfake_tfdata.pixels import NOTHING, view_numbers

# Shares of a side are rounded in float32: what is meant to be a whole pixel may lie just below it.
_ROUNDING = 1e-3


def view_of(
    height: tf.Tensor, width: tf.Tensor, name: str, region: str, spec: ClipSpec, frame_size: int
) -> tf.Tensor:
    """The numbers of a named view.

    Args:
        height, width: int64 scalars, pixels of the frames.
        name: as `clips.views.view_named` knows it; '' is everything.
        region: of the records.
        spec: of the records.
        frame_size: side of what the detector sees, pixels.

    Returns:
        float32 [16], the numbers of `pixels.VIEW`.

    Raises:
        UserError: the records don't hold what it looks at.
    """
    if not name:
        return whole_view(height, width, spec.fit, frame_size)
    return _placed(height, width, *view_in(region, name, spec), frame_size)


def whole_view(height: tf.Tensor, width: tf.Tensor, fit: str, frame_size: int) -> tf.Tensor:
    """The view of everything.

    Args:
        height, width: int64 scalars, pixels of the frames.
        fit: 'stretch' fills the square; 'letterbox' keeps the shape between bars, on the same whole pixels as
            the converter's.
        frame_size: side of what the detector sees, pixels.

    Returns:
        float32 [16], the numbers of `pixels.VIEW`.
    """
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    top, bottom, left, right = tf.constant(0.0), height, tf.constant(0.0), width
    if fit == "letterbox":
        top, bottom = _letterboxed(height, tf.maximum(height, width), frame_size)
        left, right = _letterboxed(width, tf.maximum(height, width), frame_size)
    return tf.stack(view_numbers((0.0, 0.0, height, width), (top, left, bottom, right)))


def _placed(height: tf.Tensor, width: tf.Tensor, view: View, within: Region, frame_size: int) -> tf.Tensor:
    """The numbers of a view in frames [height, width] of a region."""

    def pixels(region: Region) -> tuple[tf.Tensor, ...]:
        """Top, left, bottom, right; whole pixels, of one size wherever the region lies."""
        top, bottom = _edges(region.top, region.bottom, within.top, within.bottom, height)
        left, right = _edges(region.left, region.right, within.left, within.right, width)
        return top, left, bottom, right

    top, left, bottom, right = pixels(REGIONS["full"])
    retention = tf.minimum(view.share(frame_size, tf.maximum(bottom - top, right - left)), 1.0)
    hidden = pixels(view.hidden) if view.hidden else NOTHING
    return tf.stack(view_numbers(pixels(view.picture), pixels(view.window), retention, hidden))


def _edges(
    start: float, end: float, first: float, last: float, length: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Where a piece begins and ends of a side of that many pixels, which reaches from first to last."""
    scale = tf.cast(length, tf.float32) / (last - first)
    before = tf.floor((start - first) * scale + _ROUNDING)
    return before, before + tf.maximum(tf.round((end - start) * scale), 1.0)


def _letterboxed(side: tf.Tensor, longer: tf.Tensor, frame_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Where a window begins and ends that shows a side in whole pixels between equal bars."""
    shown = tf.maximum(tf.round(side * frame_size / longer), 1.0)
    scale = side / shown
    before = tf.floor((frame_size - shown) / 2)
    return -before * scale, (frame_size - before) * scale
