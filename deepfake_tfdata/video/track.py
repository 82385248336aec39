"""One face through a clip: which detections belong to it, and where it is in every frame."""

from collections.abc import Sequence

import numpy as np

from deepfake_tfdata.video.errors import NoFaceError

# Two boxes of one face overlap at least this much from one sampled frame to the next it is seen in.
_MIN_OVERLAP = 0.2
# Longer than the detector's frame-to-frame jitter, shorter than a head movement.
_SMOOTHING_SECONDS = 0.5


def follow_face(detections: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Links detections over time and keeps the largest, most persistent face.

    Args:
        detections: T arrays, each float [N, 4], (left, top, right, bottom) in pixels.

    Returns:
        boxes float32 [T, 4], undefined where not found, and found bool [T].

    Raises:
        NoFaceError: there is no detection at all.
    """
    tracks: list[dict[int, np.ndarray]] = []
    for time, boxes in enumerate(detections):
        free = list(boxes)
        # The face seen most often so far chooses first, so that a newcomer can't take its box.
        for track in sorted(tracks, key=_weight, reverse=True):
            last = track[max(track)]
            best = max(range(len(free)), key=lambda i: overlap(last, free[i]), default=None)
            if best is not None and overlap(last, free[best]) >= _MIN_OVERLAP:
                track[time] = free.pop(best)
        tracks += [{time: box} for box in free]
    if not tracks:
        raise NoFaceError
    face = max(tracks, key=_weight)
    found = np.array([time in face for time in range(len(detections))])
    boxes = np.zeros((len(detections), 4), np.float32)
    boxes[found] = list(face.values())
    return boxes, found


def smooth_track(boxes: np.ndarray, found: np.ndarray, window: int) -> np.ndarray:
    """Smooths one face's boxes over time.

    Args:
        boxes: float32 [T, 4], (left, top, right, bottom) in pixels of the source frame.
        found: bool [T], whether the detector saw the face in that frame.
        window: odd number of frames the median runs over.

    Returns:
        float32 [T, 4]: one size throughout, centre smoothed, gaps filled from their neighbours.

    Raises:
        NoFaceError: the face was found in no frame.
    """
    filled = fill_gaps(boxes, found)
    centres = (filled[:, :2] + filled[:, 2:]) / 2
    padded = np.pad(centres, ((window // 2, window // 2), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=0)
    centres = np.median(windows, axis=-1)
    half = np.median(boxes[found, 2:] - boxes[found, :2], axis=0) / 2
    return np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)


def fill_gaps(boxes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Interpolates boxes linearly where the face was not found; the ends repeat the nearest one.

    Args:
        boxes: float [T, 4].
        found: bool [T].

    Raises:
        NoFaceError: the face was found in no frame.
    """
    if not found.any():
        raise NoFaceError
    times = np.arange(len(boxes))
    columns = [np.interp(times, times[found], boxes[found, column]) for column in range(4)]
    return np.stack(columns, axis=1).astype(np.float32)


def smoothing_window(timestamps: np.ndarray) -> int:
    """The odd number of frames, three or more, that spans about half a second of float [T] seconds."""
    step = float(np.median(np.diff(timestamps))) if len(timestamps) > 1 else 0.0
    frames = round(_SMOOTHING_SECONDS / step) if step > 0 else 3
    return int(np.clip(frames // 2 * 2 + 1, 3, max(3, (len(timestamps) - 1) // 2 * 2 + 1)))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    return shared / (_area(a) + _area(b) - shared)


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))


def _weight(track: dict[int, np.ndarray]) -> float:
    """Large and long-lived faces weigh most: the sum of the box's side over the frames it is seen in."""
    return sum(_area(box) ** 0.5 for box in track.values())
