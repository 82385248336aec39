"""Shots: where a video cuts from one view to another, and which of its shots clips are taken from.

A cut is a change between two adjacent frames that is abrupt: large, and several times as large as the changes
around it. Motion, pans and zooms change many frames in a row, and a flash ends where it began. So does a
dissolve or a fade, which is no cut here: shots that it joins count as one.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from deepfake_tfdata.clips.processed import FaceStatistics
from deepfake_tfdata.video.decode import DecodedFrame, decode_frames
from deepfake_tfdata.video.errors import VideoError

# Of a thumbnail, and of the grid of points it is averaged from, pixels: to average all pixels takes ten times
# as long. Cells of a 16th of the width hardly see motion, and see every change of scene or zoom.
_THUMBNAIL, _GRID = (16, 9), (64, 36)
# Grey levels. Contrast below it says little: a faded picture is no other than black.
_NOISE = 8.0
# Changes as `changes` measures them: 1 is that of two pictures that have nothing in common.
_MIN_CUT, _SURE_CUT = 0.2, 0.7
# How many times as large as the changes of so many frames before and after a cut is; that of frames that are
# further apart than one, where other motion adds up, is only a suspicion.
_MIN_RATIO, _MIN_SUSPICION, _AROUND = 3.0, 1.5, 4
# A flash lasts no more frames than this, and leaves the picture as it was.
_MAX_FLASH = 3
# What is decoded before and after a suspicion.
_REACH = _AROUND + _MAX_FLASH


@dataclass(frozen=True)
class Shots:
    """The shots of a video.

    Attributes:
        num_frames: of the video.
        cuts: the last frame of every shot but the last one, increasing.
    """

    num_frames: int
    cuts: tuple[int, ...] = ()

    @property
    def ranges(self) -> list[range]:
        """The frames of every shot."""
        ends = [*(cut + 1 for cut in self.cuts), self.num_frames]
        return [range(first, end) for first, end in zip([0, *ends], ends, strict=False)]

    def longest(self, num_frames: int) -> range:
        """The longest shot, the first where several are; VideoError where it is shorter than a clip."""
        shot = max(self.ranges, key=len)
        if len(shot) >= num_frames:
            return shot
        count = len(self.cuts) + 1
        raise VideoError(
            "short_shots",
            f"the longest of its {count} shots has {len(shot)} frames and a clip needs {num_frames}",
            FaceStatistics(shots=count),
        )

    def cuts_within(self, clips: np.ndarray) -> int:
        """How many cuts lie between the first and the last frame of a clip, over all rows of int [K, T]."""
        return sum(int(first <= cut < last) for first, last in clips[:, [0, -1]] for cut in self.cuts)


class Thumbnails:
    """Small grey pictures of all frames that are decoded, whether they are chosen or only help to decode."""

    def __init__(self) -> None:
        self._pictures: dict[int, np.ndarray] = {}

    def __call__(self, frame: DecodedFrame) -> None:
        """Keeps one of a frame."""
        points = cv2.resize(frame.grey(), _GRID, interpolation=cv2.INTER_LINEAR)
        self._pictures[frame.index] = cv2.resize(points, _THUMBNAIL, interpolation=cv2.INTER_AREA)

    def find_shots(self, path: str, num_frames: int) -> Shots:
        """The shots of the video at `path`, of which the thumbnails are and which has that many frames.

        Where two of them differ so that a cut may lie between, all frames around are decoded.
        """
        indices = np.array(sorted(index for index in self._pictures if index < num_frames), int)
        if len(indices) < 2:
            return Shots(num_frames)
        suspected = [(int(indices[n]), int(indices[n + 1])) for n in suspicions(indices, self._of(indices))]
        around = [
            range(max(0, before - _REACH), min(num_frames, after + 1 + _REACH)) for before, after in suspected
        ]
        missing = np.setdiff1d([index for stretch in around for index in stretch], indices)
        if len(missing):
            decode_frames(path, lambda _: missing, self)
        cuts = [
            cut
            for (before, after), stretch in zip(suspected, around, strict=True)
            for cut in self._cuts_in(stretch)
            if before <= cut < after
        ]
        return Shots(num_frames, tuple(cuts))

    def _cuts_in(self, stretch: range) -> list[int]:
        # A damaged frame may be missing still.
        known = np.array([index for index in stretch if index in self._pictures])
        cuts: list[int] = known[find_cuts(self._of(known))].tolist()
        return cuts

    def _of(self, indices: np.ndarray) -> np.ndarray:
        return np.stack([self._pictures[index] for index in indices])


def changes(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How much pictures differ, whatever their brightness and contrast.

    Args:
        before, after: [N, H, W], grey.

    Returns:
        float [N], the root of one minus their correlation: 0 for equal ones, about 1 for others, and
        proportional to the way of what moves little.
    """
    a, b = (x.reshape(len(x), -1) - x.mean(axis=(1, 2))[:, None] for x in (before, after))
    spread_a, spread_b, common = ((x * y).mean(axis=1) + _NOISE**2 for x, y in ((a, a), (b, b), (a, b)))
    return np.sqrt(np.maximum(0, 1 - common / np.sqrt(spread_a * spread_b)))


def suspicions(indices: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Where a cut may lie among pictures of frames that need not be adjacent.

    Args:
        indices: int [N], increasing; of the frames.
        pictures: [N, H, W], grey.

    Returns:
        Every n, int [M], such that one may lie between picture n and the next.
    """
    found, gaps = changes(pictures[:-1], pictures[1:]), np.diff(indices)
    usual = gaps * _usual(found / gaps)
    return np.flatnonzero(_stand_out(found, _MIN_SUSPICION * usual))


def find_cuts(pictures: np.ndarray) -> np.ndarray:
    """The cuts among adjacent frames, [N, H, W], grey: int [M], every n with a cut after frame n."""
    found = changes(pictures[:-1], pictures[1:])
    abrupt = _stand_out(found, _MIN_RATIO * _usual(found))
    stays = [bool(abrupt[n]) and _stays(pictures, n, found[n]) for n in range(len(found))]
    return np.flatnonzero(stays)


def _stand_out(found: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Which changes are larger than what is usual around them, or large beyond doubt."""
    return (found >= _MIN_CUT) & (found >= np.minimum(usual, _SURE_CUT))


def _stays(pictures: np.ndarray, cut: int, change: float) -> bool:
    """Whether nothing shortly after the change is as it was shortly before."""
    before = pictures[max(0, cut - _MAX_FLASH) : cut + 1]
    after = pictures[cut + 1 : cut + 2 + _MAX_FLASH]
    pairs = changes(np.repeat(before, len(after), axis=0), np.tile(after, (len(before), 1, 1)))
    return bool(pairs.min() > change / 2)


def _usual(values: np.ndarray) -> np.ndarray:
    """The second largest of the values around each: one more cut, or the end of a flash, is not usual."""
    places = np.arange(len(values))
    starts = np.clip(places - _AROUND, 0, max(0, len(values) - 2 * _AROUND - 1))
    around = starts[:, None] + np.arange(min(len(values), 2 * _AROUND + 1))
    others = np.where(around == places[:, None], 0, values[around])
    return np.sort(others, axis=1)[:, -2] if others.shape[1] > 1 else np.zeros(len(values))
