"""The faces through a clip: which detections belong to each."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deepfake_tfdata.video.mask import Mask

# Two boxes of one face overlap at least this much from one sampled frame to the next it is seen in.
_MIN_OVERLAP = 0.2
# A box that overlaps another of the same frame this much is a second sight of the same face.
_DUPLICATE_OVERLAP = 0.3
# A face's speed is taken over this many detections: over two it would be mostly jitter.
_MEMORY = 4

# The boxes of one face by frame, in the order of time.
_Track = dict[int, np.ndarray]


def follow_face(
    detections: Sequence[np.ndarray], masks: Sequence[Mask | None] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """The first of `follow_all`: the largest, most persistent face, or the one that masks show.

    Returns:
        boxes float32 [T, 4], zero where not found, and found bool [T].
    """
    nobody = np.zeros((len(detections), 4), np.float32), np.zeros(len(detections), bool)
    return next(iter(follow_all(detections, masks)), nobody)


def follow_all(
    detections: Sequence[np.ndarray], masks: Sequence[Mask | None] = ()
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Links detections over time.

    Args:
        detections: T arrays, each float [N, 4], (left, top, right, bottom) in pixels.
        masks: T masks of the manipulated area, or none.

    Returns:
        Every face, that with most of the manipulated area first, then the largest and most persistent: its
        boxes float32 [T, 4], zero where not found, and found bool [T].
    """
    tracks: list[_Track] = []
    for time, boxes in enumerate(detections):
        taken = dict(_matches(tracks, boxes, time))
        for box, track in taken.items():
            tracks[track][time] = boxes[box]
        tracks += [{time: boxes[box]} for box in _newcomers(boxes, list(taken))]
    tracks.sort(key=lambda track: (_shown(track, masks), _weight(track)), reverse=True)
    return [_as_arrays(track, len(detections)) for track in tracks]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    return shared / (_area(a) + _area(b) - shared)


def pair_up(pairs: Iterable[tuple[float, float, int, int]]) -> Iterator[tuple[int, int]]:
    """What belongs together, of (likeness, weight, a, b): the likeliest a and b first; each occurs once."""
    taken_a, taken_b = set(), set()
    for likeness, _, a, b in sorted(pairs, reverse=True):
        if likeness >= _MIN_OVERLAP and a not in taken_a and b not in taken_b:
            taken_a.add(a)
            taken_b.add(b)
            yield a, b


def side(box: np.ndarray) -> float:
    """The side of a square of the box's area."""
    return _area(box) ** 0.5


def _as_arrays(face: _Track, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
    found = np.array([time in face for time in range(num_frames)])
    boxes = np.zeros((num_frames, 4), np.float32)
    boxes[found] = np.reshape(list(face.values()), (-1, 4))
    return boxes, found


def _matches(tracks: Sequence[_Track], boxes: np.ndarray, time: int) -> Iterator[tuple[int, int]]:
    """Pairs of a box and the track that it continues, the best overlap first; each occurs once."""
    pairs = [
        (_likeness(track, box, time), _weight(track), box_index, track_index)
        for track_index, track in enumerate(tracks)
        for box_index, box in enumerate(boxes)
    ]
    return pair_up(pairs)


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
    return sum(map(side, track.values()))


def _shown(track: _Track, masks: Sequence[Mask | None]) -> float:
    """How much of the manipulated area a track has: the sum of the shares in its boxes."""
    pairs = [(masks[time], box) for time, box in track.items()] if masks else []
    return sum(mask.share_in(box) for mask, box in pairs if mask)


def _area(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))
