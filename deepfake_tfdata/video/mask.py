"""Where a fake was manipulated: FaceForensics++'s mask videos, bright on black, a frame for a frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.video.decode import ChosenFrames, decode_frames
from deepfake_tfdata.video.errors import VideoError

# A face with less of the manipulated area in its box is another face.
MIN_MASK_OVERLAP = 0.1
# Compression leaves grey around the bright area.
_BRIGHT = 64
# Masks are thinned out to about this many rows: shares need no more.
_ROWS = 256


@dataclass(frozen=True)
class Mask:
    """The manipulated area of a frame.

    Attributes:
        bright: bool [H, W], True in it, somewhere at least.
        scale: its size as a share of the frame's: width, height.
    """

    bright: np.ndarray
    scale: tuple[float, float]

    def share_in(self, box: np.ndarray) -> float:
        """The share of the area that lies in a box (left, top, right, bottom), pixels of the frame."""
        left, top, right, bottom = np.maximum(np.round(box * np.tile(self.scale, 2)), 0).astype(int)
        return float(self.bright[top:bottom, left:right].sum() / self.bright.sum())


def read_masks(path: str, frames: ChosenFrames) -> list[Mask | None]:
    """The masks of a video's chosen frames.

    Args:
        path: of the mask video; '' gives no masks.
        frames: of the video.

    Returns:
        One a frame: None where nothing is bright, or the mask video, which may be shorter, has no such frame.
        An empty list where it can't be read or has none of the frames.
    """
    if not path:
        return []

    def shared(count: int) -> np.ndarray:
        indices = frames.indices[frames.indices < count]
        if not len(indices):
            raise VideoError("too_short", "the mask has none of the frames")
        return indices

    try:
        bright = {frame.index: _bright(frame.rgb()) for frame in decode_frames(path, shared)}
    except VideoError:
        return []
    height, width = next(iter(frames)).grey().shape
    return [
        Mask(found, (found.shape[1] / width, found.shape[0] / height)) if found is not None else None
        for found in (bright.get(index) for index in frames.indices.tolist())
    ]


def shares_in(boxes: np.ndarray, found: np.ndarray, masks: Sequence[Mask | None]) -> np.ndarray:
    """The share of every mask in its frame's box, of frames that have both.

    Args:
        boxes, found: of T frames, as FaceTrack has them.
        masks: T, or none.
    """
    if not masks:
        return np.zeros(0)
    both = zip(boxes, found, masks, strict=True)
    return np.array([mask.share_in(box) for box, seen, mask in both if seen and mask])


def _bright(picture: np.ndarray) -> np.ndarray | None:
    """bool [H, W] of a mask's frame, uint8 [H, W, 3], thinned out; None where nothing is bright."""
    step = max(1, picture.shape[0] // _ROWS)
    bright: np.ndarray = picture[::step, ::step].max(axis=2) >= _BRIGHT
    return bright if bright.any() else None
