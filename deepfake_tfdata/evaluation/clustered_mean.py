"""The mean of something over clips, with an interval that knows which of them depend on each other."""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

from deepfake_tfdata.evaluation.intervals import CONFIDENCE_LEVEL, wilson_interval


class Mean(NamedTuple):
    """A mean, its confidence interval, and what it is of.

    Attributes:
        value: the mean; None of nothing.
        low, high: ends of the interval; None where there are fewer than two units.
        num_clips, num_units: how many.
    """

    value: float | None
    low: float | None
    high: float | None
    num_clips: int
    num_units: int


def clustered_mean(
    values: np.ndarray, units: np.ndarray, least: float = -np.inf, most: float = np.inf
) -> Mean:
    """The mean over clips, those of one unit taken as dependent.

    The sandwich estimator of a mean's variance (Liang and Zeger, Biometrika 73, 1986) with C / (C - 1), and
    Student's t with C - 1 degrees of freedom, of C units.

    Args:
        values: float [N]; NaN is left out.
        units: str [N].
        least, most: that a mean of such can be. That of shares, 0 and 1, is never narrower than Wilson's
            interval, which does not collapse where all are alike.
    """
    known = ~np.isnan(values)
    values, units = values[known], units[known]
    _, unit = np.unique(units, return_inverse=True)
    count = int(unit.max()) + 1 if len(values) else 0
    mean = float(values.mean()) if count else None
    if mean is None or count < 2:
        return Mean(mean, None, None, len(values), count)
    sums = np.bincount(unit, values - mean) / len(values)
    half = float(stdtrit(count - 1, (1 + CONFIDENCE_LEVEL) / 2) * np.sqrt(count / (count - 1) * sums @ sums))
    low, high = max(mean - half, least), min(mean + half, most)
    if (least, most) == (0, 1):
        wilson = wilson_interval(mean, count)
        low, high = min(low, wilson.low), max(high, wilson.high)
    return Mean(mean, low, high, len(values), count)
