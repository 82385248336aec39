"""The face in the clips of a video: found, followed through each clip, shared with the original."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import ChosenFrames, decode_frames
from deepfake_tfdata.video.detectors import Detector
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.face_track import FaceTrack, face_track, median_side
from deepfake_tfdata.video.frame_sampling import sample_frames
from deepfake_tfdata.video.mask import Mask, read_masks
from deepfake_tfdata.video.measures import frame_seconds
from deepfake_tfdata.video.search import find_faces
from deepfake_tfdata.video.shots import Shots, Thumbnails
from deepfake_tfdata.video.smooth import centre_jitter
from deepfake_tfdata.video.track import follow_face

# Containers round to a millisecond, and videos that start elsewhere may still run alike.
_SAME_TIME_SECONDS = 0.005


@dataclass(frozen=True)
class SampledVideo:
    """The frames of a video's clips.

    Attributes:
        frames: of all K clips, one after the other.
        shots: of the whole video.
        num_frames: T, of a clip.
    """

    frames: ChosenFrames
    shots: Shots
    num_frames: int

    @property
    def clips(self) -> np.ndarray:
        """Positions in the video, int64 [K, T]."""
        return self.frames.indices.reshape(-1, self.num_frames)

    @property
    def clip_times(self) -> np.ndarray:
        """Seconds in the video, float64 [K, T]."""
        return self.frames.timestamps.reshape(-1, self.num_frames)


@dataclass(frozen=True)
class FollowedVideo:
    """A video's frames and the face in them.

    Attributes:
        sampled: the frames of its K clips.
        tracks: K of them.
        whose: the ledger's `track`: 'own', 'shared', or 'own: ' and the reason.
    """

    sampled: SampledVideo
    tracks: list[FaceTrack]
    whose: str


def sample_video(path: str, spec: ClipSpec) -> SampledVideo:
    """The frames of all clips of a video.

    It is decoded as if it had one shot; again where it turns out to have more, and clips must not span cuts.

    Raises:
        VideoError: there are too few frames, or they can't be decoded.
    """
    shots, thumbnails = Shots(0), Thumbnails()

    def choose(num_frames: int) -> np.ndarray:
        nonlocal shots
        shots = Shots(num_frames)
        return sample_frames(shots, spec).ravel()

    frames = decode_frames(path, choose, thumbnails)
    shots = thumbnails.find_shots(path, shots.num_frames)
    if shots.cuts and spec.shots == "longest":
        frames = decode_exactly(path, sample_frames(shots, spec).ravel())
    return SampledVideo(frames, shots, spec.num_frames)


def follow_faces(video: Video, spec: ClipSpec, detector: Detector) -> FollowedVideo:
    """Samples a video and follows the face through every clip.

    Args:
        video: the one to make clips of.
        spec: of the clips; says whether a fake takes its original's track.
        detector: finds the faces.

    Raises:
        VideoError: there are too few frames, or they can't be decoded.
    """
    sampled, whose = sample_video(video.path, spec), "own"
    if spec.share_tracks and video.label:
        shared = _follow_original(video, sampled, spec, detector)
        if isinstance(shared, FollowedVideo):
            return shared
        whose = f"own: {shared}"
    masks = read_masks(video.mask_path, sampled.frames)
    return FollowedVideo(sampled, _detect_and_follow(video, sampled.frames, spec, detector, masks), whose)


def difference(ours: SampledVideo, theirs: SampledVideo) -> str:
    """Why two videos can't share a track; '' where their sampled frames agree in size, position and time."""
    if next(iter(ours.frames)).grey().shape != next(iter(theirs.frames)).grey().shape:
        return "size differs"
    if ours.shots.num_frames != theirs.shots.num_frames:
        return "length differs"
    if not np.array_equal(ours.frames.indices, theirs.frames.indices):
        return "frames differ"
    times, others = ours.frames.timestamps, theirs.frames.timestamps
    apart = (times - times[0]) - (others - others[0])
    return "frame rate differs" if np.abs(apart).max() > _SAME_TIME_SECONDS else ""


