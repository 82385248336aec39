"""Fakes beside their originals: the same frames of both, with what the network sees of each."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import tensorflow as tf

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batches import load_in_order
from deepfake_tfdata.input.dataset import detector_inputs
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.shards import Shards
from deepfake_tfdata.scoring.places import Placed, place_native, place_resized


@dataclass(frozen=True)
class Fake:
    """Which fake it is; as in the index."""

    clip_id: str
    manipulation: str
    video_id: str
    target_id: str
    source_id: str
    component: str


@dataclass(frozen=True)
class PairedClips:
    """Fakes that have their originals among the clips.

    Attributes:
        shards: every fake, and after each its original.
        without_original: how many fakes of the split have none, or several that could be it.
    """

    shards: Shards
    without_original: int

    @property
    def fakes(self) -> list[Fake]:
        """The fakes, in order."""
        names = [field.name for field in fields(Fake)]
        return [Fake(**{name: getattr(clip, name) for name in names}) for clip in self.shards.clips[0][::2]]


@dataclass(frozen=True, eq=False)
class Pair:
    """A fake and its original.

    Attributes:
        fake: which one it is.
        inputs: what a detector takes of the fake alone.
        fake_regions, original_regions: their pixels, one a region.
        frame_indices: int [T], positions in the fake's video.
        aligned: whether the original's are the same.
    """

    fake: Fake
    inputs: Any
    fake_regions: tuple[Placed, ...]
    original_regions: tuple[Placed, ...]
    frame_indices: np.ndarray
    aligned: bool


def pair_with_originals(shards: Shards, limit: int) -> PairedClips:
    """Finds the original of each fake by its target.

    Args:
        shards: of a split.
        limit: at most so many fakes, evenly from all; 0 is no limit.

    Raises:
        UserError: no fake has its original in the split.
    """
    clips = shards.clips[0]
    # Which clip of its video, such as '#1'; '' where there is one.
    parts = [clip.clip_id.removeprefix(clip.video_key) for clip in clips]
    originals: dict[tuple[str, str], set[int]] = {}
    for row, clip in enumerate(clips):
        if not clip.label:
            # The identity may have several videos; one that is called by it is the one that is meant.
            for name in {clip.video_id, clip.target_id}:
                originals.setdefault((name, parts[row]), set()).add(row)
    pairs, missing = [], 0
    for row, clip in enumerate(clips):
        if clip.label:
            found = originals.get((clip.target_id, parts[row]), set())
            named = {each for each in found if clips[each].video_id == clip.target_id} or found
            pairs += [(row, *named)] if len(named) == 1 else []
            missing += len(named) != 1
    if not pairs:
        raise UserError(
            f"no fake of the {shards.split} split has its original there, as target_id says; "
            "explaining takes records that hold both"
        )
    if limit and limit < len(pairs):
        pairs = [pairs[place] for place in np.linspace(0, len(pairs) - 1, limit).round().astype(int)]
    return PairedClips(shards.only(row for pair in pairs for row in pair), missing)


def read_pairs(options: InputOptions, paired: PairedClips) -> Iterator[Pair]:
    """Reads the pairs in order."""
    shards = paired.shards
    batches = load_in_order(options, shards, batch_size=2, shapes="few")
    for fake, (features, _) in zip(paired.fakes, batches, strict=True):
        inputs = tf.nest.map_structure(lambda values: values[:1], detector_inputs(features))
        indices = features["frame_indices"].numpy()
        fakes, originals = (
            tuple(_placed(features, shards, region, which) for region in shards.regions) for which in (0, 1)
        )
        aligned = bool((indices[0] == indices[1]).all())
        yield Pair(fake, inputs, fakes, originals, indices[0], aligned)


def _placed(features: dict[str, Any], shards: Shards, region: str, which: int) -> Placed:
    def of_region(name: str) -> np.ndarray:
        values = features[name]
        return np.asarray((values[region] if isinstance(values, dict) else values)[which])

    frames = of_region("frames")[:, : int(of_region("height")), : int(of_region("width"))]
    if shards.is_native:
        return place_native(frames, of_region("boxes"), of_region("view"))
    return place_resized(frames, of_region("boxes"), shards.spec.fit)
