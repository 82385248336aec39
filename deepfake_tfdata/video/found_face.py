"""A face that was found in a shot: where its clips are cut, and what is said of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.clip import Clip
from deepfake_tfdata.clips.inspected import InspectionPlan, SeenFace
from deepfake_tfdata.clips.limits import MAX_INSPECTED_BYTES
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.video.cut import ClipPlace
from deepfake_tfdata.video.decode import ChosenFrames
from deepfake_tfdata.video.face_track import FaceTrack, median_side
from deepfake_tfdata.video.link import LinkedFace, link_faces
from deepfake_tfdata.video.windows import Windows, evenly

# Of the share of frames that a clip needs: a face that is seen in fewer may be none.
_FAINT = 0.5


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face through one shot.

    Attributes:
        shot: its position.
        linked: over the windows of the shot.
        tracks: of the windows in which enough of it was found; none of a face that is seen too rarely.
    """

    shot: int
    linked: LinkedFace
    tracks: Mapping[int, FaceTrack]

    def places(self, name: str, windows: Windows, plan: InspectionPlan) -> list[ClipPlace]:
        """Of all its clips; `name` is its own among the faces of the video."""
        return [
            ClipPlace.of(f"{name}.{number}", windows.rows[number], track, plan.spec, plan.regions)
            for number, track in self.tracks.items()
        ]

    def seen(
        self,
        windows: Windows,
        frames: ChosenFrames,
        regions: Sequence[Region],
        clips: Sequence[Mapping[str, Clip]],
        motion: float | None,
    ) -> SeenFace:
        """What is said of it.

        Args:
            windows: of the video.
            frames: of the video.
            regions: that are cut.
            clips: those that were cut of it, by region.
            motion: as in SeenFace.
        """
        numbers = windows.of_shot(self.shot)
        positions = np.unique(windows.windows[numbers])
        rows = np.searchsorted(windows.frames, positions)
        tracks = list((self.tracks or self.linked.tracks).values())
        nowhere = np.zeros(4, np.float32)
        return SeenFace(
            shot=self.shot,
            clips={region.name: [clip[region.name] for clip in clips] for region in regions},
            frame_indices=frames.indices[rows].astype(np.int64),
            timestamps=frames.timestamps[rows],
            boxes=np.stack([self.linked.boxes.get(position, nowhere) for position in positions.tolist()]),
            found=np.array([position in self.linked.boxes for position in positions.tolist()]),
            face_pixels=median_side(tracks),
            coverage=float(np.mean([track.found for track in tracks])),
            motion=motion,
            windows_left_out=len(numbers) - len(self.tracks),
            windows_passed_over=len(self.tracks) - len(clips),
        )


def found_faces(windows: Windows, tracks: Sequence[Sequence[FaceTrack]], spec: ClipSpec) -> list[FoundFace]:
    """The faces of a video, the largest and most persistent first; a detection in a few frames is none.

    What is found in half as many frames as a clip needs is one, without a clip.

    Args:
        windows: of the video.
        tracks: of every window.
        spec: says in how many of a window's frames a face must be found.
    """
    faces = [face for shot in range(len(windows.shots)) for face in _of_shot(shot, windows, tracks, spec)]
    return sorted(faces, key=lambda face: -face.linked.weight)


def thin_out(places: Sequence[Sequence[ClipPlace]], spec: ClipSpec, most: int) -> list[list[ClipPlace]]:
    """Of every face's clips as many as memory and `most` allow, evenly spread; one at least."""
    count = sum(map(len, places))
    share = min(1.0, MAX_INSPECTED_BYTES / max(_num_bytes(places, spec), 1), most / max(count, 1))
    kept = [list(of_face) for of_face in places]

    def too_many() -> bool:
        return _num_bytes(kept, spec) > MAX_INSPECTED_BYTES or sum(map(len, kept)) > most

    while too_many() and any(len(of_face) > 1 for of_face in kept):
        kept = [
            [of_face[number] for number in evenly(len(of_face), max(1, int(share * len(of_face))))]
            for of_face in places
        ]
        share *= 0.9
    return kept


def _of_shot(
    shot: int, windows: Windows, tracks: Sequence[Sequence[FaceTrack]], spec: ClipSpec
) -> Iterator[FoundFace]:
    for linked in link_faces(windows.of_shot(shot), windows.windows, tracks):
        usable = {number: track for number, track in linked.tracks.items() if track.is_usable(spec.min_found)}
        if usable or any(track.is_usable(_FAINT * spec.min_found) for track in linked.tracks.values()):
            yield FoundFace(shot, linked, usable)


def _num_bytes(places: Sequence[Sequence[ClipPlace]], spec: ClipSpec) -> int:
    return sum(place.num_bytes(spec) for of_face in places for place in of_face)
