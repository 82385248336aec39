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
    scale when shrinking, cut and renormalised at the picture's edge. Unlike there, nothing is rounded or
    clipped between the two directions, nor between a reduction and the resize that follows it.

    Args:
        size: side of the result, pixels.

    Attributes:
        reduces: whether views have a retention below 1, where that is known before they are; a graph then has
            no branches.
    """

    reduces: bool | None = None

    def __init__(self, size: int, **kwargs: object) -> None:
        # float32 under every policy: bfloat16 would round bright pixels by half a level.
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False, "autocast": False})
        self.size = size

    def call(self, frames: keras.KerasTensor, view: keras.KerasTensor) -> keras.KerasTensor:
        """Resizes a batch.

        Args:
            frames: uint8 [B, T, H, W, 3]; a clip fills the upper left height x width of it.
            view: float32 [B, 16], the numbers of `pixels.VIEW`; outside of the picture the window shows grey.

        Returns:
            uint8 [B, T, size, size, 3].
        """
        # A clip at a time: in float32 the padded batch would be four times its bytes.
        return ops.map(lambda clip: self.resized(*clip), (frames, view))

    def resized(self, frames: keras.KerasTensor, view: keras.KerasTensor) -> keras.KerasTensor:
        """The same of frames uint8 [N, H, W, 3] that share a view, [16]."""
        size, (_, rows, columns, _) = self.size, ops.shape(frames)
        view = dict(zip(VIEW, ops.split(view[None], len(VIEW), axis=1), strict=True))
        reduces = view["retention"][0, 0] < 1.0 if self.reduces is None else self.reduces
        vertical, row_inside, row_hidden = _axis_filter(size, rows, view, "top", "bottom", reduces)
        horizontal, column_inside, column_hidden = _axis_filter(size, columns, view, "left", "right", reduces)
        # Colours are planes in between: transposing bytes costs a quarter of what transposing floats does.
        planes = ops.cast(ops.transpose(frames, (0, 3, 1, 2)), "float32")
        # Columns first: strips are wider than high, so that the larger product is the smaller one.
        planes = ops.matmul(ops.reshape(planes, (-1, columns)), ops.transpose(horizontal[0]))
        planes = ops.reshape(ops.matmul(vertical, ops.reshape(planes, (-1, rows, size))), (-1, 3, size, size))
        shown = row_inside[:, :, None] & column_inside[:, None, :]
        shown &= ~(row_hidden[:, :, None] & column_hidden[:, None, :])
        planes = ops.where(shown, planes, MID_GREY)
        planes = _toned(planes, *(view[name] for name in ("saturation", "contrast", "brightness")))
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


def _axis_filter(
    size: int, length: int, view: dict[str, keras.KerasTensor], start: str, end: str, reduces: Any
) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
    """One direction's filter [1, size, length], and which results are inside or touch what is hidden."""
    first, last = view[f"picture_{start}"], view[f"picture_{end}"]
    weights, inside = ops.cond(
        reduces,
        lambda: reducing_matrix(size, length, first, last, view[start], view[end], view["retention"]),
        lambda: filter_matrix(size, length, first, last, view[start], view[end]),
    )
    pixels = ops.arange(length, dtype="float32") + 0.5
    hidden = (pixels > view[f"hidden_{start}"]) & (pixels < view[f"hidden_{end}"])
    # The matrix knows how far the filters reach.
    return weights, inside, ops.any((weights != 0.0) & hidden[:, None, :], axis=-1)


def reducing_matrix(
    size: int,
    length: int,
    first: keras.KerasTensor,
    last: keras.KerasTensor,
    start: keras.KerasTensor,
    end: keras.KerasTensor,
    retention: keras.KerasTensor,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """`filter_matrix` of a picture that is first reduced to a share of its pixels, as a whole.

    Args:
        retention: float32 [B, 1], more than 0 and up to 1; what it leaves is whole pixels, at least one.
        The others are those of `filter_matrix`.
    """
    extent = ops.maximum(last - first, 1.0)
    count = ops.maximum(ops.round(retention * extent), 1.0)
    pitch = extent / count
    # How many pixels are left differs by clip, and a compiler wants one number: the others are not used.
    reduce, _ = filter_matrix(length, length, first, last, first, first + ops.cast(length, "float32") * pitch)
    window = ((edge - first) / pitch for edge in (start, end))
    enlarge, inside = filter_matrix(size, length, ops.zeros_like(count), count, *window)
    return ops.matmul(enlarge, reduce), inside


def filter_matrix(
    size: int,
    length: int,
    first: keras.KerasTensor,
    last: keras.KerasTensor,
    start: keras.KerasTensor,
    end: keras.KerasTensor,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """One direction's filter, and which results lie inside the picture.

    Args:
        size: results.
        length: pixels, padding included.
        first, last: float32 [B, 1], where the picture begins and ends; no pixel outside of it has a weight.
        start, end: float32 [B, 1], the window.

    Returns:
        float32 [B, size, length] whose rows sum to one, or are zero outside the picture; bool [B, size].
    """
    scale = (end - start) / ops.cast(size, "float32")
    centres = start + (ops.arange(size, dtype="float32") + 0.5) * scale
    pixels = ops.arange(length, dtype="float32") + 0.5
    distance = (pixels - centres[:, :, None]) / ops.maximum(ops.abs(scale), 1.0)[:, :, None]
    used = (pixels > first) & (pixels < last)
    weights = ops.where(used[:, None, :], _lanczos(distance), 0.0)
    inside = (centres > first) & (centres < last)
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
