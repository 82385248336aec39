"""Whether an explanation points at what a detector goes by: places chosen, moved and compared.

A map is judged by what happens to the logit of a fake when the pixels of its original are put where the map
points. Other ways of deleting pixels (black, grey, blurred) leave the data that the detector knows: the fall
says as much of that as of the map.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Shares of the area that are pasted, and the one that verdicts are about, fixed before anything is seen.
AREAS = (0.02, 0.05, 0.1, 0.2, 0.4)
AREA = 0.1
# Places that a map's shape is moved to by chance.
CHANCE_DRAWS = 4


def most_important(values: np.ndarray, share: float) -> np.ndarray:
    """The places of every frame with the highest values.

    Args:
        values: float [R, T, H, W].
        share: of a frame's places, those of all R regions together.

    Returns:
        bool [R, T, H, W]; in every frame the same number.
    """
    by_frame = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
    count = max(1, round(share * by_frame.shape[1]))
    chosen = np.zeros(by_frame.shape, bool)
    np.put_along_axis(chosen, np.argpartition(-by_frame, count - 1, axis=1)[:, :count], True, axis=1)
    regions, frames, *sides = values.shape
    return np.moveaxis(chosen.reshape(frames, regions, *sides), 0, 1)


def moved(places: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Places [R, T, H, W] of the same shape elsewhere: moved alike in all frames, out on one side and in on
    the other.
    """
    *_, height, width = places.shape
    shift = (int(random.integers(height)), int(random.integers(width)))
    return np.roll(places, shift, axis=(-2, -1))


def nearness_to_centre(size: int) -> np.ndarray:
    """What points at the middle of a square whatever it shows, float [size, size]."""
    offset = np.arange(size) - (size - 1) / 2
    return -np.hypot(offset[:, None], offset[None, :])


def mean_of_others(maps: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The mean map of the clips of all other units; of all clips where there is one unit only.

    Args:
        maps: float [N, ...].
        units: str [N], what is independent.
    """
    total = maps.sum(axis=0)
    means = np.empty_like(maps)
    for unit in np.unique(units):
        own = units == unit
        others = len(maps) - own.sum()
        means[own] = (total - maps[own].sum(axis=0)) / others if others else total / len(maps)
    return means


def peak(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of the highest value of each frame, in whichever region.

    Args:
        values: float [R, T, h, w].

    Returns:
        int [T], the region; float [T, 2], the middle of the place, across and down in shares of the square.
    """
    regions, frames, height, width = values.shape
    flat = np.moveaxis(values, 1, 0).reshape(frames, -1).argmax(axis=1)
    region, row, column = np.unravel_index(flat, (regions, height, width))
    return region, np.stack([(column + 0.5) / width, (row + 0.5) / height], axis=1)


def share_inside(squares: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The share of squares' areas that lies in boxes, [...] of [..., 4] (left, top, right, bottom) each."""
    overlap = np.minimum(squares[..., 2:], boxes[..., 2:]) - np.maximum(squares[..., :2], boxes[..., :2])
    area = np.prod(squares[..., 2:] - squares[..., :2], axis=-1)
    return np.asarray(np.prod(np.maximum(overlap, 0), axis=-1) / area)


def is_inside(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Whether points [..., 2] lie in boxes [..., 4], bool [...]."""
    return np.asarray(((points >= boxes[..., :2]) & (points <= boxes[..., 2:])).all(axis=-1))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays of one size; NaN where one of them is constant."""
    ranks = [_ranks(np.ravel(each)) for each in (first, second)]
    centred = [each - each.mean() for each in ranks]
    spread = np.prod([np.sqrt(np.sum(each**2)) for each in centred])
    return float(np.sum(centred[0] * centred[1]) / spread) if spread else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    """From the lowest, ties sharing their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


@dataclass(frozen=True, eq=False)
class Findings:
    """What was measured on N fakes, each beside its original.

    Attributes:
        units: str [N], the connected component of its identities; what is independent.
        logit: float [N], before anything is pasted.
        all_pasted: float [N], by how much the logit falls when all that the original has is pasted.
        falls: by what points, float [N, A]: the same of each of AREAS.
        chance: by what points, float [N, A]: the mean fall when its places are moved by chance.
        randomised: float [N], rank correlation of the map with one of randomised weights.
        pointing: by what points, float [N]: share of frames whose highest place lies in the planted box, and
            under 'chance' the box's share of the area; empty where no boxes are known.
        correlations: by name, float [N], NaN where a clip has none; empty where there are none.
    """

    units: np.ndarray
    logit: np.ndarray
    all_pasted: np.ndarray
    falls: Mapping[str, np.ndarray]
    chance: Mapping[str, np.ndarray]
    randomised: np.ndarray
    pointing: Mapping[str, np.ndarray]
    correlations: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Example:
    """A fake to look at: the frame in which the map is highest, as it is stored.

    Attributes:
        clip_id: of the fake.
        region: which of its regions.
        frame_index: in the video.
        crop: uint8 [H, W, 3].
        maps: by method, float32 [H, W], what each pixel's place adds to the logit, or takes of it if covered.
        box: float [4] of what was planted, in the crop's pixels; None where that is not known.
        logit: of the clip.
        fall: of the logit when the original is pasted where the map points, on AREA of the square.
        all_pasted: of the logit when all of the original is pasted.
    """

    clip_id: str
    region: str
    frame_index: int
    crop: np.ndarray
    maps: Mapping[str, np.ndarray]
    box: np.ndarray | None
    logit: float
    fall: float
    all_pasted: float
