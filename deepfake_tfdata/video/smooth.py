"""One face's boxes made smooth: jitter taken out, gaps filled, and how much jitter there was."""

import numpy as np

from deepfake_tfdata.video.errors import NoFaceError

# Longer than the detector's frame-to-frame jitter, shorter than a head movement.
_SMOOTHING_SECONDS = 0.5
# Shares of the face's size. A head that moves much between two sampled frames looks like jitter, too. So
# smoothing moves a box by no more than detectors err on a still face, and replaces one that is far off.
_MAX_JITTER, _MIN_MISTAKE = 0.03, 0.12
# Two wrong sizes in a row are taken out at least: detectors err more in size than in place.
_MIN_SIZE_WINDOW = 5


def smooth_track(
    boxes: np.ndarray, found: np.ndarray, window: int, max_size_range: float = np.inf
) -> np.ndarray:
    """Smooths one face's boxes over time.

    A running median replaces single wrong boxes, and local lines take out most of the jitter. Both leave
    steady motion as it is, and both look at frames in which the face was found only.

    Args:
        boxes: float32 [T, 4], (left, top, right, bottom) in pixels of the source frame.
        found: bool [T], whether the detector saw the face in that frame.
        window: odd number of frames that each of the two runs over.
        max_size_range: how many times larger the face may get in boxes of one size; see size_range.

    Returns:
        float32 [T, 4]: centre smoothed, gaps filled from their neighbours. Of one size, the median; where the
        face's changes more than that, of its smoothed size.

    Raises:
        NoFaceError: the face was found in no frame.
    """
    if not found.any():
        raise NoFaceError
    seen = boxes[found].astype(np.float64)
    times, centres = np.flatnonzero(found), centres_of(seen)
    sizes = np.broadcast_to(np.median(seen[:, 2:] - seen[:, :2], axis=0), (len(seen), 2))
    if size_range(boxes, found, window) > max_size_range:
        sizes = _smooth_sizes(boxes, found, window)
    medians = _running_median(times, centres, window // 2)
    wrong = (np.abs(centres - medians) > _MIN_MISTAKE * sizes).any(axis=1, keepdims=True)
    centres = np.where(wrong, medians, centres)
    jitter = centres - _local_lines(times, medians, window)
    centres = centres - np.clip(jitter, -_MAX_JITTER * sizes, _MAX_JITTER * sizes)
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return _interpolate(corners, found).astype(np.float32)


def size_range(boxes: np.ndarray, found: np.ndarray, window: int) -> float:
    """The largest of a face's smoothed sizes over the smallest, 1 or more; arguments as for smooth_track."""
    sides = np.sqrt(_smooth_sizes(boxes, found, window).prod(axis=1))
    return float(sides.max() / sides.min())


def _smooth_sizes(boxes: np.ndarray, found: np.ndarray, window: int) -> np.ndarray:
    """Width and height, float64 [N, 2], in the frames in which the face was found.

    Of their logarithms, so that a steady zoom is left alone.
    """
    window = max(window, _MIN_SIZE_WINDOW)
    times, seen = np.flatnonzero(found), boxes[found].astype(np.float64)
    medians = _running_median(times, np.log(seen[:, 2:] - seen[:, :2]), window // 2)
    return np.exp(_local_lines(times, medians, window))


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
    return _interpolate(boxes[found], found).astype(np.float32)


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


def _running_median(times: np.ndarray, values: np.ndarray, reach: int) -> np.ndarray:
    """The median of float [N, C] over as many rows before as after, at most `reach`.

    The ends follow Tukey's rule (Exploratory Data Analysis, 1977): the median of the value, its neighbour and
    where the line through the next two is as far beyond the end.
    """
    last = len(values) - 1
    reaches = [min(reach, row, last - row) for row in range(len(values))]
    medians = np.array([np.median(values[row - r : row + r + 1], axis=0) for row, r in enumerate(reaches)])
    if last >= 3:
        for end, second, third in ((0, 1, 2), (-1, -2, -3)):
            slope = (medians[second] - medians[third]) / (times[second] - times[third])
            beyond = medians[second] + slope * 2 * (times[end] - times[second])
            medians[end] = np.median([values[end], medians[second], beyond], axis=0)
    return medians


def _local_lines(times: np.ndarray, values: np.ndarray, window: int) -> np.ndarray:
    """The weighted regression line over the nearest rows, taken at every row (Cleveland, JASA 1979).

    In the middle of evenly spaced rows this is a triangular mean; it differs at ends and gaps, where a mean
    would pull a moving face back.
    """
    count = min(window, len(values))
    if count < 3:
        return values
    smoothed = np.empty_like(values)
    for row, time in enumerate(times):
        first = min(max(row - count // 2, 0), len(values) - count)
        away = times[first : first + count] - time
        weights = 1 - np.abs(away) / (np.abs(away).max() + 1)
        mean, spread = weights @ away / weights.sum(), weights @ away**2 / weights.sum()
        line = weights * (spread - mean * away)
        smoothed[row] = line @ values[first : first + count] / line.sum()
    return smoothed


def _interpolate(values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Float [T, C] out of the rows that were found, linearly; the ends repeat the nearest one."""
    times = np.arange(len(found))
    return np.stack([np.interp(times, times[found], column) for column in values.T], axis=1)
