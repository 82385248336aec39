"""How large the faces of a conversion are, and how finely a detector would see each region of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.clips.views import View, sight
from deepfake_tfdata.records.ledger import LedgerEntry
from deepfake_tfdata.records.plan import ShardPlan

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# What is lost grows with the logarithm of the size: bins are quarters of an octave.
_BINS_AN_OCTAVE = 4


@dataclass(frozen=True)
class FaceSizes:
    """The sides of face boxes, a video each, in pixels of the source; plain values, ready for JSON.

    Attributes:
        frame_size: of the spec, the side of what the network gets; the edge of a bin.
        edges: of the bins, rising.
        counts: by class, how many videos each bin has.
        quantiles: the sizes by their share, such as '0.5'.
        density: by region and quantile, network pixels per source pixel, horizontally and vertically.
        reduced: by region, the share of videos in which it loses detail in either direction.
    """

    frame_size: int
    edges: list[float]
    counts: dict[str, list[int]]
    quantiles: dict[str, float]
    density: dict[str, dict[str, list[float]]]
    reduced: dict[str, float]


def summarise_face_sizes(
    plan: Sequence[ShardPlan], entries: Mapping[str, LedgerEntry], spec: ClipSpec, regions: Sequence[str]
) -> FaceSizes | None:
    """The sizes of the faces of all videos that gave clips; None where none did.

    Args:
        plan: says which class a video is of.
        entries: of the ledger, by video.
        spec: says what becomes of a crop.
        regions: names of those to look at.
    """
    sizes: dict[str, list[float]] = {name: [] for name in LABEL_NAMES}
    for shard in plan:
        for video in shard.videos:
            entry = entries[video.key]
            if entry.clips and entry.faces.face_size is not None:
                sizes[LABEL_NAMES[video.label]].append(entry.faces.face_size)
    every = np.concatenate([np.array(members, float) for members in sizes.values()])
    if not len(every):
        return None
    edges = bin_edges(every.min(), every.max(), spec.frame_size)
    quantiles = {str(share): round(float(np.quantile(every, share)), 1) for share in QUANTILES}
    table = [region for region in spec.regions if region.name in regions]
    return FaceSizes(
        frame_size=spec.frame_size,
        edges=[round(edge, 1) for edge in edges],
        counts={name: np.histogram(members, edges)[0].tolist() for name, members in sizes.items()},
        quantiles=quantiles,
        density={
            region.name: {
                share: [round(value, 3) for value in density(region, size, spec)]
                for share, size in quantiles.items()
            }
            for region in table
        },
        reduced={
            region.name: round(float(np.mean([min(density(region, size, spec)) < 1 for size in every])), 4)
            for region in table
        },
    )


def density(region: Region, face_size: float, spec: ClipSpec) -> tuple[float, float]:
    """Network pixels per source pixel of a region, horizontally and vertically; below 1 detail is lost.

    Args:
        region: where in the face crop.
        face_size: side of the face box in the source, pixels.
        spec: margin, fit and what is stored. Crops that were stored smaller hold no more than that.
    """
    return sight(View(region, region), region, face_size, spec).density


def bin_edges(smallest: float, largest: float, frame_size: int) -> list[float]:
    """Edges, one of them the frame size, of bins that hold all sizes."""
    first, last = (math.log2(size / frame_size) * _BINS_AN_OCTAVE for size in (smallest, largest))
    steps = range(math.floor(first), max(math.ceil(last), math.floor(first) + 1) + 1)
    return [frame_size * 2 ** (step / _BINS_AN_OCTAVE) for step in steps]
