"""Which frames of a video make its clips."""

import numpy as np

from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.shots import Shots


def sample_frames(shots: Shots, spec: ClipSpec) -> np.ndarray:
    """The frames of every clip: of the longest shot, or of the whole video.

    Args:
        shots: of the video.
        spec: how to choose; clips never overlap, so a short video gives fewer than asked for.

    Returns:
        int64 [K, T], strictly increasing when read row by row.

    Raises:
        VideoError: the video or its longest shot has fewer than T frames; repeating one would be a false
            temporal signal.
    """
    _require_frames(shots.num_frames, spec.num_frames)
    shot = range(shots.num_frames) if spec.shots == "ignore" else shots.longest(spec.num_frames)
    if spec.sampling == "linspace":
        return shot.start + linspace_indices(len(shot), spec.num_frames)[None]
    return shot.start + consecutive_indices(len(shot), spec.num_frames, spec.clips_per_video)


def linspace_indices(num_frames_in_video: int, num_frames: int) -> np.ndarray:
    """T evenly spaced frames from the first to the last, int64 [T]; VideoError where there are fewer."""
    _require_frames(num_frames_in_video, num_frames)
    return np.linspace(0, num_frames_in_video - 1, num_frames).round().astype(np.int64)


def consecutive_indices(num_frames_in_video: int, num_frames: int, max_clips: int) -> np.ndarray:
    """Runs of T adjacent frames, each in the middle of one of K equal parts of the video.

    Args:
        num_frames_in_video: how many frames the video has.
        num_frames: T.
        max_clips: K, or fewer where that many do not fit.

    Returns:
        int64 [K, T].

    Raises:
        VideoError: not even one fits.
    """
    _require_frames(num_frames_in_video, num_frames)
    count = min(max_clips, num_frames_in_video // num_frames)
    middles_doubled = (2 * np.arange(count) + 1) * num_frames_in_video
    starts = (middles_doubled - num_frames * count) // (2 * count)
    return starts[:, None] + np.arange(num_frames)


def _require_frames(num_frames_in_video: int, num_frames: int) -> None:
    if num_frames_in_video < num_frames:
        raise VideoError(
            "too_short", f"the video has {num_frames_in_video} frames and a clip needs {num_frames}"
        )
