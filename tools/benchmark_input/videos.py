"""Test videos: a photographed face in the sizes and about the proportions of FaceForensics++."""

import csv
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tools.benchmark_convert import moving_face, write_video

# Of six videos three are 480p, two 720p and one 1080p, with the face's height as a share of the frame's:
# that makes faces of about 100 to 400 pixels.
_KINDS = ((480, (0.21, 0.42)), (720, (0.20, 0.42)), (480, (0.21, 0.42)), (1080, (0.19, 0.37)))
_KINDS = (*_KINDS, _KINDS[0], _KINDS[1])
# Grey levels. After crf 23 it leaves crops of 0.3 (mouth) to 0.4 (full) bytes a pixel as JPEG.
_NOISE = 6
# A few more than a clip has, so that frames are chosen and not all taken.
_SPARE_FRAMES = 8


def make_videos(folder: Path, count: int, num_frames: int) -> Path:
    """Makes `count` videos, half of them called fake.

    Returns:
        A CSV file that lists them, all in the train split, as `convert --source` reads it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(folder / f"{index:04d}.mp4", index, num_frames + _SPARE_FRAMES) for index in range(count)]
    with multiprocessing.get_context("spawn").Pool() as pool:
        pool.starmap(_make_video, jobs)
    table = folder / "videos.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split"])
        writer.writerows((path.name, index % 2, "train") for path, index, _ in jobs)
    return table


def _make_video(path: Path, index: int, frames: int) -> None:
    height, (least, most) = _KINDS[index % len(_KINDS)]
    random = np.random.default_rng(index)
    share = random.uniform(least, most)
    # Light differs from video to video, so that no two clips can be taken for one another.
    light = random.uniform(0.6, 1.1)
    write_video(path, _lit(moving_face(height, frames, share, _NOISE, seed=index), light))


def _lit(frames: Iterator[np.ndarray], light: float) -> Iterator[np.ndarray]:
    for frame in frames:
        yield np.clip(frame * np.float32(light), 0, 255).astype(np.uint8)
