"""Where to look for faces: everywhere in some frames, and around what they show in the frames between."""

from typing import Protocol, runtime_checkable

import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame
from deepfake_tfdata.video.detectors import Detector
from deepfake_tfdata.video.track import overlap

# A scan of a whole frame costs ten times a look around a box.
_SCAN_EVERY = 16
# A face below this share of the largest is not the one that will be followed while that is there.
_LARGE = 0.5
# Two boxes that overlap more than this are one face.
_SAME_FACE = 0.3

# A face's boxes in two scans.
_Pair = tuple[np.ndarray, np.ndarray]


@runtime_checkable
class LocalDetector(Detector, Protocol):
    """A detector that is much faster when it knows where to look."""

    def near(self, frame: DecodedFrame, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Faces around and between two boxes [4] of one face, of about their size; float32 [N, 4]."""

    def large(self, frame: DecodedFrame, at_least: float) -> np.ndarray:
        """Faces of a whole frame but for small ones, with a side of that many pixels; float32 [N, 4]."""


def find_faces(video: Video, frames: ChosenFrames, detector: Detector) -> list[np.ndarray]:
    """The faces in every frame, as FaceSearch finds them.

    Args:
        video: where the frames are from.
        frames: T frames.
        detector: finds the faces in one.

    Returns:
        T arrays, each float32 [N, 4], (left, top, right, bottom) in pixels.
    """
    search = FaceSearch(video, detector, len(frames))
    for frame in frames:
        search.add(frame)
    return search.found


class FaceSearch:
    """Finds the faces of a clip, frame by frame as they come.

    With a LocalDetector, every 16th frame is scanned: for faces half as large as the largest of the scan
    before, and for smaller ones if there is none. Where two scans have no face in common, the frame in the
    middle between them is scanned. Any other frame is searched around the faces of the scans before and
    after; where a face that both have is not found, it is scanned too. It depends on the scans only, not on
    other frames between them, so that an error can't spread.

    Args:
        video: where the frames are from.
        detector: finds the faces in one.
        num_frames: how many will come.
        small: whether every scan looks for small faces, too.

    Attributes:
        found: of every frame, float32 [N, 4], (left, top, right, bottom) in pixels; complete when all came.
    """

    def __init__(self, video: Video, detector: Detector, num_frames: int, small: bool = False) -> None:
        self.found: list[np.ndarray] = []
        self._video, self._detector = video, detector
        self._num_frames, self._small = num_frames, small
        self._between: list[DecodedFrame] = []

    def add(self, frame: DecodedFrame) -> None:
        """Takes the next frame; at most 15 wait for the next scan."""
        detector = self._detector
        if not isinstance(detector, LocalDetector):
            self.found.append(detector(self._video, frame))
            return
        position = len(self.found) + len(self._between)
        if position % _SCAN_EVERY and position < self._num_frames - 1:
            self._between.append(frame)
            return
        before = self.found[-1] if self.found else None
        after = _scan(self._video, frame, None if self._small else before, detector)
        if before is not None:
            self.found += _between(self._video, self._between, before, after, detector)
        self.found.append(after)
        self._between = []


def _scan(
    video: Video, frame: DecodedFrame, before: np.ndarray | None, detector: LocalDetector
) -> np.ndarray:
    """The faces of a frame, given those of the scan before; of any size where there is none."""
    if before is not None and len(before):
        faces = detector.large(frame, _LARGE * float((before[:, 2] - before[:, 0]).max()))
        if len(faces):
            return faces
    return detector(video, frame)


def _between(
    video: Video,
    frames: list[DecodedFrame],
    before: np.ndarray,
    after: np.ndarray,
    detector: LocalDetector,
) -> list[np.ndarray]:
    """The faces of the frames between two scans."""
    if not frames:
        return []
    steady = [(a, b) for a in before for b in after if overlap(a, b) > _SAME_FACE]
    if steady:
        looks = [*steady, *((box, box) for box in _unmatched(before, after, steady))]
        return [_search(video, frame, steady, looks, detector) for frame in frames]
    half = len(frames) // 2
    scan = detector(video, frames[half])
    earlier = _between(video, frames[:half], before, scan, detector)
    return [*earlier, scan, *_between(video, frames[half + 1 :], scan, after, detector)]


def _unmatched(before: np.ndarray, after: np.ndarray, pairs: list[_Pair]) -> list[np.ndarray]:
    """The boxes of both that are in no pair."""
    matched: np.ndarray = np.array(pairs)
    return [box for box in (*before, *after) if not (matched == box).all(axis=-1).any()]


def _search(
    video: Video, frame: DecodedFrame, steady: list[_Pair], looks: list[_Pair], detector: LocalDetector
) -> np.ndarray:
    """The faces of a frame around pairs of boxes; scanned where one of the steady pairs is missing."""
    found: list[np.ndarray] = []
    for look in looks:
        for face in detector.near(frame, *look):
            if all(overlap(face, other) < _SAME_FACE for other in found):
                found.append(face)
    for pair in steady:
        if not any(overlap(face, box) > _SAME_FACE for face in found for box in pair):
            return detector(video, frame)
    return np.array(found, np.float32)
