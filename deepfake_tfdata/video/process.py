"""The converter's work on one video, from the file to the clips of every region."""

from collections.abc import Sequence

import numpy as np

from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.crop import encode
from deepfake_tfdata.video.cut import ClipPlace, cut_clips
from deepfake_tfdata.video.detectors import the_detector
from deepfake_tfdata.video.errors import FewFacesError, NoFaceError, WrongFaceError
from deepfake_tfdata.video.faces import face_statistics, follow_faces
from deepfake_tfdata.video.mask import MIN_MASK_OVERLAP


def process_video(
    video: Video, spec: ClipSpec, regions: Sequence[Region], detector_path: str = ""
) -> ProcessedVideo:
    """Decodes a video once and makes the clips of every region.

    Args:
        video: the file and what is known about it.
        spec: how to sample, detect, track, crop and encode.
        regions: which regions to cut.
        detector_path: the model file or the folder of boxes that the detector reads; '' where it reads none.

    Returns:
        The clips by region name, and how the face was followed. Clips with too few faces are left out.

    Raises:
        VideoError: the video can't be used; the error says why.
    """
    followed = follow_faces(video, spec, the_detector(spec.detector, detector_path))
    frames, tracks = followed.sampled.frames, followed.tracks
    faces = face_statistics(followed)
    if faces.frames_found == 0:
        raise NoFaceError(faces)
    if faces.mask_overlap is not None and faces.mask_overlap < MIN_MASK_OVERLAP:
        raise WrongFaceError(faces)
    if not any(track.is_usable(spec.min_found) for track in tracks):
        raise FewFacesError(faces, len(frames), spec.min_found)
    rows = np.arange(len(frames)).reshape(-1, spec.num_frames)
    places = [
        ClipPlace.of(_clip_id(video, spec, number), rows[number], track, spec, regions)
        for number, track in enumerate(tracks)
        if track.is_usable(spec.min_found)
    ]
    clips = cut_clips(video, frames, places, spec, encode)
    return ProcessedVideo({region.name: [clip[region.name] for clip in clips] for region in regions}, faces)


def _clip_id(video: Video, spec: ClipSpec, number: int) -> str:
    return video.key if spec.clips_per_video == 1 else f"{video.key}#{number}"
