"""Confidence intervals of what has no formula: resamples of whole clusters of videos.

A real video and the fakes made from it share a face, a scene and a codec: they are no independent draws.
Intervals here resample clusters (see `Clusters`), as in A. C. Davison and D. V. Hinkley, Bootstrap Methods
and their Application (1997), section 3.8. An AUC's interval has a formula, in `mrmc`.

A percentile interval collapses to a point when every resample agrees, as where all videos are called right or
there is one cluster, and is too narrow near there. So no share's is narrower than its score interval, in
which the videos of one class and cluster count once: Wilson's, which never collapses. The price is caution:
where the real and fake videos of a cluster err together, the interval covers the truth more often than its
level says.
"""

from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from deepfake_tfdata.evaluation.clusters import Clusters

CONFIDENCE_LEVEL = 0.95
RESAMPLES = 2000
_WEIGHTS_AT_ONCE = 4_000_000  # bounds the memory of a batch of resamples, at 8 bytes a weight


class Interval(NamedTuple):
    """A confidence interval, ends included."""

    low: float
    high: float

    def covers(self, value: float) -> bool:
        """Whether the value lies in the interval."""
        return self.low <= value <= self.high


def weighted_auc(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, were every video there `weight` times; a tie counts one half.

    Args:
        labels: int [N], 0 or 1.
        scores: float [N].
        weights: [..., N], not negative.

    Returns:
        float64 [...], NaN where the weights leave a class without videos.
    """
    order = np.argsort(scores)
    tie_starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    weights = weights[..., order].astype(np.float64)
    is_fake = labels[order] == 1
    fake = np.add.reduceat(weights * is_fake, tie_starts, axis=-1)
    real = np.add.reduceat(weights * ~is_fake, tie_starts, axis=-1)
    wins = np.sum(fake * (np.cumsum(real, axis=-1) - real / 2), axis=-1)
    pairs = fake.sum(axis=-1) * real.sum(axis=-1)
    return np.divide(wins, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a fake scores above a real one, a tie counting one half.

    Args:
        labels: int [N], both 0 and 1 occurring.
        scores: float [N].
    """
    return float(weighted_auc(labels, scores, np.ones(len(labels))))


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], clusters: Clusters, *, seed: int, resamples: int
) -> np.ndarray:
    """Values of a statistic over resamples of the clusters.

    Args:
        statistic: maps weights float [R, N], how often each video is in each resample, to float [R].
        clusters: of the videos.
        seed: of the draws.
        resamples: how many to draw.

    Returns:
        float64, at most [resamples]: those where the statistic is NaN (a class has no video) are left out.
    """
    random = np.random.default_rng(seed)
    batch = max(1, _WEIGHTS_AT_ONCE // clusters.members.shape[1])
    sizes = [min(batch, resamples - start) for start in range(0, resamples, batch)]
    drawn = np.concatenate([statistic(clusters.draw(random, size)) for size in sizes])
    return drawn[~np.isnan(drawn)]


def percentile_interval(values: np.ndarray, level: float = CONFIDENCE_LEVEL) -> Interval:
    """The central `level` of bootstrap values [R]."""
    tail = (1 - level) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return Interval(float(low), float(high))


def accuracy_interval(
    correct: np.ndarray,
    labels: np.ndarray,
    clusters: Clusters,
    *,
    level: float = CONFIDENCE_LEVEL,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval of the share of correct videos: clustered percentile bootstrap, never narrower than Wilson's.

    Args:
        correct: bool [N].
        labels: int [N].
        clusters: of the videos.
        level: confidence level.
        seed: of the resamples.
        resamples: how many.
    """
    drawn = bootstrap(
        lambda weights: weights @ correct / weights.sum(axis=-1), clusters, seed=seed, resamples=resamples
    )
    count = sum(clusters.counts(labels))
    return wider(percentile_interval(drawn, level), wilson_interval(float(np.mean(correct)), count, level))


def wilson_interval(share: float, count: int, level: float = CONFIDENCE_LEVEL) -> Interval:
    """Score interval of a proportion: E. B. Wilson, JASA 22 (1927).

    Args:
        share: the proportion seen.
        count: number of independent trials.
        level: confidence level.
    """
    z = _z(level)
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    # Rounding must not leave out what was seen, at 0 and at 1.
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def wider(first: Interval, second: Interval) -> Interval:
    """The smallest interval that holds both."""
    return Interval(min(first.low, second.low), max(first.high, second.high))


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
