"""Makers of the odd and broken files that occur in real collections of video."""

import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition

from tests.fakes import blank_frames, face_frames, write_video

NUM_FRAMES = 40
SIDE = 192
Frames = list[np.ndarray]


def face_video(path: Path, codec: str = "libx264", num_frames: int = NUM_FRAMES, **options: str) -> Path:
    """A face, small enough to be quick."""
    return write_video(path, face_frames(num_frames, SIDE), codec, **options)


def rotated(path: Path, degrees: int) -> Path:
    """Pictures stored turned, with the matrix of the track header that turns them back, clockwise."""
    write_video(path, [np.rot90(frame, degrees // 90) for frame in face_frames(NUM_FRAMES, SIDE)])
    return with_display_matrix(path, *{90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees])


def with_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Writes a matrix into the track header of an mp4 file.

    By the QuickTime specification (a b 0, c d 0, 0 0 1) maps (x, y), y downwards, to (ax + cy, bx + dy).
    """
    one = 1 << 16
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def with_pixel_aspect(path: Path, frames: Frames, aspect: Fraction, pix_fmt: str = "yuv420p") -> Path:
    """Frames squeezed along one side, with a header that says so."""
    height, width = frames[0].shape[:2]
    size = (round(width / aspect), height) if aspect > 1 else (width, round(height * aspect))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = *size, pix_fmt, {"crf": "10"}
        stream.codec_context.sample_aspect_ratio = aspect
        squeezed = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
        _encode(container, stream, squeezed)
    return path


def claimed_pixel_aspect(path: Path, aspect: Fraction) -> Path:
    """Writes other proportions of the pixels into an mp4 file."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">II", data, data.index(b"pasp") + 4, aspect.numerator, aspect.denominator)
    path.write_bytes(data)
    return path


def variable_rate(path: Path) -> Path:
    """Frames at 10 to 80 milliseconds from each other."""
    steps = np.random.default_rng(0).integers(10, 80, NUM_FRAMES)
    return timed(path, np.cumsum(steps).tolist())


def timed(path: Path, milliseconds: Iterable[int]) -> Path:
    """Frames at the given times."""
    with av.open(str(path), "w") as container:
        stream = _add_stream(container, SIDE)
        stream.codec_context.time_base = Fraction(1, 1000)
        for frame, time in zip(face_frames(NUM_FRAMES, SIDE), milliseconds, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def audio_only(path: Path) -> Path:
    """A second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for _ in range(16):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate = 16000
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def with_cover_picture(path: Path) -> Path:
    """A cover picture is the first video stream."""
    return _two_streams(path, blank_frames(1, 96), face_frames(NUM_FRAMES, SIDE), Disposition.attached_pic)


def with_two_videos(path: Path) -> Path:
    """The face is in the first."""
    return _two_streams(
        path, face_frames(NUM_FRAMES, SIDE), blank_frames(NUM_FRAMES, 96), Disposition.default
    )


def _two_streams(path: Path, first: Frames, second: Frames, first_is: Disposition) -> Path:
    with av.open(str(path), "w") as container:
        is_picture = first_is == Disposition.attached_pic
        streams = [
            _add_stream(container, len(first[0]), "mjpeg" if is_picture else "libx264"),
            _add_stream(container, len(second[0])),
        ]
        streams[0].disposition = first_is
        for stream, frames in zip(streams, (first, second), strict=True):
            _encode(container, stream, frames)
    return path


def _add_stream(container: av.container.OutputContainer, side: int, codec: str = "libx264") -> av.VideoStream:
    stream = container.add_stream(codec, rate=25)
    stream.width = stream.height = side
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return stream


def cut_by_edit_list(path: Path, num_frames: int) -> Path:
    """Changes the edit list of an mp4 file so that it leaves the first frames out."""
    data = bytearray(path.read_bytes())
    start = data.index(b"elst") + 16
    (ticks_a_frame,) = struct.unpack_from(">I", data, data.index(b"stts") + 16)
    (media_time,) = struct.unpack_from(">I", data, start)
    struct.pack_into(">I", data, start, media_time + num_frames * ticks_a_frame)
    path.write_bytes(data)
    return path


def changing_size(path: Path) -> Path:
    """A raw stream that goes on in another size."""
    parts = []
    for side in (SIDE, 128):
        part = write_video(path.with_name(f"{path.stem}{side}.h264"), face_frames(NUM_FRAMES // 2, side))
        parts.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(parts))
    return path


def wrong_header_count(path: Path, claimed: int) -> Path:
    """An AVI file whose headers claim another number of frames."""
    face_video(path, "mpeg4")
    data = bytearray(path.read_bytes())
    for tag, offset in ((b"avih", 24), (b"strh", 40)):
        at = data.index(tag) + offset
        struct.pack_into("<I", data, at, claimed)
    path.write_bytes(data)
    return path


def forged_index(path: Path, num_frames: int) -> Path:
    """The index claims any number of frames in a few bytes; FFmpeg would make 70 of each."""
    face_video(path)
    data = bytearray(path.read_bytes())
    # All samples are of one byte, of one duration, and in one chunk.
    struct.pack_into(">II", data, data.index(b"stsz") + 8, 1, num_frames)
    struct.pack_into(">I", data, data.index(b"stts") + 12, num_frames)
    struct.pack_into(">I", data, data.index(b"stsc") + 16, num_frames)
    path.write_bytes(data)
    return path


def claimed_size(path: Path, side: int) -> Path:
    """A raw video whose header claims frames of any size."""
    write_video(path, blank_frames(8, 64), "rawvideo")
    data = bytearray(path.read_bytes())
    struct.pack_into("<ii", data, data.index(b"strf") + 12, side, side)
    path.write_bytes(data)
    return path


def huge_frames(path: Path, codec: str = "mjpeg", **options: str) -> Path:
    """Black frames, a little larger than the limit, in few bytes."""
    return write_video(path, [np.zeros((2176, 16384, 3), np.uint8)] * 2, codec, "yuvj420p", **options)


def many_frames(path: Path, count: int) -> Path:
    """One tiny frame, again and again."""
    with av.open(str(path), "w") as container:
        stream = _add_stream(container, 16, "mpeg4")
        (packet, *_) = stream.encode(
            av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        )
        data = bytes(packet)
        for time in range(count):
            copy = av.Packet(data)
            copy.stream, copy.pts, copy.dts = stream, time, time
            copy.time_base, copy.is_keyframe = Fraction(1, 25), True
            container.mux(copy)
    return path


def truncated(path: Path, share: float) -> Path:
    """Leaves the beginning of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def header_only(path: Path) -> Path:
    """A file with its index in front, of which nothing but the index has arrived."""
    data = streamable(path).read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])
    return path


def streamable(path: Path) -> Path:
    """An mp4 file with its index in front."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        _encode(container, _add_stream(container, SIDE), face_frames(NUM_FRAMES, SIDE))
    return path


def _encode(container: av.container.OutputContainer, stream: av.VideoStream, frames: Frames) -> None:
    for frame in frames:
        container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
    container.mux(stream.encode())
