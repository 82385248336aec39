"""Pictures with a map over them."""

import io

import numpy as np
from PIL import Image, ImageDraw

# What speaks for fake and what against it: the colours of the classes in all plots.
_FOR, _AGAINST = (213, 94, 0), (0, 114, 178)
_OPACITY = 0.75
_FRAME = (255, 255, 255)


def with_map(picture: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A picture in grey, orange where values are high and blue where they are below zero.

    Args:
        picture: uint8 [H, W, 3].
        values: float [H, W]; the one farthest from zero has the fullest colour.

    Returns:
        uint8 [H, W, 3].
    """
    grey = np.repeat(np.asarray(Image.fromarray(picture).convert("L"), np.float32)[..., None], 3, axis=2)
    largest = np.abs(values).max()
    share = np.abs(values)[..., None] / largest * _OPACITY if largest else 0.0
    colour = np.where(values[..., None] > 0, np.array(_FOR), np.array(_AGAINST))
    return np.asarray(np.rint(grey + share * (colour - grey)), np.uint8)


def enlarged(picture: np.ndarray, width: int, box: np.ndarray | None = None) -> bytes:
    """A PNG file of a picture in another width, with a frame around a box of its pixels.

    Args:
        picture: uint8 [H, W, 3].
        width: pixels.
        box: float [4], (left, top, right, bottom); None draws no frame.
    """
    scale = width / picture.shape[1]
    size = (width, max(1, round(picture.shape[0] * scale)))
    image = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
    if box is not None:
        left, top, right, bottom = (float(each) * scale for each in box)
        ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=_FRAME, width=2)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
