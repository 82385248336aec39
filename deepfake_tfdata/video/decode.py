"""Exact frames out of a video file, in one decoding pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
import cv2
import numpy as np

from deepfake_tfdata.video.errors import VideoError

# Formats whose first plane is 8-bit luma: the detector's grey image comes for free.
_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")


@dataclass(frozen=True)
class DecodedFrame:
    """A frame as the decoder left it; pixels are converted only when asked for.

    Attributes:
        index: position in the video, from 0.
        timestamp: seconds.
    """

    index: int
    timestamp: float
    _frame: av.VideoFrame

    def grey(self) -> np.ndarray:
        """uint8 [H, W], upright."""
        frame = self._frame
        if frame.format.name in _LUMA_FIRST:
            plane = frame.planes[0]
            padded = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            return self._upright(padded[:, : plane.width])
        return self._upright(frame.to_ndarray(format="gray"))

    def rgb(self) -> np.ndarray:
        """uint8 [H, W, 3], upright."""
        return self._upright(self._frame.to_ndarray(format="rgb24"))

    def _upright(self, image: np.ndarray) -> np.ndarray:
        # Containers say how to turn the picture; phones film upside down without it.
        return np.rot90(image, k=round(self._frame.rotation / 90)) if self._frame.rotation else image


def decode_frames(path: str, choose: Callable[[int], np.ndarray]) -> list[DecodedFrame]:
    """Decodes a video once, forward, and keeps the chosen frames.

    Seeking to each frame is slower (it decodes from the key frame before, every time) and, with open groups
    of pictures or variable frame rate, inexact.

    Args:
        path: the video file.
        choose: from the number of frames in the video to the indices to keep, increasing.

    Raises:
        VideoError: the file can't be opened or decoded, or has no video in it; whatever `choose` raises.
    """
    count = _count_packets(path)
    frames, decoded = _decode_at(path, choose(count))
    if decoded != count:
        # Some packets gave no frame (a damaged end, an edit list), so the choice was made on a wrong count.
        frames, _ = _decode_at(path, choose(decoded))
    return frames


def shrink(image: np.ndarray, width: int) -> np.ndarray:
    """The image at `width` pixels wide, or as it is where it is no wider; area averaging."""
    if image.shape[1] <= width:
        return np.ascontiguousarray(image)
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _decode_at(path: str, indices: np.ndarray) -> tuple[list[DecodedFrame], int]:
    """The frames at the indices, and how many frames the video turned out to have."""
    wanted = set(indices.tolist())
    kept = []
    index = -1
    with _open_stream(path) as (container, stream):
        for index, frame in enumerate(_tolerant_frames(container, stream)):
            if index in wanted:
                timestamp = frame.time if frame.time is not None else index / float(stream.average_rate or 25)
                kept.append(DecodedFrame(index, timestamp, frame))
    if index < 0:
        raise VideoError("unreadable", "no frame could be decoded")
    return kept, index + 1


def _tolerant_frames(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    """Frames in display order; a damaged packet loses its own frame and no other."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _count_packets(path: str) -> int:
    """Frames in the file by its packets: no decoding, and right where the header's count is missing."""
    with _open_stream(path) as (container, stream):
        return sum(packet.size > 0 for packet in container.demux(stream))


@contextmanager
def _open_stream(path: str) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise VideoError("unreadable", "the file has no video stream")
            stream = container.streams.video[0]
            # One thread: the converter runs one process a core; frame threads would only hold frames.
            stream.codec_context.thread_count = 1
            yield container, stream
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError("unreadable", f"it can't be decoded: {error.strerror or error}") from error
