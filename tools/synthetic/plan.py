"""What a data set holds: which videos, in which split, made from which seeds, and what is planted where."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from tools.synthetic.artefact import Artefact, draw_phases, draw_strengths, region_box, region_window
from tools.synthetic.identity import Identity, draw_identity
from tools.synthetic.motion import FPS, Motion, draw_motion, frame_face, pose

ORIGINALS = "original_sequences/youtube/c23/videos"
FAKES = "manipulated_sequences/Face2Face/c23/videos"
SPLITS = ("train", "val", "test")
_HELD_OUT = 0.2  # of the pairs, for val and again for test; train has the rest
_TESTED = 0.25  # of what train and test have together, where val has a number of its own
_DRAWING = 2  # counts the ways in which the same options were drawn: another way makes another data set
# Each purpose draws from a stream of its own.
_PAIRS, _IDENTITY, _VIDEO, _PHASES, _ARTEFACTS, _FACE_SIZES, _STRENGTHS = range(7)


@dataclasses.dataclass(frozen=True)
class Options:
    """Everything that decides a data set's bytes.

    Attributes:
        preset: `dilution`, `dose` or `null`.
        identities: How many people; even, as each belongs to one pair.
        frames: Frames a video.
        size: Width and height in pixels, both even.
        seed: The data set's seed.
        artefacts: What may be planted: each fake carries one of them, and small faces and large ones carry
            each as often as the others; nothing is planted where there are none.
        face_sizes: Sides of face boxes in pixels, from the smallest to the largest, over which the pairs of a
            split are spread evenly by their logarithm; empty for a fixed share of the frame.
        val_pairs: How many pairs val has; None for a fifth of all.
    """

    preset: str
    identities: int
    frames: int
    size: tuple[int, int]
    seed: int
    artefacts: tuple[Artefact, ...]
    face_sizes: tuple[float, float] | None = None
    val_pairs: int | None = None


@dataclasses.dataclass(frozen=True)
class Video:
    """One video: an original of `target`, or, with a `source`, the fake named target_source.

    Attributes:
        target: Who is seen.
        source: Who drove a fake; None of an original.
        split: train, val or test.
        artefact: What is planted in it.
        face_size: Side of the face's box in pixels, for a face of mean size; None for a share of the frame.
            The videos of a pair have the same.
    """

    target: int
    source: int | None
    split: str
    artefact: Artefact | None = None
    face_size: float | None = None

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
    val = options.val_pairs or max(1, round(_HELD_OUT * len(pairs)))
    test = max(1, round(_TESTED * (len(pairs) - val))) if options.val_pairs else val
    parts = order[val + test :], order[:val], order[val : val + test]
    return {
        split: [pairs[place] for place in sorted(part)] for split, part in zip(SPLITS, parts, strict=True)
    }


def plan_videos(options: Options) -> list[Video]:
    """Every video of the data set: two originals and two fakes for each pair."""
    videos = []
    for place, (split, pairs) in enumerate(plan_pairs(options).items()):
        sizes = _spread_face_sizes(options, place, len(pairs))
        artefacts = iter(_spread_artefacts(options, place, np.repeat([size or 0 for size in sizes], 2)))
        for (first, second), size in zip(pairs, sizes, strict=True):
            a, b = int(first), int(second)
            videos += [Video(who, None, split, None, size) for who in (a, b)]
            videos += [Video(a, b, split, next(artefacts), size), Video(b, a, split, next(artefacts), size)]
    return videos


def _spread_artefacts(options: Options, split: int, sizes: np.ndarray) -> list[Artefact | None]:
    """One for each fake of a split: in the order of the faces' sizes, every run of as many has each once."""
    count = len(options.artefacts)
    if not count:
        return [None] * len(sizes)
    rng = np.random.default_rng([options.seed, _ARTEFACTS, split])
    dealt = np.concatenate([rng.permutation(count) for _ in range(0, len(sizes), count)])[: len(sizes)]
    chosen = np.empty(len(sizes), int)
    chosen[np.argsort(sizes, kind="stable")] = dealt
    return [options.artefacts[which] for which in chosen]


