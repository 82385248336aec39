"""Which frames of a video make a clip."""

import numpy as np

from deepfake_tfdata.video.errors import VideoError


def linspace_indices(num_frames_in_video: int, num_frames: int) -> np.ndarray:
    """Evenly spaced frames from the first to the last.

    Args:
        num_frames_in_video: how many frames the video has.
        num_frames: T.

    Returns:
        int64 [T], strictly increasing.

    Raises:
        VideoError: the video has fewer than T frames; repeating one would be a false temporal signal.
    """
    if num_frames_in_video < num_frames:
        raise VideoError(
            "too_short", f"the video has {num_frames_in_video} frames and a clip needs {num_frames}"
        )
    return np.linspace(0, num_frames_in_video - 1, num_frames).round().astype(np.int64)
