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

# How far around a box a face is looked for, and how much larger or smaller it may be.
_NEAR = 0.3


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
        return self._detect(small, smallest, max(small.shape)) * (grey.shape[1] / small.shape[1])

    def near(self, frame: DecodedFrame, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Faces around and between two boxes of one face; see LocalDetector."""
        grey = frame.grey()
        small = shrink(grey, _DETECTION_WIDTH)
        scale = grey.shape[1] / small.shape[1]
        boxes = np.stack([before, after]) / scale
        sides = boxes[:, 2] - boxes[:, 0]
        margin = _NEAR * sides.max()
        left, top = np.maximum(boxes[:, :2].min(axis=0) - margin, 0).astype(int)
        right, bottom = (boxes[:, 2:].max(axis=0) + margin).astype(int)
        smallest, largest = int(sides.min() * (1 - _NEAR)), int(sides.max() * (1 + _NEAR))
        found = self._detect(np.ascontiguousarray(small[top:bottom, left:right]), smallest, largest)
        return (found + np.array([left, top, left, top], np.float32)) * scale

    def _detect(self, image: np.ndarray, smallest: int, largest: int) -> np.ndarray:
        """The boxes of the convention, in pixels of the image, of faces between two sides."""
        found = self._cascade.detectMultiScale(
            image,
            scaleFactor=1.1,
            minNeighbors=5,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        left, top, width, height = np.asarray(found, np.float32).reshape(-1, 4).T
        top = top + _DOWNWARD_SHIFT * height
        return np.stack([left, top, left + width, top + height], axis=1)
