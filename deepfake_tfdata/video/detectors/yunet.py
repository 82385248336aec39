"""YuNet, a small convolutional detector with landmarks, from a model file that the user names."""

from pathlib import Path

import cv2
import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.video.decode import DecodedFrame, shrink

# The network finds faces of 10 to 300 pixels: wider frames cost time and lose the large ones.
_DETECTION_WIDTH = 640
_MIN_SCORE = 0.6
_MAX_OVERLAP = 0.3
# Where the box convention has the eyes and the middle of the lips.
_EYES_AT, _MOUTH_AT = 0.30, 0.74


class YuNetDetector:
    """OpenCV's FaceDetectorYN (Wu et al., Machine Intelligence Research 2023) on a downscaled frame."""

    def __init__(self, path: str) -> None:
        """Loads an ONNX file such as face_detection_yunet_2023mar.onnx of OpenCV's model zoo.

        Raises:
            UserError: there is no such file, or it is no YuNet model.
        """
        if not Path(path).is_file():
            raise UserError(
                f"--detector_model={path} is no file; download face_detection_yunet_2023mar.onnx from "
                "OpenCV's model zoo (github.com/opencv/opencv_zoo) and name it"
            )
        try:
            self._network = cv2.FaceDetectorYN.create(path, "", (32, 32), _MIN_SCORE, _MAX_OVERLAP)
            self._network.detect(np.zeros((32, 32, 3), np.uint8))
        except cv2.error:
            raise UserError(
                f"--detector_model={path} is no YuNet model that OpenCV {cv2.__version__} can run"
            ) from None
        cv2.setNumThreads(1)

    def __call__(self, video: Video, frame: DecodedFrame) -> np.ndarray:
        """Faces of a frame; see Detector."""
        image = frame.rgb()
        small = shrink(image, _DETECTION_WIDTH)
        self._network.setInputSize((small.shape[1], small.shape[0]))
        found = self._network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1]
        faces: np.ndarray = np.zeros((0, 15)) if found is None else found  # OpenCV's way to say none
        landmarks = faces[:, 4:14].reshape(-1, 5, 2)
        return boxes_of_landmarks(landmarks) * (image.shape[1] / small.shape[1])


def boxes_of_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Square boxes of the convention, from landmarks: the network's own boxes end at chin and hairline.

    Args:
        landmarks: float [N, 5, 2], (x, y) of right eye, left eye, tip of the nose and both mouth corners.

    Returns:
        float32 [N, 4], (left, top, right, bottom) in the same pixels.
    """
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
    # Along the axis of the face, so that a tilted head keeps its size.
    side = np.linalg.norm(mouth - eyes, axis=1, keepdims=True) / (_MOUTH_AT - _EYES_AT)
    centre = eyes + (mouth - eyes) * (0.5 - _EYES_AT) / (_MOUTH_AT - _EYES_AT)
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1).astype(np.float32)
