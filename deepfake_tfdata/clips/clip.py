"""A clip: the frames of one region of one video, encoded, with all that a record stores about them."""

from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.video import Video


@dataclass(frozen=True)
class Clip:
    """One region of one video over T frames.

    Attributes:
        clip_id: unique in a region's folder.
        video: where it comes from.
        spec_hash: of the ClipSpec it was made with.
        frames: T encoded images.
        height, width: of an image, pixels.
        frame_indices: int64 [T], positions in the video.
        timestamps: float32 [T], seconds.
        boxes: float32 [T, 4], (left, top, right, bottom) of the crop in pixels of the source frame.
        face_found: bool [T], False where the box was carried over from the neighbours.
    """

    clip_id: str
    video: Video
    spec_hash: str
    frames: list[bytes]
    height: int
    width: int
    frame_indices: np.ndarray
    timestamps: np.ndarray
    boxes: np.ndarray
    face_found: np.ndarray
