"""Figures of the ROC and of the precision-recall curve, were every video there `weight` times.

All take labels int [N] (0 or 1), scores float [N] and weights [..., N], not negative, and give float64 [...]:
NaN where the weights leave a class without videos.
"""

import numpy as np


def equal_error_rate(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The error rate where false positives and false negatives are as frequent, interpolated on the ROC."""
    real, fake = _counts_above(labels, scores, weights)
    with np.errstate(invalid="ignore", divide="ignore"):  # a class without videos
        false_alarms, missed = real / real[..., -1:], 1 - fake / fake[..., -1:]
    excess = false_alarms - missed  # rises from -1 to 1 along the curve
    after = np.argmax(excess >= 0, axis=-1)[..., None]
    before = np.maximum(after - 1, 0)
    ends = [np.take_along_axis(excess, place, -1) for place in (before, after)]
    rates = [np.take_along_axis(false_alarms, place, -1) for place in (before, after)]
    step = ends[1] - ends[0]
    share = np.divide(-ends[0], step, out=np.zeros_like(step), where=step > 0)
    return np.where(np.isnan(excess[..., -1]), np.nan, (rates[0] + share * (rates[1] - rates[0]))[..., 0])


def average_precision(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean precision over the fakes, each at the threshold that just finds it."""
    real, fake = _counts_above(labels, scores, weights)
    called = real + fake
    precision = np.divide(fake, called, out=np.zeros_like(called), where=called > 0)
    found = np.diff(fake, axis=-1)
    both = (fake[..., -1] > 0) & (real[..., -1] > 0)
    total = np.sum(precision[..., 1:] * found, axis=-1)
    return np.divide(total, fake[..., -1], out=np.full(total.shape, np.nan), where=both)


def _counts_above(
    labels: np.ndarray, scores: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of real and of fake videos called fake, [..., S], from the threshold that calls none on."""
    order = np.argsort(-scores)
    ends = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    weights = np.asarray(weights, np.float64)[..., order]
    is_fake = labels[order] == 1
    none = np.zeros((*weights.shape[:-1], 1))
    real, fake = (
        np.concatenate([none, np.cumsum(weights * of_class, axis=-1)[..., ends]], axis=-1)
        for of_class in (~is_fake, is_fake)
    )
    return real, fake
