"""The tracks of all faces in every window of a video."""

import numpy as np

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame
from deepfake_tfdata.video.detectors import Detector
from deepfake_tfdata.video.face_track import FaceTrack, face_track
from deepfake_tfdata.video.link import without_second_sights
from deepfake_tfdata.video.search import FaceSearch, LocalDetector
from deepfake_tfdata.video.track import follow_all
from deepfake_tfdata.video.windows import Windows


def find_tracks(
    video: Video, windows: Windows, frames: ChosenFrames, spec: ClipSpec, detector: Detector
) -> list[list[FaceTrack]]:
    """The tracks of every window, each for itself, as in a clip of the converter; one pass over the frames.

    Returns:
        A window, its tracks: the one that the converter would follow first, then by size and persistence.
    """
    rows = windows.rows
    searches = [_WindowSearch(video, detector, spec.num_frames) for _ in rows]
    at: dict[int, list[_WindowSearch]] = {}
    for search, those in zip(searches, rows, strict=True):
        for row in those.tolist():
            at.setdefault(row, []).append(search)
    for row, frame in enumerate(frames):
        for search in at.get(row, ()):
            search.add(frame)
    return [
        search.tracks(frames.timestamps[those], spec) for search, those in zip(searches, rows, strict=True)
    ]


class _WindowSearch:
    """Finds the faces of one window: as the converter does, and those that are too small for it."""

    def __init__(self, video: Video, detector: Detector, num_frames: int) -> None:
        # Other detectors see all that there is in every frame.
        both = (False, True) if isinstance(detector, LocalDetector) else (False,)
        self._searches = [FaceSearch(video, detector, num_frames, small) for small in both]

    def add(self, frame: DecodedFrame) -> None:
        """Takes the next frame."""
        for search in self._searches:
            search.add(frame)

    def tracks(self, timestamps: np.ndarray, spec: ClipSpec) -> list[FaceTrack]:
        """The converter's face first, if there is any."""
        faces = [face for search in self._searches for face in follow_all(search.found)]
        tracks = [face_track(boxes, found, timestamps, spec) for boxes, found in faces]
        rest = sorted(tracks[1:], key=lambda track: -track.weight)
        return without_second_sights([*tracks[:1], *rest])
