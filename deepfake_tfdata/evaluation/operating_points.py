"""Figures at one threshold or one rate of false alarms: the share of fakes in a split does not move them.

Where four of five videos are fake, calling everything fake is right in 80 %. Balanced accuracy weighs both
classes alike; the true positive rate at a fixed false positive rate is what somebody gets who can look into
so many false alarms and no more.
"""

import math

import numpy as np

from deepfake_tfdata.evaluation.clusters import Clusters
from deepfake_tfdata.evaluation.intervals import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    Interval,
    bootstrap,
    percentile_interval,
    wider,
    wilson_interval,
)

# Rates are shares of whole numbers: 0.05 * 140 is a little more than 7, and others are a little less.
_ROUNDING = 1e-9


def balanced_accuracy(correct: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of the shares of real and of fake videos called right, were every video there `weight` times.

    Args:
        correct: bool [N].
        labels: int [N], 0 or 1.
        weights: [..., N], not negative.

    Returns:
        float64 [...], NaN where the weights leave a class without videos.
    """
    return (_share(correct, weights * (labels == 0)) + _share(correct, weights * (labels == 1))) / 2


def balanced_accuracy_interval(
    correct: np.ndarray,
    labels: np.ndarray,
    clusters: Clusters,
    *,
    level: float = CONFIDENCE_LEVEL,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval of the balanced accuracy.

    A clustered percentile bootstrap, never narrower than the score interval, `mean_of_shares_interval`.

    Args:
        correct: bool [N].
        labels: int [N], both 0 and 1 occurring.
        clusters: of the videos.
        level: confidence level.
        seed: of the resamples.
        resamples: how many.
    """
    drawn = bootstrap(
        lambda weights: balanced_accuracy(correct, labels, weights), clusters, seed=seed, resamples=resamples
    )
    shares = [float(np.mean(correct[labels == label])) for label in (0, 1)]
    return wider(
        percentile_interval(drawn, level),
        mean_of_shares_interval(shares, clusters.counts(labels), level),
    )


def mean_of_shares_interval(
    shares: list[float], counts: tuple[int, int], level: float = CONFIDENCE_LEVEL
) -> Interval:
    """Interval of the mean of two independent proportions, out of the Wilson interval of each.

    Method 10 of R. G. Newcombe, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17 (1998), with a sum in place of the difference, as G. Y. Zou and A. Donner,
    Statistics in Medicine 27 (2008), derive it.

    Args:
        shares: the two proportions seen.
        counts: numbers of independent trials.
        level: confidence level.
    """
    ends = [wilson_interval(share, count, level) for share, count in zip(shares, counts, strict=True)]
    mean = sum(shares) / 2
    below = math.hypot(*(share - end.low for share, end in zip(shares, ends, strict=True))) / 2
    above = math.hypot(*(end.high - share for share, end in zip(shares, ends, strict=True))) / 2
    return Interval(mean - below, mean + above)


def fewest_real(rate: float) -> int:
    """How many real videos make a false positive rate measurable: with fewer, one false alarm exceeds it."""
    return math.ceil(1 / rate - _ROUNDING)


def tpr_at_fpr(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray, rate: float) -> np.ndarray:
    """The share of fakes found by the lowest threshold with no more than a rate of false positives.

    It is a point of the ROC curve, not between two of them.

    Args:
        labels: int [N], 0 or 1.
        scores: float [N].
        weights: [..., N], how often each video is there; not negative.
        rate: the false positive rate, from 0 to 1.

    Returns:
        float64 [...], NaN where the weights leave a class without videos.
    """
    order = np.argsort(-scores)
    tie_starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    weights = weights[..., order].astype(np.float64)
    is_fake = labels[order] == 1
    fake = np.cumsum(np.add.reduceat(weights * is_fake, tie_starts, axis=-1), axis=-1)
    real = np.cumsum(np.add.reduceat(weights * ~is_fake, tie_starts, axis=-1), axis=-1)
    allowed = real <= real[..., -1:] * rate + _ROUNDING
    found = np.max(np.where(allowed, fake, 0), axis=-1)
    return _ratio(found, np.where(real[..., -1] > 0, fake[..., -1], 0))


def tpr_at_fpr_interval(
    labels: np.ndarray,
    scores: np.ndarray,
    clusters: Clusters,
    rate: float,
    *,
    level: float = CONFIDENCE_LEVEL,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval of the true positive rate at a false positive rate.

    A clustered percentile bootstrap, in which the threshold moves, too; never narrower than Wilson's
    interval of the share of fakes found.

    Args:
        labels: int [N], both 0 and 1 occurring.
        scores: float [N].
        clusters: of the videos.
        rate: the false positive rate, from 0 to 1.
        level: confidence level.
        seed: of the resamples.
        resamples: how many.
    """
    drawn = bootstrap(
        lambda weights: tpr_at_fpr(labels, scores, weights, rate), clusters, seed=seed, resamples=resamples
    )
    found = float(tpr_at_fpr(labels, scores, np.ones(len(labels)), rate))
    _, fake = clusters.counts(labels)
    return wider(percentile_interval(drawn, level), wilson_interval(found, fake, level))


def _share(correct: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _ratio(weights @ correct.astype(np.float64), weights.sum(axis=-1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """NaN of nothing."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
