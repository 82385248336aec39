"""How much a face changes: of a still picture, however it is moved or zoomed, hardly at all."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from deepfake_tfdata.video.crop import crop
from deepfake_tfdata.video.cut import ClipPlace
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame

# A face is looked at in so many pixels a side: fine enough for lids and lips, too coarse for noise.
_SIDE = 32
# Between two frames, at least: from one to the next in 25 a second hardly anything changes.
_SECONDS = 0.5


class FaceMotion:
    """Watches the face of a clip while its frames come by."""

    def __init__(self, place: ClipPlace, frames: ChosenFrames) -> None:
        rows, track = place.rows[place.track.found], place.track
        self._boxes = dict(zip(rows.tolist(), track.smooth[track.found], strict=True))
        self._times = frames.timestamps[rows]
        self._pictures: list[np.ndarray] = []

    def take(self, row: int, frame: DecodedFrame) -> None:
        """One of the video's frames, in their order."""
        if row in self._boxes:
            self._pictures.append(face_picture(frame.grey(), self._boxes[row]))

    def changes(self) -> list[float]:
        """Mean absolute differences, grey levels, when all frames have come; none of a single frame."""
        return [
            float(np.abs(self._pictures[here] - self._pictures[there]).mean())
            for here, there in _pairs(self._times)
        ]


def median_change(faces: Sequence[FaceMotion]) -> float | None:
    """Of one face in several clips; None where there is nothing to compare."""
    found = [change for face in faces for change in face.changes()]
    return float(np.median(found)) if found else None


def face_picture(grey: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A face, small.

    Args:
        grey: uint8 [H, W], the frame.
        box: float [4], which need not lie on whole pixels, nor in the frame.

    Returns:
        float32 [32, 32], grey levels.
    """
    around = np.concatenate([np.floor(box[:2]), np.ceil(box[2:])]).astype(int)
    part = Image.fromarray(np.ascontiguousarray(crop(grey, around)))
    left, top, right, bottom = (box - np.tile(around[:2], 2)).tolist()
    small = part.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return np.asarray(small, np.float32)


def _pairs(times: np.ndarray) -> list[tuple[int, int]]:
    """Each of float [N] seconds, increasing, with the first one half a second later; else first and last."""
    later = np.searchsorted(times, times + _SECONDS)
    pairs = [(here, there) for here, there in enumerate(later.tolist()) if there < len(times)]
    return pairs or [(0, len(times) - 1)][: len(times) - 1]
