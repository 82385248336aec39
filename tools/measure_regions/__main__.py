"""How often a region's box holds what its name says, by detector.

    python -m tools.measure_regions --detectors=haar,yunet --repeats=2

Makes videos of two photographed faces with marked eyes and lips, each also mirrored: the head turns in the
plane and out of it, comes nearer, is lit from the side, is small, large, blurred. Converts them and counts in
which share of all frames the boxes that were cut, after tracking and smoothing, hold the marks to the last:
both eyes with corners and lids, and the lips with corners and edges; in brackets the same for the middles of
both eyes and the corners of the lips alone, as landmark detectors mark them. A frame of a video that gave no
clip holds nothing.

--output=NAME writes the table to NAME.md and NAME.json as well.
"""

import argparse
import json
import tempfile
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

_REGIONS = ("eyes", "mouth", "eyes_square", "mouth_square")


@dataclass(frozen=True)
class ClipResult:
    """What became of one clip.

    Attributes:
        held: by region, in which share of the frames it holds all marks, and the middles or corners alone.
        jitter: of the smoothed track, as in the ledger; nan where there is none.
    """

    held: dict[str, tuple[float, float]]
    jitter: float


def main(arguments: list[str] | None = None) -> None:
    """Makes the videos, measures, prints."""
    options = parse_arguments(arguments)
    chosen = [motion for motion in MOTIONS if not options.motions or motion.name in options.motions]
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(chosen, options.detectors, options.repeats, options.detector_model, Path(folder))
    print(markdown_table(rows))
    if options.output:
        options.output.with_suffix(".md").write_text(markdown_table(rows) + "\n")
        options.output.with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--detectors", type=lambda text: text.split(","), default=["haar", "yunet"])
    parser.add_argument("--detector_model", default="", help="as of convert, for yunet")
    parser.add_argument("--motions", type=lambda text: text.split(","), help="names; all without it")
    parser.add_argument("--repeats", type=int, default=1, help="clips a face and motion")
    parser.add_argument("--output", type=Path, help="name of the .md and .json to write")
    return parser.parse_args(arguments)


def measure(
    motions: Sequence[Motion], detectors: Sequence[str], repeats: int, model: str, folder: Path
) -> list[dict]:
    """A row a kind of motion and detector: shares by region, and the median jitter."""
    photos = [each for photo in annotated_photos() for each in (photo, photo.mirrored())]
    rows = []
    for motion in motions:
        results: dict[str, list[ClipResult]] = {detector: [] for detector in detectors}
        for seed, photo in enumerate(photos * repeats):
            path = folder / "clip.mp4"
            poses = write_clip(path, motion, photo, seed)
            for detector in detectors:
                results[detector].append(measure_clip(path, photo, poses, detector, model))
        rows += [
            {"motion": motion.name, "detector": name, **_summary(clips)} for name, clips in results.items()
        ]
    return rows


def measure_clip(path: Path, photo: Photo, poses: Sequence[Pose], detector: str, model: str) -> ClipResult:
    """Converts a clip and looks at its boxes; `model` is YuNet's file, '' for the one in the cache."""
    model = model if detector == "yunet" else ""
    path_of_model = DetectorOptions(detector_model=model).path_for(detector)
    spec = ClipSpec(num_frames=NUM_FRAMES, detector=detector)
    video = Video(str(path), "0", 0, "original", "0")
    try:
        done = process_video(video, spec, [REGIONS[name] for name in _REGIONS], path_of_model)
    except VideoError:
        return ClipResult({name: (0.0, 0.0) for name in _REGIONS}, float("nan"))
    held = {}
    for name in _REGIONS:
        # All of it, and what a landmark detector gives of it.
        eyes = name.startswith("eyes")
        marks = (photo.eyes.reshape(-1, 2), photo.eyes.mean(axis=1)) if eyes else (photo.lips, photo.lips[:2])
        boxes = done.clips[name][0].boxes
        whole, points = (np.mean(holds(boxes, _places(photo, part, poses))) for part in marks)
        held[name] = (float(whole), float(points))
    return ClipResult(held, done.faces.jitter_smooth or 0.0)


def holds(boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """bool [T]: whether boxes [T, 4] hold all of points [T, N, 2]."""
    inside = (points >= boxes[:, None, :2]) & (points <= boxes[:, None, 2:])
    return inside.all(axis=(1, 2))


def markdown_table(rows: list[dict]) -> str:
    """A line a motion and detector, and the means of every detector."""
    lines = ["| motion | detector | " + " | ".join((*_REGIONS, "jitter")) + " |"]
    lines.append("|---|---" + "|---:" * (len(_REGIONS) + 1) + "|")
    for detector in dict.fromkeys(row["detector"] for row in rows):
        of_detector = [row for row in rows if row["detector"] == detector]
        mean = {
            name: np.mean([row[name] for row in of_detector], axis=0).tolist()
            for name in (*_REGIONS, "jitter")
        }
        for row in (*of_detector, {"motion": "**mean**", "detector": detector, **mean}):
            shares = (f"{row[name][0]:.1%} ({row[name][1]:.1%})" for name in _REGIONS)
            lines.append(f"| {row['motion']} | {detector} | {' | '.join(shares)} | {row['jitter']:.2%} |")
    return "\n".join(lines)


def _places(photo: Photo, points: np.ndarray, poses: Sequence[Pose]) -> np.ndarray:
    """Where points [N, 2] of a photograph are in every frame, [T, N, 2]."""
    return np.stack([place(photo, points, pose) for pose in poses])


def _summary(clips: Sequence[ClipResult]) -> dict:
    shares = {name: np.mean([clip.held[name] for clip in clips], axis=0).tolist() for name in _REGIONS}
    return {**shares, "jitter": float(np.nanmedian([clip.jitter for clip in clips]))}


if __name__ == "__main__":
    main()
