"""Where the network's square lies: in the stored crop, and in the frame of the video.

Rectangles are (left, top, right, bottom), as boxes are. A view's numbers have another order.
"""

from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.pixels import NOTHING, VIEW, view_numbers

# Where the rectangles of a view are among its numbers, in the order of boxes.
_PICTURE, _WINDOW, _HIDDEN = (
    [VIEW.index(f"{prefix}{side}") for side in ("left", "top", "right", "bottom")]
    for prefix in ("picture_", "", "hidden_")
)


@dataclass(frozen=True, eq=False)
class Placed:
    """A region of a clip: its stored pixels, where they are in the video, and what the network sees of them.

    Attributes:
        frames: uint8 [T, H, W, 3], as stored, without padding.
        covers: float [T, 4], the rectangle of the source frame that they cover, pixels.
        holds: float [4], the part of the stored pixels that is a picture, and no bar of a letterbox.
        view: float32 [16], the numbers of `pixels.VIEW`.
    """

    frames: np.ndarray
    covers: np.ndarray
    holds: np.ndarray
    view: np.ndarray

    @property
    def square(self) -> np.ndarray:
        """The network's square in stored pixels, float [4]."""
        return self.view[_WINDOW].astype(np.float64)

    @property
    def squares_in_frame(self) -> np.ndarray:
        """The network's square in the source frame, float [T, 4]."""
        return to_source(self.square, self.covers, self.frames.shape)


def place_native(frames: np.ndarray, boxes: np.ndarray, view: np.ndarray) -> Placed:
    """A native crop, which may be of other size than its box where faces grow or crops are reduced."""
    _, height, width, _ = frames.shape
    return Placed(frames, boxes.astype(np.float64), np.array([0.0, 0.0, width, height]), view)


def place_resized(frames: np.ndarray, boxes: np.ndarray, fit: str) -> Placed:
    """A crop that was made a square when it was converted.

    Args:
        frames: uint8 [T, S, S, 3].
        boxes: float [T, 4], of the crop in the source frame.
        fit: of the clip spec; a letterbox has the bars that the converter's has.
    """
    size = frames.shape[1]
    boxes = boxes.astype(np.float64)
    sides = boxes[:, 2:] - boxes[:, :2]
    holds = np.array([0.0, 0.0, size, size])
    if fit == "letterbox":
        shown = np.maximum(np.rint(np.median(sides, axis=0) * size / np.median(sides, axis=0).max()), 1)
        start = (size - shown) // 2
        holds = np.concatenate([start, start + shown])
    scale = sides / (holds[2:] - holds[:2])
    corner = boxes[:, :2] - holds[:2] * scale
    numbers = view_numbers([*holds[[1, 0, 3, 2]]], (0.0, 0.0, size, size))
    covers = np.concatenate([corner, corner + size * scale], axis=1)
    return Placed(frames, covers, holds, np.array(numbers, np.float32))


def to_source(rectangle: np.ndarray, covers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A rectangle [4] of stored pixels in the source frame, float [T, 4].

    Args:
        rectangle: in stored pixels.
        covers: float [T, 4], what the stored pixels cover.
        shape: of the stored frames, [T, H, W, 3].
    """
    scale = (covers[:, 2:] - covers[:, :2]) / (shape[2], shape[1])
    return np.tile(covers[:, :2], 2) + np.asarray(rectangle) * np.tile(scale, 2)


def from_source(rectangles: np.ndarray, covers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rectangles [T, 4] of the source frame in stored pixels, float [T, 4]; arguments as in `to_source`."""
    scale = (shape[2], shape[1]) / (covers[:, 2:] - covers[:, :2])
    return (rectangles - np.tile(covers[:, :2], 2)) * np.tile(scale, 2)


def views_of_other(seen: Placed, other: Placed) -> np.ndarray:
    """Views of another clip of the same frames that show of it what the network sees of the first.

    The same pixels of the source frames, though the two crops lie elsewhere in them.

    Returns:
        float32 [T, 16], one a frame of the other. Where it has no pixels, its square is grey.
    """

    def carried(places: list[int]) -> np.ndarray:
        in_source = to_source(seen.view[places], seen.covers, seen.frames.shape)
        return from_source(in_source, other.covers, other.frames.shape)

    views = np.tile(seen.view, (len(other.frames), 1))
    picture = carried(_PICTURE)
    views[:, _PICTURE[:2]] = np.maximum(picture[:, :2], other.holds[:2])
    views[:, _PICTURE[2:]] = np.minimum(picture[:, 2:], other.holds[2:])
    views[:, _WINDOW] = carried(_WINDOW)
    if tuple(seen.view[_HIDDEN]) != NOTHING:
        views[:, _HIDDEN] = carried(_HIDDEN)
    return views


def has_pixels(views: np.ndarray, size: int) -> np.ndarray:
    """Where the squares of such views show pixels of the picture, and not grey, bool [T, size, size]."""
    return _inside(views, _PICTURE, size) & ~_inside(views, _HIDDEN, size)


def _inside(views: np.ndarray, rectangle: list[int], size: int) -> np.ndarray:
    """Where in the squares of views one of their rectangles lies, bool [T, size, size]."""
    centres = (np.arange(size) + 0.5) / size
    inside = []
    for near, far in ((1, 3), (0, 2)):  # rows, columns
        start, end = (views[:, [_WINDOW[side]]] for side in (near, far))
        places = start + centres * (end - start)
        inside.append((places > views[:, [rectangle[near]]]) & (places < views[:, [rectangle[far]]]))
    return inside[0][:, :, None] & inside[1][:, None, :]


def drawn(values: np.ndarray, square: np.ndarray, height: int, width: int) -> np.ndarray:
    """Values of a square's places at the pixels of a picture that the square lies in.

    Between the middles of places they are interpolated. Outside of the square there is nothing: 0.

    Args:
        values: float [..., h, w], from the top left of the square.
        square: float [4], where in the picture it lies, pixels.
        height, width: of the picture.

    Returns:
        float32 [..., height, width].
    """
    rows = _weights(values.shape[-2], square[1], square[3], height)
    columns = _weights(values.shape[-1], square[0], square[2], width)
    return (rows @ values.astype(np.float32) @ columns.T).astype(np.float32)


def _weights(places: int, start: float, end: float, length: int) -> np.ndarray:
    """Of each place at each pixel of an axis, float32 [length, places]."""
    share = (np.arange(length) + 0.5 - start) / (end - start)
    position = np.clip(share * places - 0.5, 0, places - 1)
    weights = np.maximum(1 - np.abs(position[:, None] - np.arange(places)), 0)
    return np.asarray(weights * ((share > 0) & (share < 1))[:, None], np.float32)
