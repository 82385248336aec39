"""The faces of a shot: which tracks of its windows belong to one face."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deepfake_tfdata.video.face_track import FaceTrack
from deepfake_tfdata.video.smooth import fill_gaps
from deepfake_tfdata.video.track import overlap, pair_up, side

# A track whose boxes lie, mostly, in those of another face by more than this share of their area (or hold
# them) is a second sight of it: a mouth taken for a face, a head with its shoulders.
_SAME_FACE = 0.5


@dataclass(frozen=True, eq=False)
class LinkedFace:
    """One face through the windows of a shot.

    Attributes:
        tracks: by window.
        boxes: by sampled frame, as detected, float32 [4].
    """

    tracks: dict[int, FaceTrack] = field(default_factory=dict)
    boxes: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, window: int, frames: np.ndarray, track: FaceTrack) -> None:
        """Its track in a later window of these frames."""
        self.tracks[window] = track
        for frame, box in _seen(frames, track).items():
            self.boxes.setdefault(frame, box)

    @property
    def weight(self) -> float:
        """Large and long-lived faces weigh most: the sum of the box's side over the frames it is seen in."""
        return sum(map(side, self.boxes.values()))


def link_faces(
    numbers: Sequence[int], windows: np.ndarray, tracks: Sequence[Sequence[FaceTrack]]
) -> list[LinkedFace]:
    """Links the tracks of the windows of one shot, which may share frames.

    Args:
        numbers: of the shot's windows, in order of time.
        windows: int [W, T], the frames of all windows.
        tracks: of all windows, one a face.

    Returns:
        The faces.
    """
    faces: list[LinkedFace] = []
    for window in numbers:
        frames, those = windows[window], tracks[window]
        taken = dict(
            pair_up(
                (_likeness(face, _seen(frames, track)), face.weight, place, other)
                for place, track in enumerate(those)
                for other, face in enumerate(faces)
            )
        )
        for place, track in enumerate(those):
            if place not in taken:
                faces.append(LinkedFace())
            faces[taken.get(place, -1)].add(window, frames, track)
    return faces


def without_second_sights(tracks: Sequence[FaceTrack]) -> list[FaceTrack]:
    """The tracks of a window, the first ones first, but for those that show the face of an earlier one."""
    kept: list[FaceTrack] = []
    for track in tracks:
        if not any(_is_second_sight(track, other) for other in kept):
            kept.append(track)
    return kept


def _is_second_sight(track: FaceTrack, other: FaceTrack) -> bool:
    times = np.flatnonzero(other.found)
    both = track.found.copy()
    both[: times[0]] = both[times[-1] + 1 :] = False
    if not both.any():
        return False
    theirs = fill_gaps(other.boxes, other.found)[both]
    return bool(np.median(_share_of_smaller(track.boxes[both], theirs)) > _SAME_FACE)


def _share_of_smaller(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """What boxes [N, 4] share with others, as a share of the smaller one of the two."""
    shared = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0).prod(axis=1)
    smaller = np.minimum(*((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b)))
    share: np.ndarray = shared / smaller
    return share


def _likeness(face: LinkedFace, boxes: dict[int, np.ndarray]) -> float:
    """The mean overlap in the frames that both have; where there are none, that of last box and first."""
    common = face.boxes.keys() & boxes.keys()
    if common:
        return float(np.mean([overlap(face.boxes[frame], boxes[frame]) for frame in common]))
    return overlap(face.boxes[max(face.boxes)], boxes[min(boxes)])


def _seen(frames: np.ndarray, track: FaceTrack) -> dict[int, np.ndarray]:
    return dict(zip(frames[track.found].tolist(), track.boxes[track.found], strict=True))
