"""How much a face changes: a still picture hardly at all, however it is moved, zoomed or turned."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from deepfake_tfdata.video.crop import crop, grow_boxes
from deepfake_tfdata.video.cut import ClipPlace
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame
from deepfake_tfdata.video.windows import evenly

# A face is looked at in so many pixels a side, with a rim for what moves in, and so much blurred: fine enough
# for lids and lips, too coarse for noise and for what resampling does to edges.
_SIDE, _RIM, _BLUR = 64, 8, 1.5
# Between two frames, at least: from one to the next in 25 a second hardly anything changes.
_SECONDS = 0.5
# Mouth and eyes change, not the whole face; and nobody speaks all the time. So the largest differences of two
# pictures count, and the upper quartile of pairs, of which so many are looked at.
_PERCENTILE_OF_PIXELS, _PERCENTILE_OF_PAIRS, _MAX_PAIRS = 98, 75, 64
_ALIGNING = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5)


class FaceMotion:
    """Watches the face of a clip while its frames come by."""

    def __init__(self, place: ClipPlace, frames: ChosenFrames) -> None:
        rows, boxes = place.rows[place.track.found], place.track.smooth[place.track.found]
        self._boxes = dict(zip(rows.tolist(), grow_boxes(boxes, _RIM / _SIDE), strict=True))
        self._times = frames.timestamps[rows]
        self._pictures: list[np.ndarray] = []

    def take(self, row: int, frame: DecodedFrame) -> None:
        """One of the video's frames, in their order."""
        if row in self._boxes:
            self._pictures.append(_picture(frame.grey(), self._boxes[row]))

    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Every picture with the first one half a second later; if there is none, the first with the last."""
        later = np.searchsorted(self._times, self._times + _SECONDS).tolist()
        pairs = [(here, there) for here, there in enumerate(later) if there < len(later)]
        pairs = pairs or [(0, len(later) - 1)][: len(later) - 1]
        return [(self._pictures[here], self._pictures[there]) for here, there in pairs]


def motion_of(watched: Sequence[FaceMotion]) -> float | None:
    """Of one face in several clips, whose frames have all come; see SeenFace. None of a single frame."""
    pairs = [pair for clip in watched for pair in clip.pairs()]
    found = [change(*pairs[number]) for number in evenly(len(pairs), _MAX_PAIRS).tolist()]
    return float(np.percentile(found, _PERCENTILE_OF_PAIRS)) if found else None


def change(before: np.ndarray, after: np.ndarray) -> float:
    """How much two pictures of a face, float32 [80, 80], differ where they do most, grey levels.

    They are first brought into line by the affine map of the largest correlation (Evangelidis and Psarakis,
    IEEE PAMI 30 (2008)).
    """
    matrix: np.ndarray = np.eye(2, 3, dtype=np.float32)
    try:
        _, matrix = cv2.findTransformECC(  # type: ignore[call-overload]  # its stubs want a mask
            before, after, matrix, cv2.MOTION_AFFINE, _ALIGNING, None, 1
        )
    except cv2.error:  # they have too little in common
        matrix = np.eye(2, 3, dtype=np.float32)
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    aligned = cv2.warpAffine(after, matrix, after.shape[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE)
    difference = (before - aligned)[_RIM:-_RIM, _RIM:-_RIM]
    return float(np.percentile(np.abs(difference - np.median(difference)), _PERCENTILE_OF_PIXELS))


def _picture(grey: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A face, small: float32 [80, 80] of uint8 [H, W] in a box that need not lie on whole pixels."""
    around = np.concatenate([np.floor(box[:2]), np.ceil(box[2:])]).astype(int)
    part = Image.fromarray(np.ascontiguousarray(crop(grey, around)))
    left, top, right, bottom = (box - np.tile(around[:2], 2)).tolist()
    side = _SIDE + 2 * _RIM
    small = part.resize((side, side), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
    return cv2.GaussianBlur(np.asarray(small, np.float32), (0, 0), _BLUR)
