"""One video file: H.264 in MP4, whose size does not depend on what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tools.synthetic.motion import FPS

QUANTIZER = 21  # what crf 20 or so gives on these frames
_BITS_A_PIXEL = 0.35  # three times what the frames need; the first, an intra frame, draws on the buffer


def _x264_options(size: tuple[int, int]) -> dict[str, str]:
    """Constant quality and constant bitrate at once.

    Stripes cost bits, so at constant quality a fake's file is larger, and at constant bitrate its picture is
    worse: either tells the label. Here one quantizer is allowed, the rate is more than it needs, and x264
    fills the rest of the rate with filler units, as in broadcasting. Frame types follow a fixed pattern. Who
    takes the units apart can still count what is not filler; sizes of files and packets say nothing.
    """
    kilobits = round(size[0] * size[1] * FPS * _BITS_A_PIXEL / 1000)
    params = {
        "nal-hrd": "cbr",
        "bitrate": kilobits,
        "vbv-maxrate": kilobits,
        "vbv-bufsize": kilobits // 2,
        "vbv-init": 1,
        "qpmin": QUANTIZER,
        "qpmax": QUANTIZER,
        "mbtree": 0,  # reads memory that nothing wrote: its decisions, and the bytes, differ from run to run
        "keyint": 250,
        "scenecut": 0,
        "bframes": 2,
        "b-adapt": 0,
        "sync-lookahead": 0,
    }
    return {
        "preset": "veryfast",
        "x264-params": ":".join(f"{name}={value}" for name, value in params.items()),
    }


def write_video(path: Path, frames: Iterable[np.ndarray], size: tuple[int, int]) -> None:
    """Encodes frames to a file that appears under its name only when it is whole.

    Args:
        path: Where to; its folder is made.
        frames: RGB uint8 [height, width, 3] each.
        size: Width and height, both even.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        with av.open(str(unfinished), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream("libx264", rate=FPS, options=_x264_options(size))
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_count = 1  # more would make other bytes on another machine
            stream.time_base = Fraction(1, FPS)
            for frame in frames:
                planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)  # far faster than FFmpeg
                container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
            container.mux(stream.encode())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
