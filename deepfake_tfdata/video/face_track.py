"""One face through the frames of a clip, its boxes as detected and smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.video.mask import Mask, shares_in
from deepfake_tfdata.video.smooth import fill_gaps, size_range, smooth_track, smoothing_window
from deepfake_tfdata.video.track import side


@dataclass(frozen=True)
class FaceTrack:
    """One face through the T frames of a clip.

    Attributes:
        boxes: float32 [T, 4], (left, top, right, bottom) in pixels, as detected; zero where not found.
        found: bool [T].
        smooth: float32 [T, 4], smoothed, gaps filled, of one size unless the face's changes too much for it;
            zero where the face was found in no frame.
        mask_shares: float [N], of the manipulated area in the boxes of those frames that have a mask.
        size_range: the largest of its smoothed sizes over the smallest.
    """

    boxes: np.ndarray
    found: np.ndarray
    smooth: np.ndarray
    mask_shares: np.ndarray
    size_range: float = 1.0

    def crops(self, tracking: str) -> np.ndarray:
        """The boxes to crop, float32 [T, 4], gaps filled; the face must have been found."""
        return self.smooth if tracking == "smooth" else fill_gaps(self.boxes, self.found)

    @property
    def weight(self) -> float:
        """Large and long-lived faces weigh most: the sum of the box's side over the frames it is seen in."""
        return sum(map(side, self.boxes[self.found]))

    def is_usable(self, min_found: float) -> bool:
        """Whether the face was found at all, and in that share of the frames."""
        return bool(self.found.any()) and self.found.mean() >= min_found


def face_track(
    boxes: np.ndarray,
    found: np.ndarray,
    timestamps: np.ndarray,
    spec: ClipSpec,
    masks: Sequence[Mask | None] = (),
) -> FaceTrack:
    """The track of one face of a clip.

    Args:
        boxes, found: as follow_all gives them.
        timestamps: [T], seconds.
        spec: of the clip.
        masks: T masks of the manipulated area, or none.
    """
    window = smoothing_window(timestamps)
    smooth, sizes = boxes, 1.0
    if found.any():
        smooth = smooth_track(boxes, found, window, spec.max_size_range)
        sizes = size_range(boxes, found, window)
    return FaceTrack(boxes, found, smooth, shares_in(boxes, found, masks), sizes)


def median_side(tracks: Sequence[FaceTrack]) -> float:
    """Of the boxes as detected, pixels; one of the tracks must have some."""
    seen = np.concatenate([track.boxes[track.found] for track in tracks])
    return float(np.median(np.sqrt(np.prod(seen[:, 2:] - seen[:, :2], axis=1))))
