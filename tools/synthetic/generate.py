"""Makes a data set in a folder, over several processes, and takes up where an earlier run stopped."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from deepfake_tfdata.errors import UserError
from tools.synthetic.motion import frame_face
from tools.synthetic.plan import (
    Options,
    Video,
    draw_video,
    ground_truth,
    plan_pairs,
    plan_videos,
    strengths_of,
)
from tools.synthetic.render import render
from tools.synthetic.videos import write_video

TRUTH = "ground_truth.json"


def generate(folder: Path, options: Options, workers: int) -> int:
    """Makes a data set, or what is missing of it.

    The ground truth comes first and claims the folder; the split lists come last and say that it is complete.

    Args:
        folder: Where to; made when missing.
        options: What to make.
        workers: How many processes; the files do not depend on it.

    Returns:
        How many videos this run made.

    Raises:
        UserError: The folder holds something else.
    """
    _claim(folder, ground_truth(options))
    missing = [video for video in plan_videos(options) if not (folder / video.path).exists()]
    make = partial(make_video, folder, options)
    if workers == 1 or len(missing) < 2:
        _follow(map(make, missing), len(missing))
    else:
        # Spawned, not forked: OpenCV's and FFmpeg's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with context.Pool(min(workers, len(missing)), cv2.setNumThreads, (1,)) as pool:
            _follow(pool.imap_unordered(make, missing), len(missing))
    for split, pairs in plan_pairs(options).items():
        _write(folder / "splits" / f"{split}.json", json.dumps(pairs) + "\n")
    return len(missing)


def make_video(folder: Path, options: Options, video: Video) -> None:
    """Renders and encodes one video of a data set into its folder."""
    write_video(folder / video.path, frames_of(options, video), options.size)


def frames_of(options: Options, video: Video) -> Iterator[np.ndarray]:
    """The frames of one video of a data set, RGB uint8 [height, width, 3]."""
    identity, motion, phases, rng = draw_video(options, video)
    framing = frame_face(options.size, video.face_size)
    return render(identity, motion, framing, rng, video.artefact, phases, strengths_of(options, video))


def _claim(folder: Path, truth: str) -> None:
    """Marks a new folder with its ground truth; passes one that this very data set was begun in."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--output={folder} is a file: name a folder")
    known = folder / TRUTH
    if known.exists():
        if known.read_text() != truth:
            raise UserError(
                f"--output={folder} holds a data set of other options, or of an earlier version: name "
                "another folder"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise UserError(f"--output={folder} holds other files: name an empty or a new folder")
    else:
        _write(known, truth)


def _write(path: Path, text: str) -> None:
    """Writes a file that appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_text(text)
    unfinished.replace(path)


def _follow(made: Iterable[None], total: int) -> None:
    """Waits for the videos and shows how far they are: a bar on a terminal, else a line every tenth."""
    terminal = sys.stderr.isatty()
    bar = tqdm(made, total=total, unit="video", disable=not terminal)
    for count, _ in enumerate(bar, 1):
        if not terminal and (count * 10 // total > (count - 1) * 10 // total):
            print(f"{count} of {total} videos", file=sys.stderr, flush=True)
