"""Boxes that somebody computed before: a folder with one CSV file a video.

FOLDER/MANIPULATION/VIDEO_ID.csv, such as boxes/Face2Face/000_003.csv, has the header

    frame,left,top,right,bottom

and a line for every face: the frame's index from 0, and the box in pixels of the frame as it is
shown (upright, of square pixels), drawn as this package's docstring says. A frame may have several lines (the
converter follows the largest and most persistent face) or none.
"""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.video.decode import DecodedFrame
from deepfake_tfdata.video.errors import VideoError

# No frame is this many pixels wide.
_FAR = 1e6
# The share of a box that lies in the frame, at least.
_MIN_INSIDE = 0.5
_HEADER = ["frame", "left", "top", "right", "bottom"]


class BoxFiles:
    """Reads a video's file when its first frame is asked for, and holds one video's boxes at a time."""

    def __init__(self, path: str) -> None:
        """Checks the folder.

        Raises:
            UserError: there is no such folder, or it has no CSV file.
        """
        self._folder = Path(path)
        if not self._folder.is_dir():
            raise UserError(f"--boxes={path} is no folder; name one with MANIPULATION/VIDEO_ID.csv files")
        if next(self._folder.rglob("*.csv"), None) is None:
            raise UserError(f"--boxes={path} has no CSV file; expected files such as original/000.csv")
        self._read = lru_cache(maxsize=1)(_read_boxes)

    def __call__(self, video: Video, frame: DecodedFrame) -> np.ndarray:
        """Faces of a frame; see Detector. VideoError where the video's file is missing or damaged."""
        path = self._folder / f"{video.key}.csv"
        boxes = np.array(self._read(path).get(frame.index, ()), np.float32).reshape(-1, 4)
        height, width = frame.grey().shape
        for box in boxes:
            fault = _fault(box, width, height)
            if fault:
                place = f"{path}: the box {','.join(f'{edge:g}' for edge in box)} of frame {frame.index}"
                raise VideoError("bad_boxes", f"{place} is {fault} the frame of {width}x{height}")
        return boxes


def _fault(box: np.ndarray, width: int, height: int) -> str:
    """What is wrong with a box in a frame of that size; '' where nothing is.

    A face may be cut by the frame's edge. Of one that lies mostly beyond, a crop would repeat edge pixels.
    """
    sides = box[2:] - box[:2]
    # A crop takes memory by its size.
    if (sides > max(width, height)).any():
        return "larger than"
    inside = np.minimum(box[2:], (width, height)) - np.maximum(box[:2], 0)
    if (inside <= 0).any():
        return "outside"
    return "mostly outside" if np.prod(inside / sides) < _MIN_INSIDE else ""


def _read_boxes(path: Path) -> dict[int, list[list[float]]]:
    """The boxes of a video by frame."""
    if not path.is_file():
        raise VideoError("no_boxes", f"--boxes has no file {path}")
    boxes: dict[int, list[list[float]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        if next(lines, None) != _HEADER:
            raise VideoError("bad_boxes", f"{path} does not begin with the line {','.join(_HEADER)}")
        for line in lines:
            try:
                frame, (left, top, right, bottom) = int(line[0]), map(float, line[1:])
                if not (left < right and top < bottom and max(map(abs, (left, top, right, bottom))) < _FAR):
                    raise ValueError
            except (ValueError, IndexError):
                place = f"{path}, line {lines.line_num}"
                raise VideoError("bad_boxes", f"{place}: '{','.join(line)}' is no box") from None
            boxes.setdefault(frame, []).append([left, top, right, bottom])
    return boxes
