"""How strong the evidence may be called that some scores support."""

import numpy as np


def evidence_bounds(log_ratios: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """The empirical lower and upper bound (ELUB) of a likelihood ratio.

    P. Vergeer, A. van Es, A. de Jongh, I. Alberink and R. Stoel, Numerical likelihood ratios outputted by LR
    systems are often based on extrapolation: when to stop extrapolating?, Science and Justice 56 (2016).

    Whoever calls fake what reaches a ratio t, as suits prior odds of 1 / t, should err less often than who
    always calls what is likelier beforehand. The error rate over that of the latter, the normalised Bayes
    error rate, is P(ratio < t | fake) + t P(ratio >= t | real) above one, and mirrored below. To each class
    one cluster is added that misleads without limit: what the scores seen cannot exclude. The bounds hold
    between them all thresholds, from one on, at which the rate is at most one. So n separated clusters of
    each class support ratios up to n, and useless scores support none.

    Args:
        log_ratios: float [N], base 10.
        labels: int [N], 0 real, 1 fake; both occur.
        weights: [N], positive; within a class they sum to its number of clusters.

    Returns:
        Lower bound, zero at most, and upper bound, zero at least; base 10.
    """
    return -_upper_bound(-log_ratios, 1 - labels, weights), _upper_bound(log_ratios, labels, weights)


def _upper_bound(log_ratios: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The rate is linear in t between two neighbouring ratios, where no error begins or ends."""
    start = 0.0
    for end in np.unique(log_ratios[log_ratios > 0]):
        missed = _share(log_ratios <= start, labels == 1, weights)
        false_alarms = _share(log_ratios >= end, labels == 0, weights)
        highest = (1 - missed) / false_alarms
        if highest < 10**end:
            return max(start, float(np.log10(highest))) if highest > 0 else start
        start = float(end)
    return start


def _share(wrong: np.ndarray, of_class: np.ndarray, weights: np.ndarray) -> float:
    """Of a class and a cluster that misleads."""
    return float((weights[wrong & of_class].sum() + 1) / (weights[of_class].sum() + 1))
