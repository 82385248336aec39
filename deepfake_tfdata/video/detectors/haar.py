"""OpenCV's frontal-face cascade, which comes with OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import DecodedFrame, shrink
from deepfake_tfdata.video.track import overlap

# Haar costs 50 to 400 ms on a full-resolution frame and 15 ms at this width, at the same recall.
_SCAN_WIDTH = 480
# A face smaller than this share of the frame's shorter side is a bystander, and searching for it costs most.
_MIN_FACE_SHARE = 0.12
# The cascade's box begins well above the brows: the eyes lie at 38 % of its height, the lips' middle at 82 %,
# give or take a few percent, since it looks for neither. A box of this side, its middle this much lower (both
# as shares of the cascade's), leaves eyes and lips about as much room in their strips.
_SIDE, _DOWNWARD_SHIFT = 0.86, 0.085

# A scan takes coarse steps in size and believes anything; a look around what it believes in is exact.
_SCAN_STEP, _SCAN_NEIGHBOURS = 1.25, 1
_NEAR_STEP = 1.1
# How far around a box a face is looked for, and to how many pixels the box is shrunk for it: more take longer
# and find the face no better.
_NEAR, _NEAR_WIDTH = 0.3, 72
# How much larger or smaller than a box a face may be, and how many neighbouring windows must agree: where a
# scan guesses, and where exact looks before and after have found one.
_AT_GUESS, _NEAR_FACES = (0.2, 5), (0.1, 3)
# Two boxes that overlap more than this are one face.
_SAME_FACE = 0.3


class HaarDetector:
    """The cascade (Viola and Jones, CVPR 2001) on a downscaled frame; frontal faces only."""

    def __init__(self) -> None:
        folder: str = cv2.data.haarcascades  # type: ignore[attr-defined]  # its stubs lack the module
        self._cascade = cv2.CascadeClassifier(str(Path(folder) / "haarcascade_frontalface_default.xml"))
        # Its own threads would compete with the other workers.
        cv2.setNumThreads(1)

    def __call__(self, video: Video, frame: DecodedFrame) -> np.ndarray:
        """Faces of a frame; see Detector."""
        return self.large(frame, 0)

    def large(self, frame: DecodedFrame, at_least: float) -> np.ndarray:
        """Faces of a frame that are not much smaller than a side; see LocalDetector."""
        grey = frame.grey()
        small = shrink(grey, _SCAN_WIDTH)
        at_least *= small.shape[1] / grey.shape[1]
        smallest = round(max(at_least, _MIN_FACE_SHARE * min(small.shape)))
        guesses = self._detect(small, smallest, max(small.shape), _SCAN_STEP, _SCAN_NEIGHBOURS)
        faces: list[np.ndarray] = []
        for guess in guesses * (grey.shape[1] / small.shape[1]):
            for face in self._look(grey, guess, guess, *_AT_GUESS):
                if all(overlap(face, other) < _SAME_FACE for other in faces):
                    faces.append(face)
        return np.reshape(faces, (-1, 4)).astype(np.float32)

    def near(self, frame: DecodedFrame, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Faces around and between two boxes of one face; see LocalDetector."""
        return self._look(frame.grey(), before, after, *_NEAR_FACES)

    def _look(
        self, grey: np.ndarray, before: np.ndarray, after: np.ndarray, size: float, neighbours: int
    ) -> np.ndarray:
        """Faces of about the size of two boxes, around and between them."""
        boxes = _cascades(np.stack([before, after]))
        sides = boxes[:, 2] - boxes[:, 0]
        margin = _NEAR * sides.max()
        left, top = np.maximum(boxes[:, :2].min(axis=0) - margin, 0).astype(int)
        right, bottom = (boxes[:, 2:].max(axis=0) + margin).astype(int)
        part = grey[top:bottom, left:right]
        small = shrink(part, max(1, round(part.shape[1] * _NEAR_WIDTH / sides.max())))
        scale = part.shape[1] / small.shape[1]
        smallest, largest = sides.min() * (1 - size), sides.max() * (1 + size)
        found = self._detect(small, int(smallest / scale), round(largest / scale), _NEAR_STEP, neighbours)
        return found * scale + np.array([left, top, left, top], np.float32)

    def _detect(
        self, image: np.ndarray, smallest: int, largest: int, step: float, neighbours: int
    ) -> np.ndarray:
        """The boxes of the convention, in pixels of the image, of faces between two sides."""
        found = self._cascade.detectMultiScale(
            image,
            scaleFactor=step,
            minNeighbors=neighbours,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        return _convention(np.asarray(found, np.float32).reshape(-1, 4))


def _convention(found: np.ndarray) -> np.ndarray:
    """Boxes of the convention, (left, top, right, bottom), of the cascade's (left, top, width, height)."""
    sides = found[:, 2:]
    middles = found[:, :2] + sides / 2 + [0, _DOWNWARD_SHIFT] * sides
    return np.concatenate([middles - sides * _SIDE / 2, middles + sides * _SIDE / 2], axis=1).astype(
        np.float32
    )


def _cascades(boxes: np.ndarray) -> np.ndarray:
    """The boxes, (left, top, right, bottom), that the cascade gave for those of the convention."""
    sides = (boxes[:, 2:] - boxes[:, :2]) / _SIDE
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2 - [0, _DOWNWARD_SHIFT] * sides
    return np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)
