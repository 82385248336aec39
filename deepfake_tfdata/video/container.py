"""Video files, opened so that nothing else is read and nothing too large is allocated."""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.stream import Disposition

from deepfake_tfdata.clips.limits import MAX_FRAMES_IN_VIDEO, MAX_PIXELS
from deepfake_tfdata.video.errors import VideoError

# Containers and bare streams of video, by FFmpeg's names. Whatever a file is called, FFmpeg goes by its
# content, and a playlist or a list of files to join would make it read others.
_FORMATS = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "mxf", "dv", "ivf"),
    *("h264", "hevc", "m4v", "mpegvideo", "yuv4mpegpipe"),
)
_OPTIONS = {
    "format_whitelist": ",".join(_FORMATS),
    "protocol_whitelist": "file",
    # Some HEVC streams and some containers have checksums.
    "err_detect": "crccheck",
    # The decoder refuses to allocate what is larger, already while the file is being opened.
    "max_pixels": str(MAX_PIXELS),
}


@contextmanager
def open_stream(path: str) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """The file and its first video stream that moves.

    Raises:
        VideoError: it can't be opened or read, has no video in it, or is larger than the limits.
    """
    try:
        _check_file(path)
        # The prefix keeps FFmpeg from reading names such as 'concat:a.mp4' or 'http:b' as more than a file's.
        with _open(f"file:{path}") as container:
            stream = _picture_stream(container)
            # One thread: the converter runs one process a core; frame threads would only hold frames.
            stream.codec_context.thread_count = 1
            stream.codec_context.options = _OPTIONS
            check_size(stream.codec_context.width, stream.codec_context.height)
            yield container, stream
    except av.error.InvalidDataError as error:
        raise VideoError(
            "unreadable", "no video can be recognised in it: it is truncated or something else"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError("unreadable", f"it can't be read: {error.strerror or error}") from error


def check_count(num_frames: int) -> None:
    """VideoError where a video has more frames than the limit."""
    if num_frames > MAX_FRAMES_IN_VIDEO:
        raise VideoError("too_large", f"it has more than {MAX_FRAMES_IN_VIDEO:,} frames; cut it into parts")


def check_size(width: int, height: int) -> None:
    """VideoError where a frame has no size or more pixels than the limit."""
    if not width or not height:
        # FFmpeg forgets a size above its own option.
        raise VideoError(
            "unreadable", f"its frames have no size, or one above the limit of {MAX_PIXELS:,} pixels"
        )
    if width * height > MAX_PIXELS:
        raise VideoError(
            "too_large", f"its frames of {width}x{height} are above the limit of {MAX_PIXELS:,} pixels"
        )


def _open(url: str) -> av.container.InputContainer:
    try:
        return av.open(url, options=_OPTIONS)
    except av.error.ArgumentError as error:
        if error.errno != errno.EINVAL:
            raise
        raise VideoError(
            "unreadable", "it is no video, whatever its name says: a picture, or a list of other files"
        ) from error


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
