"""Face detection in one frame."""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from deepfake_tfdata.video.decode import shrink

# Haar costs 50 to 400 ms on a full-resolution frame and 10 to 30 ms at this width, at the same recall.
_DETECTION_WIDTH = 480
# A face smaller than this share of the frame's shorter side is a bystander, and searching for it costs most.
_MIN_FACE_SHARE = 0.12
# The box begins well above the brows: eyes end at 42 % of its height and lips begin at 70 %.
# Moved down by this share of it, the top 35 % hold the eyes and the bottom 35 % the mouth.
_DOWNWARD_SHIFT = 0.06


class Detector(Protocol):
    """Finds faces in one frame."""

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        """From uint8 [H, W] to float32 [N, 4], (left, top, right, bottom) in its pixels; N may be 0."""


class HaarDetector:
    """OpenCV's frontal-face cascade (Viola and Jones, CVPR 2001), on a downscaled frame."""

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        # Its own threads would compete with the other workers.
        cv2.setNumThreads(1)

    def __call__(self, grey: np.ndarray) -> np.ndarray:
        small = shrink(grey, _DETECTION_WIDTH)
        smallest = round(_MIN_FACE_SHARE * min(small.shape))
        found = self._cascade.detectMultiScale(
            small, scaleFactor=1.1, minNeighbors=5, minSize=(smallest, smallest)
        )
        left, top, width, height = np.asarray(found, np.float32).reshape(-1, 4).T
        scale = grey.shape[1] / small.shape[1]
        top = top + _DOWNWARD_SHIFT * height
        return np.stack([left, top, left + width, top + height], axis=1) * scale


DETECTORS = {"haar": HaarDetector}
