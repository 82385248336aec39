"""Real clips that an export has to score as its run does: chosen, and stored for whoever checks it again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.input.batches import load_in_order
from deepfake_tfdata.input.options import InputOptions
from deepfake_tfdata.input.reading import explained_damage
from deepfake_tfdata.input.shards import Shards

# So many are looked at for each clip that is kept.
_CANDIDATES = 4


@dataclass(frozen=True)
class RealClip:
    """A clip of the records.

    Attributes:
        clip_id: as in the records.
        label: 0 of an original, 1 of a fake.
        frames: by region uint8 [T, H, W, 3], of the size that they have in the video.
    """

    clip_id: str
    label: int
    frames: dict[str, np.ndarray]


def candidates(options: InputOptions, shards: Shards, count: int) -> list[RealClip]:
    """Clips of both classes, spread over a split: enough to choose so many from.

    Raises:
        UserError: a class has none, or a record can't be read.
    """
    labels = np.array([clip.label for clip in shards.clips[0]])
    rows: list[int] = []
    for label, name in ((0, "originals"), (1, "fakes")):
        of_class = np.flatnonzero(labels == label)
        if not len(of_class):
            raise UserError(
                f"the {shards.split} split of {options.data} has no {name}, and a parity needs clips of both "
                "classes; use other records with --data"
            )
        places = np.linspace(0, len(of_class) - 1, min(len(of_class), _CANDIDATES * count))
        rows += of_class[places.round().astype(int)].tolist()
    chosen = shards.only(rows)
    with explained_damage(chosen):
        return list(_read(options, chosen))


def _read(options: InputOptions, shards: Shards) -> Iterator[RealClip]:
    several = len(shards.regions) > 1
    loaded = load_in_order(replace(options, batch_size=1), shards)
    for position, (features, label) in enumerate(loaded):
        frames = {}
        for region, clips in zip(shards.regions, shards.clips, strict=True):
            (padded,) = (features["frames"][region] if several else features["frames"]).numpy()
            clip = clips[position]
            frames[region] = np.ascontiguousarray(padded[:, : clip.height, : clip.width])
        yield RealClip(shards.clips[0][position].clip_id, int(label[0]), frames)


def choose(labels: Sequence[int], logits: np.ndarray, count: int) -> list[int]:
    """The positions of so many clips, half of them fakes, whose logits are the furthest from zero.

    Args:
        labels: 0 or 1 a clip.
        logits: float [N].
        count: 2 or more; a class with fewer clips gives all of them.
    """
    classes = np.array(labels)
    chosen: list[int] = []
    for label, share in ((0, count // 2), (1, count - count // 2)):
        of_class = np.flatnonzero(classes == label)
        furthest = of_class[np.argsort(-np.abs(logits[of_class]), kind="stable")]
        chosen += furthest[:share].tolist()
    return chosen


def store(clip: RealClip, names: dict[str, str], file: Path) -> None:
    """Writes a clip's frames, compressed without loss, each array under the name of the model's input.

    Args:
        clip: to write.
        names: of the inputs, by region.
        file: FILE.npz.
    """
    file.parent.mkdir(exist_ok=True)
    arrays = {names[region]: frames for region, frames in clip.frames.items()}
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
