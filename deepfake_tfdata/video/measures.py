"""What of a video's coding and timing is told in the ledger, and of any video that is looked at."""

import numpy as np


def bits_a_pixel(num_bytes: int, width: int, height: int, num_frames: int) -> float | None:
    """Bits of the coded video for every pixel of it; None where there are no pixels, as of images.

    Args:
        num_bytes: of the video stream.
        width, height: of a frame as it is coded.
        num_frames: that are shown.
    """
    pixels = width * height * num_frames
    return 8 * num_bytes / pixels if pixels else None


def frame_seconds(timestamps: np.ndarray) -> float | None:
    """Median seconds between neighbouring frames of clips, float [K, T]; None of one frame."""
    steps = np.diff(timestamps, axis=1)
    return float(np.median(steps)) if steps.size else None