def face_statistics(followed: FollowedVideo) -> FaceStatistics:
    """What the ledger says of a video, and of the face in its clips."""
    sampled = followed.sampled
    of_video = FaceStatistics(
        shots=len(sampled.shots.ranges),
        cuts=sampled.shots.cuts_within(sampled.clips),
        bits_a_pixel=_rounded(sampled.frames.bits_a_pixel, 5),
        frame_seconds=_rounded(frame_seconds(sampled.clip_times), 5),
    )
    tracks = [t for t in followed.tracks if t.found.any()]
    if not tracks:
        return of_video
    size = median_side(tracks)
    per_frame = _median([centre_jitter(t.boxes, t.found) for t in tracks])
    smooth = _median([centre_jitter(t.smooth, t.found) for t in tracks])
    shares = _median([t.mask_shares for t in tracks])
    return replace(
        of_video,
        frames_found=sum(int(t.found.sum()) for t in tracks),
        track=followed.whose,
        face_size=round(size, 1),
        size_range=round(max(t.size_range for t in tracks), 3),
        jitter_per_frame=None if per_frame is None else round(per_frame / size, 5),
        jitter_smooth=None if smooth is None else round(smooth / size, 5),
        jitter_per_frame_px=_rounded(per_frame, 3),
        jitter_smooth_px=_rounded(smooth, 3),
        mask_overlap=_rounded(shares, 3),
    )


def _follow_original(
    video: Video, sampled: SampledVideo, spec: ClipSpec, detector: Detector
) -> FollowedVideo | str:
    """A fake with the track of its original, or why it can't have it."""
    if video.original is None:
        return "its original is not there"
    try:
        original = sample_video(video.original.path, spec)
        sampled = _sampled_like(video, sampled, original)
        reason = difference(sampled, original)
        if reason:
            return reason
        masks = read_masks(video.mask_path, sampled.frames)
        tracks = _detect_and_follow(video.original, original.frames, spec, detector, masks)
    except VideoError as error:
        return f"the original is {error.status}"
    if not any(track.is_usable(spec.min_found) for track in tracks):
        return "too few faces in the original"
    return FollowedVideo(sampled, tracks, "shared")


def _sampled_like(video: Video, ours: SampledVideo, theirs: SampledVideo) -> SampledVideo:
    """A fake with the frames of its original, where both are as long and no cut of the fake's is in the way.

    A fake has the cuts of its original, but a change that is hardly a cut may be seen in one of them alone.
    """
    indices = theirs.frames.indices
    if (
        np.array_equal(ours.frames.indices, indices)
        or ours.shots.num_frames != theirs.shots.num_frames
        or ours.shots.cuts_within(theirs.clips) != theirs.shots.cuts_within(theirs.clips)
        or indices[-1] >= theirs.shots.num_frames  # images are numbered with gaps, and have other positions
    ):
        return ours
    return replace(ours, frames=decode_exactly(video.path, indices))


def decode_exactly(path: str, indices: np.ndarray) -> ChosenFrames:
    """The frames of a video that was decoded before."""
    frames = decode_frames(path, lambda _: indices)
    if len(frames.timestamps) < len(indices):
        raise VideoError("unreadable", "it is damaged: decoded again, it has other frames than before")
    return frames


def _detect_and_follow(
    video: Video, frames: ChosenFrames, spec: ClipSpec, detector: Detector, masks: Sequence[Mask | None]
) -> list[FaceTrack]:
    detections = find_faces(video, frames, detector)
    tracks = []
    for first in range(0, len(detections), spec.num_frames):
        clip = slice(first, first + spec.num_frames)
        boxes, found = follow_face(detections[clip], masks[clip])
        tracks.append(face_track(boxes, found, frames.timestamps[clip], spec, masks[clip]))
    return tracks


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _median(parts: Sequence[np.ndarray]) -> float | None:
    values = np.concatenate(parts)
    return float(np.median(values)) if len(values) else None
