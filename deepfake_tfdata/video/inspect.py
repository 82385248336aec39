"""A look at a video of one's own, from the file to the clips of every face in every shot."""

from itertools import chain

import numpy as np

from deepfake_tfdata.clips.inspected import InspectedVideo, InspectionPlan, SeenFace
from deepfake_tfdata.clips.limits import MAX_FACES
from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.album import Album
from deepfake_tfdata.video.crop import encode_and_decode
from deepfake_tfdata.video.cut import cut_clips
from deepfake_tfdata.video.decode import ChosenFrames, DecodedFrame, decode_frames
from deepfake_tfdata.video.detectors import the_detector
from deepfake_tfdata.video.faces import decode_exactly
from deepfake_tfdata.video.found_face import FoundFace, found_faces, thin_out
from deepfake_tfdata.video.header import describe, read_header
from deepfake_tfdata.video.image_folder import FRAMES_PER_SECOND
from deepfake_tfdata.video.motion import FaceMotion, motion_of
from deepfake_tfdata.video.shots import Shots, Thumbnails
from deepfake_tfdata.video.window_search import find_tracks
from deepfake_tfdata.video.windows import Windows, plan_windows


def inspect_video(video: Video, plan: InspectionPlan, detector_path: str = "") -> InspectedVideo:
    """Looks at all shots of a video and at every face in them.

    Args:
        video: the file.
        plan: what to look for.
        detector_path: the model file or the folder of boxes that the detector reads; '' where it reads none.

    Raises:
        VideoError: the file can't be read, or is damaged. That no face is in it, or no shot is as long as a
            clip, is no error.
    """
    header = read_header(video.path)
    rate = header.num_frames / header.seconds if header.seconds else FRAMES_PER_SECOND
    windows, frames = _decode(video.path, plan, rate)
    detector = the_detector(plan.spec.detector, detector_path)
    tracks = find_tracks(video, windows, frames, plan.spec, detector)
    album = Album(frames)
    faces = found_faces(windows, tracks, plan.spec)
    seen = _cut(video, windows, frames, faces[:MAX_FACES], plan, album)
    without_face = _without_face(windows, frames, seen)
    return InspectedVideo(
        faces=FaceStatistics(
            frames_found=len(np.unique(windows.windows)) - len(without_face),
            track="own" if seen else "",
            face_size=round(seen[0].face_pixels, 1) if seen else None,
            shots=len(windows.shots),
        ),
        shots=windows.described(frames.timestamps, rate),
        seen=seen,
        header=describe(header, next(iter(frames))),
        pictures=album.pictures,
        without_face=without_face,
        windows_passed_over=windows.passed_over,
        faces_passed_over=len(faces) - len(seen),
    )


def _decode(path: str, plan: InspectionPlan, rate: float) -> tuple[Windows, ChosenFrames]:
    """As if the video had one shot; again where it turns out to have more."""
    windows, thumbnails = plan_windows(Shots(0), plan, rate), Thumbnails()

    def choose(num_frames: int) -> np.ndarray:
        nonlocal windows
        windows = plan_windows(Shots(num_frames), plan, rate)
        return windows.frames

    frames = decode_frames(path, choose, thumbnails)
    shots = thumbnails.find_shots(path, windows.shots[-1].stop)
    if shots.cuts:
        windows = plan_windows(shots, plan, rate)
        frames = decode_exactly(path, windows.frames)
    return windows, frames


def _cut(
    video: Video,
    windows: Windows,
    frames: ChosenFrames,
    faces: list[FoundFace],
    plan: InspectionPlan,
    album: Album,
) -> tuple[SeenFace, ...]:
    """The faces with their clips; fills the album in the same pass over the frames."""
    places = thin_out(
        [face.places(f"{video.key}#{number}", windows, plan) for number, face in enumerate(faces)],
        plan.spec,
        plan.max_windows,
    )
    motions = [[FaceMotion(place, frames) for place in of_face] for of_face in places]

    def watch(row: int, frame: DecodedFrame) -> None:
        album.take(frame)
        for motion in chain(*motions):
            motion.take(row, frame)

    clips = iter(cut_clips(video, frames, list(chain(*places)), plan.spec, encode_and_decode, watch))
    return tuple(
        face.seen(windows, frames, plan.regions, [next(clips) for _ in of_face], motion_of(motion))
        for face, of_face, motion in zip(faces, places, motions, strict=True)
    )


def _without_face(windows: Windows, frames: ChosenFrames, seen: tuple[SeenFace, ...]) -> tuple[int, ...]:
    sampled = frames.indices[np.unique(windows.rows)]
    found = [face.frame_indices[face.found] for face in seen]
    return tuple(np.setdiff1d(sampled, np.concatenate([*found, []])).astype(int).tolist())
