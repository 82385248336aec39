"""What a data set holds: which videos, in which split, made from which seeds, and what is planted where."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from tools.synthetic.artefact import Artefact, draw_phases, region_box, region_window
from tools.synthetic.identity import Identity, draw_identity
from tools.synthetic.motion import FPS, Motion, draw_motion, pose

ORIGINALS = "original_sequences/youtube/c23/videos"
FAKES = "manipulated_sequences/Face2Face/c23/videos"
SPLITS = ("train", "val", "test")
_HELD_OUT = 0.2  # of the pairs, for val and again for test; train has the rest
_PAIRS, _IDENTITY, _VIDEO, _PHASES = range(4)  # each purpose draws from a stream of its own


@dataclasses.dataclass(frozen=True)
class Options:
    """Everything that decides a data set's bytes.

    Attributes:
        preset: `dilution` or `null`.
        identities: How many people; even, as each belongs to one pair.
        frames: Frames a video.
        size: Width and height in pixels, both even.
        seed: The data set's seed.
        artefact: What is planted in every fake.
    """

    preset: str
    identities: int
    frames: int
    size: tuple[int, int]
    seed: int
    artefact: Artefact


@dataclasses.dataclass(frozen=True)
class Video:
    """One video: an original of `target`, or, with a `source`, the fake named target_source."""

    target: int
    source: int | None
    split: str

    @property
    def path(self) -> str:
        """Where it lies in the data set."""
        if self.source is None:
            return f"{ORIGINALS}/{self.target:03d}.mp4"
        return f"{FAKES}/{self.target:03d}_{self.source:03d}.mp4"


def plan_pairs(options: Options) -> dict[str, list[list[str]]]:
    """The official split lists: pairs of identities, each identity in exactly one pair, by split."""
    shuffled = np.random.default_rng([options.seed, _PAIRS]).permutation(options.identities).reshape(-1, 2)
    pairs = sorted([f"{min(pair):03d}", f"{max(pair):03d}"] for pair in shuffled)
    order = np.random.default_rng([options.seed, _PAIRS, 1]).permutation(len(pairs))
    held = max(1, round(_HELD_OUT * len(pairs)))
    parts = order[2 * held :], order[:held], order[held : 2 * held]
    return {
        split: [pairs[place] for place in sorted(part)] for split, part in zip(SPLITS, parts, strict=True)
    }


def plan_videos(options: Options) -> list[Video]:
    """Every video of the data set: two originals and two fakes for each pair."""
    videos = []
    for split, pairs in plan_pairs(options).items():
        for first, second in pairs:
            a, b = int(first), int(second)
            videos += [Video(a, None, split), Video(b, None, split), Video(a, b, split), Video(b, a, split)]
    return videos


def draw_video(
    options: Options, video: Video
) -> tuple[Identity, Motion, np.ndarray | None, np.random.Generator]:
    """Draws what a video shows.

    A fake has its own motion and noise, drawn as an original's are: only the artefact tells them apart.

    Args:
        options: The data set's.
        video: One of `plan_videos`.

    Returns:
        Who is in it, how they move, the stripes' phase in each frame (nothing where nothing is planted), and
        the generator for the camera's noise.
    """
    key = [options.seed, _VIDEO, video.target, 0 if video.source is None else video.source + 1]
    rng = np.random.default_rng(key)
    identity = draw_identity(np.random.default_rng([options.seed, _IDENTITY, video.target]))
    motion = draw_motion(rng, options.frames)
    planted = video.source is not None and options.artefact.strength > 0
    phases_rng = np.random.default_rng([options.seed, _PHASES, *key[2:]])
    phases = draw_phases(phases_rng, options.artefact.jitter, options.frames) if planted else None
    return identity, motion, phases, rng


def ground_truth(options: Options) -> str:
    """The data set's ground truth as JSON: options, and by video its label, split, people and artefact.

    Boxes are (left, top, width, height) in the video's pixels, one a frame; phases are radians.
    """
    head = json.dumps({**dataclasses.asdict(options), "fps": FPS}, sort_keys=True)
    lines = [f'"{video.path}": {json.dumps(_truth(options, video))}' for video in plan_videos(options)]
    return f'{{"options": {head},\n"videos": {{\n' + ",\n".join(lines) + "\n}}\n"


def _truth(options: Options, video: Video) -> dict[str, Any]:
    identity, motion, phases, _ = draw_video(options, video)
    truth: dict[str, Any] = {
        "label": "real" if video.source is None else "fake",
        "split": video.split,
        "target": f"{video.target:03d}",
        "source": None if video.source is None else f"{video.source:03d}",
        "artefact": None,
    }
    if phases is not None:
        window = region_window(identity, options.artefact.region)
        places = [pose(identity, motion, frame, options.size) for frame in range(options.frames)]
        boxes = [[round(value, 1) for value in region_box(window, place)] for place in places]
        truth["artefact"] = {
            **dataclasses.asdict(options.artefact),
            "boxes": boxes,
            "phases": [round(float(phase), 4) for phase in phases],
        }
    return truth
