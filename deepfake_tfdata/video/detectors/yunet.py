"""YuNet, a small convolutional detector with landmarks."""

from pathlib import Path

import cv2
import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.video.crop import crop
from deepfake_tfdata.video.decode import DecodedFrame, shrink
from deepfake_tfdata.video.detectors.yunet_model import MODEL_FILE, cached_model, provide_model

# The network finds faces of 10 to 300 pixels: wider frames cost time and lose the large ones.
_DETECTION_WIDTH = 640
_MIN_SCORE = 0.6
_MAX_OVERLAP = 0.3
# How far around boxes a face is looked for, as a share of their size, and to how many pixels that is brought.
_NEAR, _NEAR_WIDTH = 0.5, 192
# Of a face's side are from the middle of the eyes to that of the lips ...
_EYES_TO_LIPS = 0.44
# ... from there to the edge of the lower lids, and of the upper lip;
_LID, _LIP = 0.055, 0.08
# half the width of an eye, of the distance between both, and of the mouth, of that between its corners.
_EYE_WIDTH, _MOUTH_WIDTH = 0.24, 0.7
# Of a box's height lie between the strips of eyes and mouth; how far lids and lips keep from these.
_BETWEEN_STRIPS, _MARGIN = 0.30, 0.025
# A box's side, as a share of the face's, and at least of what both eyes span.
_MIN_SIDE, _MAX_SIDE, _MIN_WIDTH = 0.85, 0.92, 1.25


class YuNetDetector:
    """OpenCV's FaceDetectorYN (Wu et al., Machine Intelligence Research 2023) on a downscaled frame."""

    def __init__(self, path: str) -> None:
        """Loads an ONNX file such as face_detection_yunet_2023mar.onnx of OpenCV's model zoo.

        Args:
            path: of the file; at `cached_model` it is downloaded if need be.

        Raises:
            UserError: there is no such file, it can't be downloaded, or it is no YuNet model.
        """
        if Path(path) == cached_model():
            provide_model(Path(path))
        if not Path(path).is_file():
            raise UserError(
                f"--detector_model={path} is no file; name {MODEL_FILE} of OpenCV's model zoo "
                "(github.com/opencv/opencv_zoo), or leave the flag out and it is downloaded"
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
        return self.large(frame, 0)

    def large(self, frame: DecodedFrame, at_least: float) -> np.ndarray:
        """Faces of a whole frame; see LocalDetector. Small ones, too: they cost nothing."""
        image = frame.rgb()
        small = shrink(image, _DETECTION_WIDTH)
        return boxes_of_landmarks(self._landmarks(small)) * (image.shape[1] / small.shape[1])

    def near(self, frame: DecodedFrame, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Faces around and between two boxes of one face; see LocalDetector."""
        low, high = np.minimum(before, after)[:2], np.maximum(before, after)[2:]
        side = max(2, round(float((high - low).max()) * (1 + 2 * _NEAR)))
        left, top = np.rint((low + high - side) / 2).astype(int)
        part = crop(frame.rgb(), np.array([left, top, left + side, top + side]))
        small = cv2.resize(part, (_NEAR_WIDTH, _NEAR_WIDTH), interpolation=cv2.INTER_AREA)
        boxes = boxes_of_landmarks(self._landmarks(small)) * (side / _NEAR_WIDTH)
        return boxes + np.array([left, top, left, top], np.float32)

    def _landmarks(self, image: np.ndarray) -> np.ndarray:
        """Five points a face, float [N, 5, 2], of an image, uint8 [H, W, 3]."""
        self._network.setInputSize((image.shape[1], image.shape[0]))
        found = self._network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        faces: np.ndarray = np.zeros((0, 15)) if found is None else found  # OpenCV's way to say none
        return faces[:, 4:14].reshape(-1, 5, 2)


def boxes_of_landmarks(landmarks: np.ndarray) -> np.ndarray:
    """Square boxes with the eyes in their top 35 % and the lips in their bottom 35 %, also when a head rolls.

    The network's own boxes end at chin and hairline and know nothing of the strips. The middle of these is
    midway between the lower of the lower lids and the higher end of the upper lip, and they are as large as
    leaves a margin to both, within the bounds of _MIN_SIDE, _MAX_SIDE and _MIN_WIDTH.

    Args:
        landmarks: float [N, 5, 2], (x, y) of right eye, left eye, tip of the nose and both mouth corners.

    Returns:
        float32 [N, 4], (left, top, right, bottom) in the same pixels.
    """
    eyes, mouth = landmarks[:, :2], landmarks[:, 3:]
    eye_line, lip_line = eyes.mean(axis=1), mouth.mean(axis=1)
    # Along the axis of the face, so that a tilted head keeps its size.
    face = np.linalg.norm(lip_line - eye_line, axis=1) / _EYES_TO_LIPS
    lids = eyes[..., 1].max(axis=1) + _half_height(eyes, _EYE_WIDTH, _LID * face)
    lip = lip_line[:, 1] - _half_height(mouth, _MOUTH_WIDTH, _LIP * face)
    side = np.clip((lip - lids) / (_BETWEEN_STRIPS + 2 * _MARGIN), _MIN_SIDE * face, _MAX_SIDE * face)
    across_eyes = (1 + 2 * _EYE_WIDTH) * np.abs(eyes[:, 1, 0] - eyes[:, 0, 0])
    side = np.maximum(side, _MIN_WIDTH * across_eyes)
    # Nearer to the eyes, which are wider than the mouth.
    across = (2 * eye_line[:, 0] + lip_line[:, 0]) / 3
    middle, half = np.stack([across, (lids + lip) / 2], axis=1), side[:, None] / 2
    return np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)


def _half_height(ends: np.ndarray, width: float, half_thickness: np.ndarray) -> np.ndarray:
    """How far ellipses [N] reach above and below their centres.

    Args:
        ends: float [N, 2, 2], two points along the long axis.
        width: half of the ellipse's length, as a share of their distance.
        half_thickness: [N] pixels across it.
    """
    along = ends[:, 1] - ends[:, 0]
    distance = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
    return np.hypot(width * along[:, 1], half_thickness * along[:, 0] / distance)
