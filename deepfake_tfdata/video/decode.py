"""Exact frames out of a video file, in one decoding pass."""

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition

from deepfake_tfdata.clips.limits import MAX_FRAMES_IN_VIDEO, MAX_HELD_BYTES, MAX_PIXELS
from deepfake_tfdata.video.errors import VideoError

# Formats whose first plane is 8-bit luma: the detector's grey image comes for free.
_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")
_OPTIONS = {
    # A playlist under the name of a video reads nothing from the network.
    "protocol_whitelist": "file",
    # The decoder refuses to allocate what is larger, already while the file is being opened.
    "max_pixels": str(MAX_PIXELS),
}

# In these a packet is a frame that is shown; others may hold frames that only serve to predict from.
_CODECS_WITHOUT_HIDDEN_FRAMES = ("h264", "hevc", "mpeg4")

# From a packet's presentation time, in its stream's units, to the frame's position in the video.
DisplayOrder = dict[int | None, int]


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
            padded = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            return self._upright(padded[:, : plane.width])
        return self._upright(frame.to_ndarray(format="gray"))

    def rgb(self) -> np.ndarray:
        """uint8 [H, W, 3], upright."""
        return self._upright(self._frame.to_ndarray(format="rgb24"))

    @property
    def num_bytes(self) -> int:
        """What it occupies."""
        return sum(plane.buffer_size for plane in self._frame.planes)

    def _upright(self, image: np.ndarray) -> np.ndarray:
        # Containers say how to turn the picture; phones film upside down without it.
        return np.rot90(image, k=round(self._frame.rotation / 90)) if self._frame.rotation else image


@dataclass(frozen=True)
class ChosenFrames:
    """The chosen frames of a video, in order; iterate as often as needed.

    Frames that fit in memory are held. Larger ones (32 frames of 4K are 400 MB) are decoded again by every
    iteration.

    Attributes:
        path: the video file.
        indices: int64 [T], positions in the video.
        timestamps: float64 [T], seconds.
    """

    path: str
    indices: np.ndarray
    timestamps: np.ndarray
    _held: list[DecodedFrame] | None = field(repr=False)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[DecodedFrame]:
        if self._held is not None:
            return iter(self._held)
        wanted = set(self.indices.tolist())
        return (frame for frame in _decode(self.path) if frame.index in wanted)


def decode_frames(
    path: str,
    choose: Callable[[int], np.ndarray],
    watch: Callable[[DecodedFrame], object] | None = None,
) -> ChosenFrames:
    """Decodes a video once, forward, and keeps the chosen frames.

    Seeking to each frame is slower (it decodes from the key frame before, every time) and, with open groups
    of pictures or variable frame rate, inexact.

    Args:
        path: the video file, or a folder of numbered images.
        choose: from the number of frames in the video to the indices to keep, increasing.
        watch: called with every frame that is decoded, also with those that only help to decode others; again
            from the first on where decoding has to begin anew. Not with images of a folder.

    Raises:
        VideoError: the file can't be opened or decoded, has no video in it, or is larger than the limits;
            whatever `choose` raises.
    """
    if _is_folder(path):
        from deepfake_tfdata.video.image_folder import choose_images  # which gives frames of this module

        return choose_images(path, choose)
    count, order = _scan_packets(path)
    if not count:
        raise _nothing_decoded()
    indices = choose(count)
    if order is not None:
        frames, _ = _decode_at(path, indices, watch, order)
        if len(frames.timestamps) == len(indices):
            return frames
        del frames  # a packet gave no frame, so that the order can't be trusted
    frames, decoded = _decode_at(path, indices, watch)
    if decoded != count:
        # Some packets gave no frame (a damaged end, a hidden frame), so the choice was made on a wrong count.
        del frames  # before as many are held again
        frames, _ = _decode_at(path, choose(decoded), watch)
    return frames


def shrink(image: np.ndarray, width: int) -> np.ndarray:
    """The image at `width` pixels wide, or as it is where it is no wider; area averaging."""
    if image.shape[1] <= width:
        return np.ascontiguousarray(image)
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _decode_at(
    path: str,
    indices: np.ndarray,
    watch: Callable[[DecodedFrame], object] | None,
    order: DisplayOrder | None = None,
) -> tuple[ChosenFrames, int]:
    """The frames at the indices, and how many frames the video turned out to have.

    With the display order given, frames that neither are wanted nor help to decode another are skipped.
    """
    wanted = set(indices.tolist())
    held: list[DecodedFrame] = []
    timestamps: list[float] = []
    fits = True
    frame = None
    for frame in _decode(path) if order is None else _decode_needed(path, wanted, order):
        if watch is not None:
            watch(frame)
        if frame.index in wanted:
            timestamps.append(frame.timestamp)
            fits = frame.num_bytes * len(wanted) <= MAX_HELD_BYTES
            if fits:
                held.append(frame)
    if frame is None and order is None:
        raise _nothing_decoded()
    last = -1 if frame is None else frame.index
    return ChosenFrames(path, indices, np.array(timestamps), held if fits else None), last + 1


