"""Crops of one size at native resolution, and their high-quality resize."""

import io

import numpy as np
from PIL import Image

from deepfake_tfdata.clips.spec import JPEG_QUALITY, ClipSpec
from deepfake_tfdata.pixels import MID_GREY

_ENCODER_OPTIONS = {
    # No chroma subsampling: it would blur what lips and eyes differ in.
    "jpeg": {"quality": JPEG_QUALITY, "subsampling": 0},
    "png": {"compress_level": 3},
    # Lossless; method 0 takes a fifth of the time of the default for a few percent more bytes.
    "webp": {"lossless": True, "method": 0, "exact": True},
}
# Boxes whose sides differ by less, in pixels, are meant to be of one size.
_SAME_SIZE = 0.01


def grow_boxes(boxes: np.ndarray, margin: float) -> np.ndarray:
    """Moves every edge of float [T, 4] boxes outwards by a fraction of their width and height."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate([boxes[:, :2] - margin * size, boxes[:, 2:] + margin * size], axis=1)


def whole_pixels(boxes: np.ndarray) -> np.ndarray:
    """Rounds float [T, 4] boxes to int64; boxes of one size stay of one size, and squares stay square."""
    corner = np.rint(boxes[:, :2])
    size = boxes[:, 2:] - boxes[:, :2]
    if np.ptp(size, axis=1).max() < _SAME_SIZE:
        size = np.broadcast_to(size.mean(axis=1, keepdims=True), size.shape)
    if np.ptp(size, axis=0).max() < _SAME_SIZE:
        # Float noise about a half would be rounded to two sizes.
        size = np.broadcast_to(np.median(size, axis=0), size.shape)
    size = np.maximum(np.rint(size), 1)
    return np.concatenate([corner, corner + size], axis=1).astype(np.int64)


def crop(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Cuts a box out; what lies outside the frame repeats the frame's edge.

    Args:
        image: uint8 [H, W, 3].
        box: int [4], (left, top, right, bottom).

    Returns:
        uint8 [bottom - top, right - left, 3].
    """
    left, top, right, bottom = box
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    return image[np.ix_(rows, columns)]


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """uint8 [H, W, 3] to [size, size, 3] with an antialiased Lanczos filter.

    OpenCV's filters alias when shrinking (area averaging too: it lets half of a 5-pixel pattern through a
    three-fold reduction), and aliased artefacts would be a false cue in the full face.
    """
    return _lanczos(image, size, size)


def letterbox(image: np.ndarray, size: int) -> np.ndarray:
    """uint8 [H, W, 3] to [size, size, 3]: its shape kept, in the middle, grey around it; as antialiased."""
    height, width = (max(1, round(side * size / max(image.shape[:2]))) for side in image.shape[:2])
    boxed = np.full((size, size, 3), MID_GREY, np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    boxed[top : top + height, left : left + width] = _lanczos(image, height, width)
    return boxed


# How a crop becomes a square, by the names of --fit.
FITS = {"stretch": resize, "letterbox": letterbox}


def stored_form(image: np.ndarray, spec: ClipSpec, size: tuple[int, int]) -> np.ndarray:
    """A crop as the spec's geometry stores it.

    Args:
        image: uint8 [H, W, 3].
        spec: of the clip.
        size: height and width that all native crops of the clip get before the longer side is reduced to
            max_side; a crop of that size is left as it is.
    """
    if spec.geometry == "resized":
        return FITS[spec.fit](image, spec.frame_size)
    height, width = stored_size(spec, size)
    return image if image.shape[:2] == (height, width) else _lanczos(image, height, width)


def stored_size(spec: ClipSpec, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a clip's crops in the form that stored_form gives them; arguments as there."""
    if spec.geometry == "resized":
        return spec.frame_size, spec.frame_size
    height, width = size
    if spec.max_side and max(size) > spec.max_side:
        height, width = (max(1, round(side * spec.max_side / max(size))) for side in size)
    return height, width


def encode(image: np.ndarray, encoding: str) -> bytes:
    """uint8 [H, W, 3] to the bytes of an image file, or to its bare pixels ('raw'), row by row."""
    if encoding == "raw":
        return image.tobytes()
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, encoding, **_ENCODER_OPTIONS[encoding])
    return buffer.getvalue()


def encode_and_decode(image: np.ndarray, encoding: str) -> bytes:
    """uint8 [H, W, 3] to the bare pixels, row by row, of the image file that `encode` makes of it."""
    if encoding == "jpeg":
        image = np.asarray(Image.open(io.BytesIO(encode(image, encoding))))
    return image.tobytes()  # the others lose nothing


def _lanczos(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))
