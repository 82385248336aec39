"""A video as it is shown, with a box and a few words on every face."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from deepfake_tfdata.clips.inspected import DrawnFace
from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.files import atomic_path
from deepfake_tfdata.video.decode import DecodedFrame, decode_all, shrink

_MAX_WIDTH = 1280
_TICKS = 90_000  # a second, of the output's times
# One part of this many of the frame's width is a line; letters are some sixteen lines high.
_LINES = 320
_OPTIONS = {"crf": "20", "preset": "veryfast"}


def annotated(output: str, drawn: Sequence[DrawnFace], video: Video) -> ProcessedVideo:
    """As annotate_video, for a worker process."""
    annotate_video(video.path, output, drawn)
    return ProcessedVideo()


def annotate_video(path: str, output: str, drawn: Sequence[DrawnFace]) -> None:
    """Draws on every frame of a video, and leaves its sound out.

    Args:
        path: of the video.
        output: an mp4 file to write, H.264, upright, at most 1280 pixels wide, with the frames' own times.
        drawn: the faces; in the order in which they are drawn.

    Raises:
        VideoError: the video can't be read.
    """
    faces = [_Brush(face) for face in drawn if face.found.any()]
    with atomic_path(Path(output)) as temporary, _Mp4(temporary) as mp4:
        for frame in decode_all(path):
            picture = frame.rgb()
            small = _even(shrink(picture, _MAX_WIDTH))
            for face in faces:
                face.draw_on(small, frame.index, small.shape[1] / picture.shape[1])
            mp4.add(small, frame)


class _Brush:
    """Draws one face."""

    def __init__(self, face: DrawnFace) -> None:
        self._face = face
        self._frames, self._boxes = face.frame_indices[face.found], face.boxes[face.found]

    def draw_on(self, image: np.ndarray, frame: int, scale: float) -> None:
        """Draws on a frame, uint8 [H, W, 3], that was reduced by that scale; not before or after the face."""
        if not self._frames[0] <= frame <= self._frames[-1]:
            return
        edges = [np.interp(frame, self._frames, edge) * scale for edge in self._boxes.T]
        left, top, right, bottom = (round(float(edge)) for edge in edges)
        line, colour = max(2, image.shape[1] // _LINES), self._face.colour
        cv2.rectangle(image, (left, top), (right, bottom), colour, line)
        font, size, thickness = cv2.FONT_HERSHEY_SIMPLEX, line / 3, max(1, line // 2)
        (width, height), below = cv2.getTextSize(self._face.text, font, size, thickness)
        base = top - line - below
        if base < height:  # there is no room above the box
            base = bottom + line + height
        start = max(0, min(left, image.shape[1] - width))
        cv2.rectangle(image, (start, base - height - line), (start + width, base + below), colour, -1)
        ink = (0, 0, 0) if sum(colour) > 380 else (255, 255, 255)
        cv2.putText(image, self._face.text, (start, base), font, size, ink, thickness, cv2.LINE_AA)


class _Mp4:
    """An mp4 file to add pictures to, in the order of time."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._stream: av.VideoStream | None = None
        self._reformatter = VideoReformatter()
        self._last = -1

    def __enter__(self) -> "_Mp4":
        return self

    def add(self, image: np.ndarray, frame: DecodedFrame) -> None:
        """The next picture, uint8 [H, W, 3] of even sides, at a frame's time or a tick after the last."""
        if self._stream is None:
            self._stream = self._begin(image)
        picture = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(image, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            threads=1,
        )
        self._last = max(self._last + 1, round(frame.timestamp * _TICKS))
        picture.pts, picture.time_base = self._last, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(picture))

    def __exit__(self, *error: object) -> None:
        with self._container:
            if self._stream is not None and error[0] is None:
                self._container.mux(self._stream.encode())

    def _begin(self, image: np.ndarray) -> av.VideoStream:
        stream = self._container.add_stream("libx264", options=_OPTIONS)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.colorspace = int(Colorspace.ITU709)
        stream.codec_context.thread_count = 1
        return stream


def _even(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] without the last row or column where there is an odd number: H.264 needs pairs."""
    height, width = (side // 2 * 2 for side in image.shape[:2])
    return np.ascontiguousarray(image[:height, :width])
