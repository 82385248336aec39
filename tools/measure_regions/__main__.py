"""How often a region's box holds what its name says, by detector.

    python -m tools.measure_regions --detectors=haar,yunet --repeats=2

Makes videos of two photographed faces with marked eyes and lips, each also mirrored: the head turns in the plane
and out of it, comes nearer, is lit from the side, is small, large, blurred. Converts them and counts in which share
of all frames the boxes that were cut, after tracking and smoothing, hold the marks to the last one: both eyes with
corners and lids, and the lips from corner to corner. A frame of a video that gave no clip holds nothing.

--output=NAME writes the table to NAME.md and NAME.json as well.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import Video
from deepfake_tfdata.video.errors import VideoError
from deepfake_tfdata.video.options import DetectorOptions
from deepfake_tfdata.video.process import process_video
from tools.measure_regions.clips import MOTIONS, NUM_FRAMES, Motion, write_clip
from tools.measure_regions.photos import Photo, Pose, annotated_photos, place

# What each region is to hold.
_HOLDS = {"eyes": "eyes", "mouth": "lips"}


@dataclass(frozen=True)
class Result:
    """What became of one clip.

    Attributes:
        held: bool [NUM_FRAMES] by region.
        found: in which share of the frames the face was found.
        jitter: as in the ledger, of the smoothed track.
    """

    held: dict[str, np.ndarray]
    found: float
    jitter: float


def measure_clip(path: Path, photo: Photo, poses: Sequence[Pose], detector: str, model: str) -> Result:
    """Converts a clip and looks at its boxes."""
    spec = ClipSpec(num_frames=NUM_FRAMES, detector=detector)
    video = Video(str(path), "0", 0, "original", "0")
    try:
        done = process_video(video, spec, [REGIONS[name] for name in _HOLDS], model)
    except VideoError:
        return Result({name: np.zeros(NUM_FRAMES, bool) for name in _HOLDS}, 0.0, 0.0)
    held = {}
    for name, marks in _HOLDS.items():
        points = getattr(photo, marks).reshape(-1, 2)
        places = np.stack([place(photo, points, pose) for pose in poses])
        held[name] = holds(done.clips[name][0].boxes, places)
    return Result(held, done.faces.frames_found / NUM_FRAMES, done.faces.jitter_smooth or 0.0)


def holds(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """bool [T]: whether boxes [T, 4] hold all of points [T, N, 2]."""
    inside = (points >= boxes[:, None, :2]) & (points <= boxes[:, None, 2:])
    return inside.all(axis=(1, 2))


def measure(
    motions: Sequence[Motion], detectors: Sequence[str], repeats: int, folder: Path, model: str = ""
) -> list[dict]:
    """A row a kind of motion, with the shares of every detector."""
    photos = [each for photo in annotated_photos() for each in (photo, photo.mirrored())]
    rows = []
    for number, motion in enumerate(motions):
        results = defaultdict(list)
        for index, photo in enumerate(photos * repeats):
            path = folder / "clip.mp4"
            poses = write_clip(path, motion, photo, 1000 * number + index)
            for detector in detectors:
                results[detector].append(
                    measure_clip(path, photo, poses, detector, model if detector == "yunet" else "")
                )
        row = {"motion": motion.name}
        for detector, clips in results.items():
            for name in _HOLDS:
                row[f"{detector} {name}"] = float(np.mean([clip.held[name] for clip in clips]))
            row[f"{detector} found"] = float(np.mean([clip.found for clip in clips]))
            row[f"{detector} jitter"] = float(np.median([clip.jitter for clip in clips]))
        rows.append(row)
    return rows


if __name__ == "__main__":
    import sys, time

    t = time.time()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(
            MOTIONS,
            ["haar", "yunet"],
            1,
            Path(folder),
            "/work/shared/models/face_detection_yunet_2023mar.onnx",
        )
    keys = list(rows[0])
    print(keys)
    for r in rows:
        print(f"{r['motion']:24}", *(f"{r[k]:7.3f}" for k in keys[1:]))
    print("mean                    ", *(f"{np.mean([r[k] for r in rows]):7.3f}" for k in keys[1:]))
    print(time.time() - t)
