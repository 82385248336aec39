"""A decoded frame, and how it is shown: turned, mirrored, with square pixels."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

# Formats whose first plane is 8-bit luma: the detector's grey image comes for free.
_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")
# Pixels that are longer than that are a header's mistake.
_MAX_PIXEL_ASPECT = 4


@dataclass(frozen=True)
class DecodedFrame:
    """A frame as the decoder left it; pixels are converted only when asked for.

    Attributes:
        index: position in the video, from 0.
        timestamp: seconds.
    """

    index: int
    timestamp: float
    _frame: av.VideoFrame = field(repr=False)
    # Width over height of a pixel.
    _pixel_aspect: Fraction = Fraction(1)

    def grey(self) -> np.ndarray:
        """uint8 [H, W], as it is shown: upright, of square pixels."""
        frame = self._frame
        image: np.ndarray
        if frame.format.name in _LUMA_FIRST:
            plane = frame.planes[0]
            padded = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            image = padded[:, : plane.width]
        else:
            image = frame.to_ndarray(format="gray")
        size = square_size(frame.width, frame.height, self._pixel_aspect)
        if size != (frame.width, frame.height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return self._upright(image)

    def rgb(self) -> np.ndarray:
        """uint8 [H, W, 3], as it is shown: upright, of square pixels."""
        frame = self._frame
        width, height = square_size(frame.width, frame.height, self._pixel_aspect)
        return self._upright(
            frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="LANCZOS")
            if (width, height) != (frame.width, frame.height)
            else frame.to_ndarray(format="rgb24")
        )

    @property
    def num_bytes(self) -> int:
        """What it occupies."""
        return sum(plane.buffer_size for plane in self._frame.planes)

    @property
    def time_in_stream(self) -> int | None:
        """Its presentation time in the units of its stream."""
        return self._frame.pts

    def _upright(self, image: np.ndarray) -> np.ndarray:
        side_data: Any = self._frame.side_data  # PyAV's own hints miss what it holds
        if "DISPLAYMATRIX" not in side_data:
            return image
        return as_shown(image, np.frombuffer(side_data["DISPLAYMATRIX"], np.int32))


def as_shown(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """An image turned and mirrored by a display matrix, to the nearest of the eight ways.

    Args:
        image: [H, W, ...].
        matrix: int32 [9] (a b u, c d v, x y w), which maps (x, y), y downwards, to (ax + cy, bx + dy).
    """
    a, b, _, c, d, *_ = matrix.tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        image = image.swapaxes(0, 1)
        a, d = c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def square_size(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """Width and height of a frame in square pixels; no side gets smaller, so that no detail is lost."""
    if pixel_aspect > 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def pixel_aspect_of(stream: av.VideoStream) -> Fraction:
    """Width over height of a stream's pixels; 1 where it says nothing, or nothing that can be."""
    aspect = stream.sample_aspect_ratio
    if aspect and Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT:
        return Fraction(aspect)
    return Fraction(1)
