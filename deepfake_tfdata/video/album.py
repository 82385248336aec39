"""A few pictures of a whole video, to look at."""

import io

import numpy as np
from PIL import Image

from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame, shrink
from deepfake_tfdata.video.windows import evenly

_MAX_PICTURES, _WIDTH, _QUALITY = 64, 640, 80


class Album:
    """Keeps pictures of a video's chosen frames while they come by.

    Attributes:
        pictures: by frame, JPEG files of it as it is shown, at most 640 pixels wide.
    """

    def __init__(self, frames: ChosenFrames) -> None:
        self.pictures: dict[int, bytes] = {}
        self._wanted = set(frames.indices[evenly(len(frames), _MAX_PICTURES)].tolist())

    def take(self, frame: DecodedFrame) -> None:
        """One of the frames."""
        if frame.index in self._wanted:
            self.pictures[frame.index] = _jpeg(frame.rgb())


def _jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(shrink(image, _WIDTH)).save(buffer, "jpeg", quality=_QUALITY)
    return buffer.getvalue()
