"""What an audit wants to know of one video, in one decoding pass; nothing is cropped or encoded."""

from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_tfdata.clips.processed import ProcessedVideo
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.detectors import the_detector
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.faces import face_statistics, follow_faces
from deepfake_tfdata.video.fingerprint import perceptual_hash
from deepfake_tfdata.video.header import NO_HEADER, Header, read_header
from deepfake_tfdata.video.packets import scan_packets

# By how much the face's box is grown, so that what a manipulation blends in is not counted as the scene.
_AROUND_FACE = 0.5
# Of a frame; less scene than that says nothing of it.
_MIN_SCENE = 0.2


@dataclass(frozen=True)
class SurveyedVideo(ProcessedVideo):
    """What was found; it comes from a worker as a converted video does, without clips.

    Attributes:
        header: of the file.
        hashes: perceptual ones of the sampled frames.
        sharpness: of the scene around the face, the logarithm of its Laplacian's variance; None where no face
            or no scene is to be seen.
        spacing: median seconds between two sampled frames.
        num_sampled: how many frames were looked at.
        mask_frames: of its mask; None where it has none, or one that can't be read.
        problem: why no frame could be looked at; '' otherwise.
    """

    header: Header = NO_HEADER
    hashes: tuple[bytes, ...] = ()
    sharpness: float | None = None
    spacing: float | None = None
    num_sampled: int = 0
    mask_frames: int | None = None
    problem: str = ""


def survey_video(video: Video, num_frames: int) -> SurveyedVideo:
    """Reads a video's header, and looks at frames that are spread over its longest shot.

    Args:
        video: the file.
        num_frames: how many frames to look at; 0 reads the header only.

    Raises:
        VideoError: not even its packets can be read.
    """
    header, mask_frames = read_header(video.path), _mask_frames(video)
    if not num_frames:
        return SurveyedVideo(header=header, mask_frames=mask_frames)
    try:
        followed = follow_faces(video, ClipSpec(num_frames=num_frames), the_detector("haar", ""))
    except VideoError as error:
        return SurveyedVideo(header=header, mask_frames=mask_frames, problem=error.reason)
    (track,) = followed.tracks
    frames = followed.sampled.frames
    hashes, sharpness = [], []
    for frame, box, found in zip(frames, track.boxes, track.found, strict=True):
        picture = frame.grey()
        hashes.append(perceptual_hash(picture))
        sharpness += [scene_sharpness(picture, box)] if found else []
    known = [each for each in sharpness if each is not None]
    return SurveyedVideo(
        faces=face_statistics(followed),
        header=header,
        hashes=tuple(each for each in hashes if each is not None),
        sharpness=float(np.median(known)) if known else None,
        spacing=float(np.median(np.diff(frames.timestamps))) if num_frames > 1 else None,
        num_sampled=len(frames),
        mask_frames=mask_frames,
    )


def scene_sharpness(picture: np.ndarray, box: np.ndarray) -> float | None:
    """The logarithm of the Laplacian's variance of what is not face.

    That the face itself is sharper or softer may be the manipulation, which a detector should see; that its
    surroundings are can only come from the camera or the encoder.

    Args:
        picture: uint8 [H, W], grey.
        box: of the face, (left, top, right, bottom) in pixels.

    Returns:
        None where hardly anything but the face is to be seen.
    """
    height, width = picture.shape
    grow = _AROUND_FACE * (box[2:] - box[:2])
    left, top, right, bottom = np.round([*(box[:2] - grow), *(box[2:] + grow)]).astype(int)
    scene = np.ones((height, width), bool)
    scene[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
    if scene.mean() < _MIN_SCENE:
        return None
    return float(np.log(cv2.Laplacian(picture, cv2.CV_32F)[scene].var() + 1))


def _mask_frames(video: Video) -> int | None:
    if not video.mask_path or not video.label:
        return None
    try:
        return scan_packets(video.mask_path).count()
    except VideoError:
        return None
