"""From native crops of any size to a network's input, on the device, by two matrix products a frame."""

from typing import Any

import keras
from keras import ops

from deepfake_tfdata.pixels import LUMA, MID_GREY, VIEW

# Half the width of the Lanczos filter in pixels of the coarser of the two grids.
_LANCZOS_SUPPORT = 3.0


@keras.saving.register_keras_serializable("deepfake_tfdata")
class ResizeView(keras.layers.Layer):
    """Resizes a window of every clip's frames to one size, with an antialiased Lanczos filter.

    A separable resize is a product with a matrix on either side. The matrices are a clip's own, so cropping,
    zooming, mirroring and letterboxing are in them and cost nothing; brightness and contrast are one
    multiply-add more. The filter is that of Pillow's `Image.resize(..., LANCZOS, box=window)`: widened by the
    scale when shrinking, cut and renormalised at the image's edge. Unlike there, nothing is rounded or
    clipped between the two directions.

    Args:
        size: side of the result, pixels.
    """

    def __init__(self, size: int, **kwargs: object) -> None:
        # float32 under every policy: bfloat16 would round bright pixels by half a level.
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False, "autocast": False})
        self.size = size

    def call(self, frames: keras.KerasTensor, view: keras.KerasTensor) -> keras.KerasTensor:
        """Resizes a batch.

        Args:
            frames: uint8 [B, T, H, W, 3]; a clip fills the upper left height x width of it.
            view: float32 [B, 9], the numbers of `pixels.VIEW`; outside of the frame the window shows grey.

        Returns:
            uint8 [B, T, size, size, 3].
        """
        # A clip at a time: in float32 the padded batch would be four times its bytes.
        return ops.map(lambda clip: self._resized(*clip), (frames, view))

    def _resized(self, frames: keras.KerasTensor, view: keras.KerasTensor) -> keras.KerasTensor:
        """One clip, uint8 [T, H, W, 3], with its view [9]."""
        size, (_, rows, columns, _) = self.size, ops.shape(frames)
        height, width, top, left, bottom, right, *tone = ops.split(view[None], len(VIEW), axis=1)
        vertical, row_inside = filter_matrix(size, rows, height, top, bottom)
        horizontal, column_inside = filter_matrix(size, columns, width, left, right)
        # Colours are planes in between: transposing bytes costs a quarter of what transposing floats does.
        planes = ops.cast(ops.transpose(frames, (0, 3, 1, 2)), "float32")
        # Columns first: strips are wider than high, so that the larger product is the smaller one.
        planes = ops.matmul(ops.reshape(planes, (-1, columns)), ops.transpose(horizontal[0]))
        planes = ops.reshape(ops.matmul(vertical, ops.reshape(planes, (-1, rows, size))), (-1, 3, size, size))
        planes = _toned(
            ops.where(row_inside[:, :, None] & column_inside[:, None, :], planes, MID_GREY), *tone
        )
        planes = ops.cast(ops.round(ops.clip(planes, 0.0, 255.0)), "uint8")
        return ops.transpose(planes, (0, 2, 3, 1))

    def compute_output_spec(self, frames: keras.KerasTensor, view: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((*frames.shape[:2], self.size, self.size, 3), "uint8")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


def _toned(
    planes: keras.KerasTensor,
    saturation: keras.KerasTensor,
    contrast: keras.KerasTensor,
    brightness: keras.KerasTensor,
) -> keras.KerasTensor:
    """float32 [T, 3, H, W] with a clip's saturation, contrast and brightness [1, 1] applied."""
    luma = ops.reshape(ops.convert_to_tensor(LUMA), (3, 1, 1))
    grey = ops.sum(planes * luma, axis=1, keepdims=True)
    # Every factor is applied to as few numbers as there can be.
    offset = contrast * (1.0 - saturation) * grey + MID_GREY * (1.0 - contrast) + brightness
    return contrast * saturation * planes + offset


def filter_matrix(
    size: int, length: int, used: keras.KerasTensor, start: keras.KerasTensor, end: keras.KerasTensor
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """One direction's filter, and which results lie inside the image.

    Args:
        size: results.
        length: pixels, padding included.
        used: float32 [B, 1], pixels of the image.
        start, end: float32 [B, 1], the window.

    Returns:
        float32 [B, size, length] whose rows sum to one, or are zero outside the image; bool [B, size].
    """
    scale = (end - start) / size
    centres = start + (ops.arange(size, dtype="float32") + 0.5) * scale
    pixels = ops.arange(length, dtype="float32") + 0.5
    distance = (pixels - centres[:, :, None]) / ops.maximum(ops.abs(scale), 1.0)[:, :, None]
    weights = ops.where(pixels < used[:, :, None], _lanczos(distance), 0.0)
    inside = (centres > 0.0) & (centres < used)
    total = ops.sum(weights, axis=-1, keepdims=True)
    # A safe divisor where nothing is used: black clips that only fill a batch have no size.
    weights = ops.where(inside[:, :, None], weights / ops.where(inside[:, :, None], total, 1.0), 0.0)
    return weights, inside


def _lanczos(distance: keras.KerasTensor) -> keras.KerasTensor:
    near = ops.abs(distance) < _LANCZOS_SUPPORT
    return ops.where(near, _sinc(distance) * _sinc(distance / _LANCZOS_SUPPORT), 0.0)


def _sinc(x: keras.KerasTensor) -> keras.KerasTensor:
    x = ops.where(x == 0.0, 1e-8, x) * 3.141592653589793
    return ops.sin(x) / x
