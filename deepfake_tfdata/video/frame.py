"""A decoded frame, and how it is shown: turned, mirrored, with square pixels."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from threading import local
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

# Formats whose first plane is 8-bit luma: the detector's grey image comes for free.
_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")
# Pixels that are longer than that are a header's mistake.
_MAX_PIXEL_ASPECT = 4


@dataclass(frozen=True)
class Display:
    """How the frames of a stream are shown.

    Attributes:
        pixel_aspect: width over height of a pixel.
        matrix: int32 [9], as `as_shown` takes it; None where they are stored as they are shown.
    """

    pixel_aspect: Fraction = Fraction(1)
    matrix: np.ndarray | None = None


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
    _display: Display = field(default_factory=Display, repr=False)

    def grey(self) -> np.ndarray:
        """uint8 [H, W], as it is shown: upright, of square pixels."""
        frame = self._frame
        image: np.ndarray
        if frame.format.name in _LUMA_FIRST:
            plane = frame.planes[0]
            padded = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            image = padded[:, : plane.width]
        else:
            image = _converted(frame, format="gray")
        size = square_size(frame.width, frame.height, self._display.pixel_aspect)
        if size != (frame.width, frame.height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return self._upright(image)

    def rgb(self) -> np.ndarray:
        """uint8 [H, W, 3], as it is shown: upright, of square pixels."""
        frame = self._frame
        width, height = square_size(frame.width, frame.height, self._display.pixel_aspect)
        return self._upright(
            _converted(frame, format="rgb24", width=width, height=height, interpolation="LANCZOS")
            if (width, height) != (frame.width, frame.height)
            else _converted(frame, format="rgb24")
        )

    @property
    def rotation(self) -> int:
        """Degrees clockwise by which the stored picture is turned to be shown, after any mirroring."""
        return 0 if self._display.matrix is None else rotation_of(self._display.matrix)

    @property
    def num_bytes(self) -> int:
        """What it occupies."""
        return sum(plane.buffer_size for plane in self._frame.planes)

    @property
    def time_in_stream(self) -> int | None:
        """Its presentation time in the units of its stream."""
        return self._frame.pts

    def _upright(self, image: np.ndarray) -> np.ndarray:
        return image if self._display.matrix is None else as_shown(image, self._display.matrix)


class _Converter(local):
    """One a thread: swscale takes longer to set up than to convert a frame, and would start threads for each
    one, whose stacks count as a worker's memory."""

    def __init__(self) -> None:
        self.reformatter = VideoReformatter()


_converter = _Converter()


def _converted(frame: av.VideoFrame, **how: Any) -> np.ndarray:
    """A frame's pixels in another format or size; `how` is as for PyAV's reformat."""
    return _converter.reformatter.reformat(frame, threads=1, **how).to_ndarray()


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


def rotation_of(matrix: np.ndarray) -> int:
    """The turn of a display matrix, as `as_shown` takes it: 0, 90, 180 or 270 degrees clockwise."""
    _, _, _, c, d, *_ = matrix.tolist()
    return round(math.degrees(math.atan2(-c, d)) / 90) * 90 % 360


def square_size(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """Width and height of a frame in square pixels; no side gets smaller, so that no detail is lost."""
    if pixel_aspect > 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def display_of(stream: av.VideoStream, frame: av.VideoFrame) -> Display:
    """How a stream's frames are shown, by its first one.

    PyAV's side data and its frame hold each other, and a frame holds all that its decoder has allocated. So a
    tiny copy is asked, and once a stream.
    """
    tiny = _converter.reformatter.reformat(frame, width=16, height=16, format="gray", threads=1)
    side_data: Any = tiny.side_data  # PyAV's own hints miss what it holds
    if "DISPLAYMATRIX" not in side_data:
        return Display(pixel_aspect_of(stream))
    return Display(pixel_aspect_of(stream), np.frombuffer(side_data["DISPLAYMATRIX"], np.int32).copy())


def pixel_aspect_of(stream: av.VideoStream) -> Fraction:
    """Width over height of a stream's pixels; 1 where it says nothing, or nothing that can be."""
    aspect = stream.sample_aspect_ratio
    if aspect and Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT:
        return Fraction(aspect)
    return Fraction(1)
