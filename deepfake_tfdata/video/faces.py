"""The face in the clips of a video: found, followed through each clip, shared with the original."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import ChosenFrames, decode_frames
from deepfake_tfdata.video.detectors import Detector
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.frame_sampling import sample_frames
from deepfake_tfdata.video.mask import Mask, read_masks, shares_in
from deepfake_tfdata.video.search import find_faces
from deepfake_tfdata.video.smooth import centre_jitter, fill_gaps, smooth_track, smoothing_window
from deepfake_tfdata.video.track import follow_face

# Containers round to a millisecond, and videos that start elsewhere may still run alike.
_SAME_TIME_SECONDS = 0.005


@dataclass(frozen=True)
class FaceTrack:
    """One face through the T frames of a clip.

    Attributes:
        boxes: float32 [T, 4], (left, top, right, bottom) in pixels, as detected; zero where not found.
        found: bool [T].
        smooth: float32 [T, 4], of one size, smoothed, gaps filled; zero where the face was found in no frame.
        mask_shares: float [N], of the manipulated area in the boxes of those frames that have a mask.
    """

    boxes: np.ndarray
    found: np.ndarray
    smooth: np.ndarray
    mask_shares: np.ndarray

    def crops(self, tracking: str) -> np.ndarray:
        """The boxes to crop, float32 [T, 4], gaps filled; the face must have been found."""
        return self.smooth if tracking == "smooth" else fill_gaps(self.boxes, self.found)

    def is_usable(self, min_found: float) -> bool:
        """Whether the face was found at all, and in that share of the frames."""
        return bool(self.found.any()) and self.found.mean() >= min_found


def sample_video(path: str, spec: ClipSpec) -> ChosenFrames:
    """The frames of all clips of a video, one after the other; VideoError where there are too few."""
    return decode_frames(path, lambda count: sample_frames(count, spec).ravel())


def track_faces(
    video: Video, frames: ChosenFrames, spec: ClipSpec, detector: Detector
) -> tuple[list[FaceTrack], str]:
    """The face track of every clip, and whose it is.

    Args:
        video: the one to make clips of.
        frames: from sample_video.
        spec: of the clips; says whether a fake takes its original's track.
        detector: finds the faces.

    Returns:
        K tracks, and the ledger's `track`: 'own', 'shared', or 'own: ' and the reason.
    """
    masks = read_masks(video.mask_path, frames)
    if not spec.share_tracks or video.label == 0:
        return _detect_and_follow(video, frames, spec, detector, masks), "own"
    if video.original is None:
        reason = "its original is not there"
    else:
        try:
            original = sample_video(video.original.path, spec)
            reason = difference(frames, original)
            if not reason:
                tracks = _detect_and_follow(video.original, original, spec, detector, masks)
                if any(track.is_usable(spec.min_found) for track in tracks):
                    return tracks, "shared"
                reason = "too few faces in the original"
        except VideoError as error:
            reason = f"the original is {error.status}"
    return _detect_and_follow(video, frames, spec, detector, masks), f"own: {reason}"


def difference(ours: ChosenFrames, theirs: ChosenFrames) -> str:
    """Why two videos can't share a track; '' where their sampled frames agree in size, position and time."""
    if next(iter(ours)).grey().shape != next(iter(theirs)).grey().shape:
        return "size differs"
    if not np.array_equal(ours.indices, theirs.indices):
        return "length differs"
    apart = (ours.timestamps - ours.timestamps[0]) - (theirs.timestamps - theirs.timestamps[0])
    return "frame rate differs" if np.abs(apart).max() > _SAME_TIME_SECONDS else ""


def face_statistics(tracks: Sequence[FaceTrack], track: str) -> FaceStatistics:
    """What the ledger says of the tracks of a video's clips; `track` says whose they are."""
    tracks = [t for t in tracks if t.found.any()]
    if not tracks:
        return FaceStatistics()
    seen = np.concatenate([t.boxes[t.found] for t in tracks])
    size = float(np.median(np.sqrt(np.prod(seen[:, 2:] - seen[:, :2], axis=1))))
    per_frame = _median([centre_jitter(t.boxes, t.found) for t in tracks])
    smooth = _median([centre_jitter(t.smooth, t.found) for t in tracks])
    shares = _median([t.mask_shares for t in tracks])
    return FaceStatistics(
        frames_found=sum(int(t.found.sum()) for t in tracks),
        track=track,
        face_size=round(size, 1),
        jitter_per_frame=None if per_frame is None else round(per_frame / size, 5),
        jitter_smooth=None if smooth is None else round(smooth / size, 5),
        jitter_per_frame_px=None if per_frame is None else round(per_frame, 3),
        jitter_smooth_px=None if smooth is None else round(smooth, 3),
        mask_overlap=None if shares is None else round(shares, 3),
    )


def _detect_and_follow(
    video: Video, frames: ChosenFrames, spec: ClipSpec, detector: Detector, masks: Sequence[Mask | None]
) -> list[FaceTrack]:
    detections = find_faces(video, frames, detector)
    tracks = []
    for first in range(0, len(detections), spec.num_frames):
        clip = slice(first, first + spec.num_frames)
        boxes, found = follow_face(detections[clip], masks[clip])
        window = smoothing_window(frames.timestamps[clip])
        smooth = smooth_track(boxes, found, window) if found.any() else boxes
        tracks.append(FaceTrack(boxes, found, smooth, shares_in(boxes, found, masks[clip])))
    return tracks


def _median(parts: Sequence[np.ndarray]) -> float | None:
    values = np.concatenate(parts)
    return float(np.median(values)) if len(values) else None
