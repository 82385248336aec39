"""What can be shown of a video beside its verdict: pictures, what the detector saw, and what spoke there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.inspected import InspectedVideo
from deepfake_tfdata.scoring.places import drawn, has_pixels, place_native, place_resized
from deepfake_tfdata.verdicts.ensemble import Ensemble
from deepfake_tfdata.verdicts.scored_face import ScoredFace, pixels

# A face by its number, and a frame by its position in the video.
Place = tuple[int, int]


@dataclass(frozen=True)
class SeenCrop:
    """What was cut out of a frame for the first detector.

    Attributes:
        image: uint8 [H, W, 3].
        box: left, top, right, bottom in pixels of the frame.
    """

    image: np.ndarray
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class SeenMap:
    """What spoke in what the first detector's network saw of a frame.

    Attributes:
        image: uint8 [S, S, 3], what it saw.
        heat: float [S, S], what is added to the logit there, 1 as much as any place of the clip adds or
            takes, 0 nothing or less; 0 where the network saw no picture.
        box: left, top, right, bottom of that in pixels of the frame, which it may reach beyond.
    """

    image: np.ndarray
    heat: np.ndarray
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Exhibit:
    """What a page shows.

    Attributes:
        pictures: by frame, a JPEG of it.
        crops: of faces in the frames that there are pictures of.
        maps: of those that are in the clip that was explained.
    """

    pictures: Mapping[int, bytes]
    crops: Mapping[Place, SeenCrop]
    maps: Mapping[Place, SeenMap]


NOTHING_TO_SHOW = Exhibit({}, {}, {})


def exhibit_of(inspected: InspectedVideo, faces: Sequence[ScoredFace], ensemble: Ensemble) -> Exhibit:
    """What can be shown of a video whose faces have been scored."""
    crops: dict[Place, SeenCrop] = {}
    maps: dict[Place, SeenMap] = {}
    for number, scored in enumerate(faces):
        crops |= {(number, index): crop for index, crop in _crops(scored, inspected, ensemble).items()}
        maps |= {(number, index): seen for index, seen in _maps(scored, ensemble).items()}
    return Exhibit(inspected.pictures, crops, maps)


def _crops(scored: ScoredFace, inspected: InspectedVideo, ensemble: Ensemble) -> dict[int, SeenCrop]:
    crops: dict[int, SeenCrop] = {}
    for clip in scored.face.clips.get(ensemble.detectors[0].regions[0], ()):
        indices = clip.frame_indices.tolist()
        shown = [row for row, index in enumerate(indices) if index in inspected.pictures]
        frames = pixels(clip) if shown else np.zeros(0)
        for row in shown:
            left, top, right, bottom = clip.boxes[row].tolist()
            crops[indices[row]] = SeenCrop(frames[row], (left, top, right, bottom))
    return crops


def _maps(scored: ScoredFace, ensemble: Ensemble) -> dict[int, SeenMap]:
    if scored.explanation is None:
        return {}
    activation = scored.explanation.activation[0]
    # Beside what speaks against it: the little there is in a video like the real ones stays faint.
    heat = np.maximum(activation, 0) / max(float(np.abs(activation).max()), 1e-9)
    clip = scored.face.clips[ensemble.detectors[0].regions[0]][scored.strongest]
    view, frames = scored.explanation.view, pixels(clip)
    placed = (
        place_resized(frames, clip.boxes, ensemble.spec.fit)
        if view is None
        else place_native(frames, clip.boxes, view)
    )
    images = scored.explanation.seen[0]
    size = images.shape[1]
    square = np.array([0.0, 0.0, size, size])
    heat = drawn(heat, square, size, size) * has_pixels(placed.view[None], size)
    rows = zip(
        clip.frame_indices.tolist(),
        images,
        heat,
        placed.squares_in_frame.tolist(),
        strict=True,
    )
    return {
        index: SeenMap(image, each, (left, top, right, bottom))
        for index, image, each, (left, top, right, bottom) in rows
    }
