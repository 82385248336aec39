"""Where the faces of a frame are. Every detector gives boxes of one convention.

The convention: the box is square and about as wide as the face. Its top 35 % hold both eyes with their lids
and its bottom 35 % both lips, with as much room to spare: the middle of the eyes lies at 25 to 30 % of its
height, that of the lips at 72 to 77 %.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.decode import DecodedFrame
from deepfake_tfdata.video.detectors.boxes import BoxFiles
from deepfake_tfdata.video.detectors.haar import HaarDetector
from deepfake_tfdata.video.detectors.yunet import YuNetDetector


class Detector(Protocol):
    """Finds the faces in a frame of a video."""

    def __call__(self, video: Video, frame: DecodedFrame) -> np.ndarray:
        """float32 [N, 4], (left, top, right, bottom) in pixels of the frame as it is shown; N may be 0."""


# What each is made from: nothing, or the file or folder of DetectorOptions.
DETECTORS: dict[str, Callable[[str], Detector]] = {
    "haar": lambda _: HaarDetector(),
    "yunet": YuNetDetector,
    "boxes": BoxFiles,
}


def load_detector(name: str, path: str) -> Detector:
    """The detector of that name.

    Args:
        name: a key of DETECTORS.
        path: of its model file or folder of boxes; '' for one that needs none.

    Raises:
        UserError: the file is missing or is not what the detector reads.
    """
    return DETECTORS[name](path)


@lru_cache(maxsize=1)
def the_detector(name: str, path: str) -> Detector:
    """As load_detector; one a process: loading a model takes longer than a frame."""
    return load_detector(name, path)


def content_hash(path: str) -> str:
    """Twelve hexadecimal digits of a file's bytes, or of the names and bytes of a folder's CSV files.

    '' gives ''. It stands in the clip spec instead of the path, which says nothing on another machine.
    """
    if not path:
        return ""
    root = Path(path)
    files = sorted(root.rglob("*.csv")) if root.is_dir() else [root]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(root)}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