def _spread_face_sizes(options: Options, split: int, pairs: int) -> list[float | None]:
    """One for each pair of a split: the middles of as many equal steps in the logarithm, in random order."""
    if options.face_sizes is None:
        return [None] * pairs
    smallest, largest = options.face_sizes
    order = np.random.default_rng([options.seed, _FACE_SIZES, split]).permutation(pairs)
    return [round(float(smallest * (largest / smallest) ** ((step + 0.5) / pairs)), 1) for step in order]


def draw_video(
    options: Options, video: Video
) -> tuple[Identity, Motion, np.ndarray | None, np.random.Generator]:
    """Draws what a video shows.

    A fake moves as Face2Face makes it: its target's head, in that very motion, says what its source says.
    So the real and the fake videos of a pair move alike, and not only on average; the noise is the fake's
    own. Only the artefact tells them apart.

    Args:
        options: The data set's.
        video: One of `plan_videos`.

    Returns:
        Who is in it, how they move, the stripes' phase in each frame (nothing where nothing is planted), and
        the generator for the camera's noise.
    """
    identity = draw_identity(np.random.default_rng([options.seed, _IDENTITY, video.target]))
    rng = np.random.default_rng([options.seed, _VIDEO, *_key(video.target, None)])
    motion = draw_motion(rng, options.frames)
    if video.source is not None:
        speaker = np.random.default_rng([options.seed, _VIDEO, *_key(video.source, None)])
        motion = dataclasses.replace(motion, speech=draw_motion(speaker, options.frames).speech)
        rng = np.random.default_rng([options.seed, _VIDEO, *_key(video.target, video.source)])
    phases_rng = np.random.default_rng([options.seed, _PHASES, *_key(video.target, video.source)])
    phases = draw_phases(phases_rng, video.artefact.jitter, options.frames) if video.artefact else None
    return identity, motion, phases, rng


def strengths_of(options: Options, video: Video) -> np.ndarray | None:
    """How strong the artefact is in each frame, grey levels [T]; None where it is as strong in all."""
    if video.artefact is None or not video.artefact.flicker:
        return None
    key = _key(video.target, video.source)
    rng = np.random.default_rng([options.seed, _STRENGTHS, *key])
    return draw_strengths(rng, video.artefact, options.frames)


def _key(target: int, source: int | None) -> tuple[int, int]:
    """Of a video, among those of its data set."""
    return target, 0 if source is None else source + 1


def ground_truth(options: Options) -> str:
    """The data set's ground truth as JSON: options, and by video its label, split, people, size and artefact.

    `face_size` is about the side of the face's box, null where it is a share of the frame. Boxes are (left,
    top, width, height) in the video's pixels, one a frame; phases are radians, and strengths, which are there
    where they differ, grey levels.
    """
    said = {**dataclasses.asdict(options), "fps": FPS, "drawing": _DRAWING}
    head = json.dumps(said, sort_keys=True)
    lines = [f'"{video.path}": {json.dumps(_truth(options, video))}' for video in plan_videos(options)]
    return f'{{"options": {head},\n"videos": {{\n' + ",\n".join(lines) + "\n}}\n"


def _truth(options: Options, video: Video) -> dict[str, Any]:
    identity, motion, phases, _ = draw_video(options, video)
    truth: dict[str, Any] = {
        "label": "real" if video.source is None else "fake",
        "split": video.split,
        "target": f"{video.target:03d}",
        "source": None if video.source is None else f"{video.source:03d}",
        "face_size": None if video.face_size is None else round(video.face_size * identity.size, 1),
        "artefact": None,
    }
    if video.artefact is not None and phases is not None:
        window = region_window(identity, video.artefact.region)
        framing = frame_face(options.size, video.face_size)
        places = [pose(identity, motion, frame, framing) for frame in range(options.frames)]
        boxes = [[round(value, 1) for value in region_box(window, place)] for place in places]
        truth["artefact"] = {
            **dataclasses.asdict(video.artefact),
            "boxes": boxes,
            "phases": [round(float(phase), 4) for phase in phases],
        }
        if (strengths := strengths_of(options, video)) is not None:
            truth["artefact"]["strengths"] = [round(float(strength), 3) for strength in strengths]
    return truth
