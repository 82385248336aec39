"""What is not tested, only described: by face size, under corruption, on other data, beside nuisances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import rankdata

from deepfake_tfdata.evaluation.comparison import Comparison, NothingSharedError, compare
from deepfake_tfdata.evaluation.intervals import Interval, bootstrap, percentile_interval
from deepfake_tfdata.evaluation.predictions import Predictions

# With fewer independent groups of identities an interval says nothing.
_FEWEST_CLUSTERS = 6
_RESAMPLES = 500


@dataclass(frozen=True)
class Dose:
    """A comparison among the videos whose faces have a range of sizes.

    Attributes:
        low, high: of the faces' sides, pixels of the video; low is excluded.
        comparison: None where too few videos are there.
        num_videos: that are there.
    """

    low: float
    high: float
    comparison: Comparison | None
    num_videos: int


@dataclass(frozen=True)
class Correlation:
    """How scores go with a nuisance within one class, by Spearman's rank correlation.

    Attributes:
        nuisance: such as 'face_size'.
        label: 0 real, 1 fake.
        value: None where the nuisance does not vary.
        interval: over clusters.
    """

    nuisance: str
    label: int
    value: float | None
    interval: Interval | None


def dose_edges(sizes: np.ndarray, input_size: int) -> list[float]:
    """Edges of bins of face sizes: what loses nothing by being resized, and halves of the rest.

    Args:
        sizes: sides of the crops of faces, pixels.
        input_size: side of what the network gets, pixels.
    """
    larger = sizes[sizes > input_size]
    edges = [0.0, float(input_size)]
    if len(larger):
        edges += [float(np.median(larger)), float(larger.max())]
    return [edge for place, edge in enumerate(edges) if place == 0 or edge > edges[place - 1]]


def doses(
    first: Sequence[Predictions],
    second: Sequence[Predictions],
    sizes: np.ndarray,
    input_size: int,
    margin: float,
) -> list[Dose]:
    """A comparison by the size of faces.

    Args:
        first, second: runs of two cells on the same videos.
        sizes: of each video's face crop, pixels; NaN where unknown.
        input_size: side of what the network gets, pixels.
        margin: of equivalence.
    """
    known = sizes[~np.isnan(sizes)]
    edges = dose_edges(known, input_size) if len(known) else []
    results = []
    for low, high in pairwise(edges):
        rows = np.flatnonzero((sizes > low) & (sizes <= high))
        results.append(Dose(low, high, _compared(first, second, rows, margin), len(rows)))
    return results


def _compared(
    first: Sequence[Predictions], second: Sequence[Predictions], rows: np.ndarray, margin: float
) -> Comparison | None:
    """The comparison on some videos; None where they are too few, or of one class only."""
    if len(set(first[0].components[rows].tolist())) < _FEWEST_CLUSTERS:
        return None
    try:
        return compare([run.select(rows) for run in first], [run.select(rows) for run in second], margin)
    except NothingSharedError:
        return None


def correlations(runs: Sequence[Predictions], nuisances: Mapping[str, np.ndarray]) -> list[Correlation]:
    """How the mean score over runs goes with each nuisance, within each class.

    Args:
        runs: of one cell.
        nuisances: by name, of each video; NaN where unknown.
    """
    scores = np.mean([run.scores for run in runs], axis=0)
    return [
        _correlation(runs[0], scores, name, values, label)
        for name, values in nuisances.items()
        for label in (0, 1)
    ]


def _correlation(
    videos: Predictions, scores: np.ndarray, name: str, values: np.ndarray, label: int
) -> Correlation:
    rows = np.flatnonzero((videos.labels == label) & ~np.isnan(values))
    if len(rows) < 3 or len(set(values[rows].tolist())) < 2 or len(set(scores[rows].tolist())) < 2:
        return Correlation(name, label, None, None)
    ranks = rankdata(scores[rows]), rankdata(values[rows])

    def correlation(weights: np.ndarray) -> np.ndarray:
        share = weights / weights.sum(axis=-1, keepdims=True)
        one, other = (rank - (share @ rank)[..., None] for rank in ranks)
        joint, of_one, of_other = (
            np.sum(share * product, axis=-1) for product in (one * other, one**2, other**2)
        )
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample may have one value only
            return joint / np.sqrt(of_one * of_other)

    drawn = bootstrap(correlation, videos.select(rows).clusters, seed=0, resamples=_RESAMPLES)
    value = float(correlation(np.ones((1, len(rows))))[0])
    return Correlation(name, label, value, percentile_interval(drawn) if len(drawn) else None)
