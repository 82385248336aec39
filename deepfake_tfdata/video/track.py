"""One face through a clip: which detections belong to it, and where it is in every frame."""

from collections.abc import Iterator, Sequence

import numpy as np

from deepfake_tfdata.video.errors import NoFaceError

# Two boxes of one face overlap at least this much from one sampled frame to the next it is seen in.
_MIN_OVERLAP = 0.2
# A box that overlaps another of the same frame this much is a second sight of the same face.
_DUPLICATE_OVERLAP = 0.3
# A face's speed is taken over this many detections: over two it would be mostly jitter.
_MEMORY = 4
# Longer than the detector's frame-to-frame jitter, shorter than a head movement.
_SMOOTHING_SECONDS = 0.5

# The boxes of one face by frame, in the order of time.
_Track = dict[int, np.ndarray]


def follow_face(detections: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Links detections over time and keeps the largest, most persistent face.

    Args:
        detections: T arrays, each float [N, 4], (left, top, right, bottom) in pixels.

    Returns:
        boxes float32 [T, 4], zero where not found, and found bool [T].
    """
    tracks: list[_Track] = []
    for time, boxes in enumerate(detections):
        taken = dict(_matches(tracks, boxes, time))
        for box, track in taken.items():
            tracks[track][time] = boxes[box]
        tracks += [{time: boxes[box]} for box in _newcomers(boxes, list(taken))]
    face = max(tracks, key=_weight, default={})
    found = np.array([time in face for time in range(len(detections))])
    boxes = np.zeros((len(detections), 4), np.float32)
    boxes[found] = np.reshape(list(face.values()), (-1, 4))
    return boxes, found


def smooth_track(boxes: np.ndarray, found: np.ndarray, window: int) -> np.ndarray:
    """Smooths one face's boxes over time.

    A running median takes single wrong boxes out, and a triangular mean the rest of the jitter. Both leave
    steady motion as it is.

    Args:
        boxes: float32 [T, 4], (left, top, right, bottom) in pixels of the source frame.
        found: bool [T], whether the detector saw the face in that frame.
        window: odd number of frames that each of the two runs over.

    Returns:
        float32 [T, 4]: one size throughout, centre smoothed, gaps filled from their neighbours.

    Raises:
        NoFaceError: the face was found in no frame.
    """
    centres = _running_median(centres_of(boxes), found, window // 2)
    centres = _triangular_mean(_interpolate(centres, found), window // 2)
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
    return _interpolate(boxes, found).astype(np.float32)


def smoothing_window(timestamps: np.ndarray) -> int:
    """The odd number of frames, three or more, that spans about half a second of float [T] seconds."""
    step = float(np.median(np.diff(timestamps))) if len(timestamps) > 1 else 0.0
    frames = round(_SMOOTHING_SECONDS / step) if step > 0 else 3
    return int(np.clip(frames // 2 * 2 + 1, 3, max(3, (len(timestamps) - 1) // 2 * 2 + 1)))


def centre_jitter(boxes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """How far the centre of a box is from steady motion.

    Args:
        boxes: float [T, 4], pixels.
        found: bool [T].

    Returns:
        float [M] pixels: the length of the centre's second difference wherever three frames in a row show the
        face. Filled gaps have none by construction and do not count.
    """
    lengths = np.linalg.norm(np.diff(centres_of(boxes), n=2, axis=0), axis=1)
    return lengths[found[:-2] & found[1:-1] & found[2:]]


def centres_of(boxes: np.ndarray) -> np.ndarray:
    """The centres, [T, 2], of [T, 4] boxes."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    return shared / (_area(a) + _area(b) - shared)


def _matches(tracks: Sequence[_Track], boxes: np.ndarray, time: int) -> Iterator[tuple[int, int]]:
    """Pairs of a box and the track that it continues, the best overlap first; each occurs once."""
    pairs = [
        (_likeness(track, box, time), _weight(track), box_index, track_index)
        for track_index, track in enumerate(tracks)
        for box_index, box in enumerate(boxes)
    ]
    free_boxes, free_tracks = set(range(len(boxes))), set(range(len(tracks)))
    for likeness, _, box, track in sorted(pairs, reverse=True):
        if likeness >= _MIN_OVERLAP and box in free_boxes and track in free_tracks:
            free_boxes.remove(box)
            free_tracks.remove(track)
            yield box, track


def _newcomers(boxes: np.ndarray, taken: list[int]) -> list[int]:
    """The boxes, largest first, that are no second sight of a face that has a box already."""
    started: list[int] = []
    for box in sorted(set(range(len(boxes))) - set(taken), key=lambda index: -_area(boxes[index])):
        if all(overlap(boxes[box], boxes[other]) < _DUPLICATE_OVERLAP for other in [*taken, *started]):
            started.append(box)
    return started


def _likeness(track: _Track, box: np.ndarray, time: int) -> float:
    """The overlap of a box with the track's last one, where that was or where steady motion has taken it.

    The motion is what tells two crossing faces apart; a head that turns back is where it was.
    """
    times = list(track)[-_MEMORY:]
    first, last = track[times[0]], track[times[-1]]
    elapsed = max(times[-1] - times[0], 1)
    speed = (last - first + (last - first)[[2, 3, 0, 1]]) / 2 / elapsed
    return max(overlap(last, box), overlap(last + speed * (time - times[-1]), box))


def _weight(track: _Track) -> float:
    """Large and long-lived faces weigh most: the sum of the box's side over the frames it is seen in."""
    return sum(_area(box) ** 0.5 for box in track.values())


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))


def _running_median(values: np.ndarray, found: np.ndarray, reach: int) -> np.ndarray:
    """The median of the found values around every found one; at the ends it reaches equally far both ways."""
    medians = values.copy()
    for time in np.flatnonzero(found):
        near = min(reach, time, len(values) - 1 - time)
        span = slice(time - near, time + near + 1)
        medians[time] = np.median(values[span][found[span]], axis=0)
    return medians


def _triangular_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """The weighted mean of float [T, C] over 2 * reach + 1 frames; the ends continue point-symmetrically."""
    weights = np.bartlett(2 * reach + 3)[1:-1]
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis=0)
    return windows @ (weights / weights.sum())


def _interpolate(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Float [T, C] with the rows that were not found interpolated; the ends repeat the nearest one."""
    if not found.any():
        raise NoFaceError
    times = np.arange(len(values))
    columns = [np.interp(times, times[found], column[found]) for column in values.T]
    return np.stack(columns, axis=1)
