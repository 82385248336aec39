"""OpenCV's frontal-face cascade, which comes with OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import DecodedFrame, shrink

# Haar costs 50 to 400 ms on a full-resolution frame and 10 to 30 ms at this width, at the same recall.
_DETECTION_WIDTH = 480
# A face smaller than this share of the frame's shorter side is a bystander, and searching for it costs most.
_MIN_FACE_SHARE = 0.12
# The cascade's box begins well above the brows: the eyes lie at 38 % of its height, the lips' middle at 82 %.
# Moved down by this share of it, it is of the convention.
_DOWNWARD_SHIFT = 0.08


class HaarDetector:
    """The cascade (Viola and Jones, CVPR 2001) on a downscaled frame; frontal faces only."""

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        # Its own threads would compete with the other workers.
        cv2.setNumThreads(1)

    def __call__(self, video: Video, frame: DecodedFrame) -> np.ndarray:
        """Faces of a frame; see Detector."""
        grey = frame.grey()
        small = shrink(grey, _DETECTION_WIDTH)
        smallest = round(_MIN_FACE_SHARE * min(small.shape))
        found = self._cascade.detectMultiScale(
            small, scaleFactor=1.1, minNeighbors=5, minSize=(smallest, smallest)
        )
        left, top, width, height = np.asarray(found, np.float32).reshape(-1, 4).T
        scale = grey.shape[1] / small.shape[1]
        top = top + _DOWNWARD_SHIFT * height
        return np.stack([left, top, left + width, top + height], axis=1) * scale