def _decode(path: str) -> Iterator[DecodedFrame]:
    """Every frame in display order."""
    with _open_stream(path) as (container, stream):
        rate = float(stream.average_rate or 25)
        size = None
        for index, frame in enumerate(_tolerant_frames(container, stream)):
            _check_count(index + 1)
            if size not in (None, (frame.width, frame.height)):
                change = f"{size[0]}x{size[1]} to {frame.width}x{frame.height}"
                raise VideoError("unreadable", f"its picture changes size from {change}")
            size = frame.width, frame.height
            yield DecodedFrame(index, index / rate if frame.time is None else frame.time, frame)


def _decode_needed(path: str, wanted: set[int], order: DisplayOrder) -> Iterator[DecodedFrame]:
    """The wanted frames and those that others need; ends early where the order does not hold."""
    with _open_stream(path) as (container, stream):
        rate = float(stream.average_rate or 25)
        size = stream.codec_context.width, stream.codec_context.height
        for packet in container.demux(stream):
            stream.codec_context.skip_frame = "DEFAULT" if order.get(packet.pts) in wanted else "NONREF"
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                return
            for frame in frames:
                index = order.get(frame.pts)
                if index is None or frame.is_corrupt or (frame.width, frame.height) != size:
                    return
                yield DecodedFrame(index, index / rate if frame.time is None else frame.time, frame)


def _tolerant_frames(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    """Frames in display order; a damaged packet loses the frames that need it and no other."""
    for packet in container.demux(stream):
        try:
            # A corrupt frame is half made up by the decoder, and looks manipulated.
            yield from (frame for frame in packet.decode() if not frame.is_corrupt)
        except av.error.InvalidDataError:
            continue


def _scan_packets(path: str) -> tuple[int, DisplayOrder | None]:
    """Frames in the file by its packets: no decoding, and right where the header's count is not.

    Returns:
        The number of frames, and their display order where the packets tell it: every one has a time of
        its own, none is cut off by an edit list, and the codec has no hidden frames.
    """
    with _open_stream(path) as (container, stream):
        times: list[int] = []
        count, cut, timed = 0, False, True
        for packet in container.demux(stream):
            if packet.size:
                # An edit list cuts packets off that the decoder still needs.
                count += not packet.is_discard
                cut |= packet.is_discard
                if packet.pts is None:
                    timed = False
                else:
                    times.append(packet.pts)
                _check_count(count)
        clear = timed and not cut and len(set(times)) == len(times)
        if clear and stream.codec_context.name in _CODECS_WITHOUT_HIDDEN_FRAMES:
            return count, {time: index for index, time in enumerate(sorted(times))}
        return count, None


def _check_count(num_frames: int) -> None:
    if num_frames > MAX_FRAMES_IN_VIDEO:
        raise VideoError("too_large", f"it has more than {MAX_FRAMES_IN_VIDEO:,} frames; cut it into parts")


def _check_size(width: int, height: int) -> None:
    if not width or not height:
        # FFmpeg forgets a size above its own option.
        raise VideoError(
            "unreadable", f"its frames have no size, or one above the limit of {MAX_PIXELS:,} pixels"
        )
    if width * height > MAX_PIXELS:
        raise VideoError(
            "too_large", f"its frames of {width}x{height} are above the limit of {MAX_PIXELS:,} pixels"
        )


def _nothing_decoded() -> VideoError:
    return VideoError("unreadable", "no frame could be decoded: the file is truncated or damaged")


@contextmanager
def _open_stream(path: str) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    try:
        _check_file(path)
        # The prefix keeps FFmpeg from reading names such as 'concat:a.mp4' or 'http:b' as more than a file's.
        with av.open(f"file:{path}", options=_OPTIONS) as container:
            stream = _picture_stream(container)
            # One thread: the converter runs one process a core; frame threads would only hold frames.
            stream.codec_context.thread_count = 1
            stream.codec_context.options = _OPTIONS
            _check_size(stream.codec_context.width, stream.codec_context.height)
            yield container, stream
    except av.error.InvalidDataError as error:
        raise VideoError(
            "unreadable", "no video can be recognised in it: it is truncated or something else"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError("unreadable", f"it can't be read: {error.strerror or error}") from error


def _is_folder(path: str) -> bool:
    with suppress(OSError):
        return Path(path).is_dir()
    return False  # whoever opens it finds the reason


def _check_file(path: str) -> None:
    about = Path(path).stat()
    if not stat.S_ISREG(about.st_mode):
        # A pipe would wait for a writer for ever.
        raise VideoError("unreadable", "it is a folder or a device and no file")
    if not about.st_size:
        raise VideoError("unreadable", "the file is empty")


def _picture_stream(container: av.container.InputContainer) -> av.VideoStream:
    """The first video stream that moves; a cover picture is a video stream too."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        raise VideoError(
            "unreadable", "it has no video stream" + (", only sound" if container.streams.audio else "")
        )
    if moving[0].codec_context is None:
        raise VideoError("unreadable", "there is no decoder for its codec")
    return moving[0]
