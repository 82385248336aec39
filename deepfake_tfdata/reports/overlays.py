"""Pictures with a map over them, and pictures as files."""

import io

import numpy as np
from PIL import Image, ImageDraw

# What speaks for fake and what against it: the colours of the classes in all plots.
_FOR, _AGAINST = (213, 94, 0), (0, 114, 178)
_OPACITY = 0.75
_FRAME = (255, 255, 255)
# What lies over a picture in its own colours: bright, and through it the picture is still seen.
_HEAT, _HEAT_ALPHA, _DIMMED = (255, 110, 0), 140, 0.6
_SIDE = 240  # pixels of a crop's longer side on a page
_QUALITY = 85  # of a JPEG file


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
    return png_file(image)


def with_heat(picture: np.ndarray, heat: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture in that size and in its own colours, dimmed, with what is hot tinted.

    Args:
        picture: uint8 [H, W, 3].
        heat: float [h, w], 0 to 1.
        height, width: of the result.

    Returns:
        uint8 [height, width, 3].
    """
    image = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
    dimmed = Image.fromarray((_DIMMED * image).astype(np.uint8)).convert("RGBA")
    tint = tinted(heat).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(Image.alpha_composite(dimmed, tint).convert("RGB"))


def tinted(heat: np.ndarray) -> Image.Image:
    """A picture of one colour, as opaque as the heat is high; float [h, w], 0 to 1."""
    alpha = np.clip(_HEAT_ALPHA * heat, 0, 255).astype(np.uint8)
    colours = [np.full_like(alpha, value) for value in _HEAT]
    return Image.fromarray(np.stack([*colours, alpha], axis=-1), "RGBA")


def page_size(crop: np.ndarray) -> np.ndarray:
    """A crop in the size of a page, uint8 [H, W, 3]: enlarged without smoothing where it is smaller."""
    height, width = page_shape(*crop.shape[:2])
    way = Image.Resampling.NEAREST if height > crop.shape[0] else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(crop).resize((width, height), way))


def page_shape(height: float, width: float) -> tuple[int, int]:
    """Height and width on a page of what has this shape."""
    scale = _SIDE / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def jpeg_file(picture: np.ndarray) -> bytes:
    """A JPEG file of uint8 [H, W, 3]."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def png_file(image: Image.Image) -> bytes:
    """A PNG file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
