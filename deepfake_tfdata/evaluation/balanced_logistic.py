"""A likelihood ratio out of a score: logistic regression in which classes and clusters weigh alike."""

import numpy as np
from scipy.special import expit, log_expit

_STEPS, _HALVINGS = 200, 40
# Of the penalised log likelihood, which is of the order of the number of clusters.
_CLOSE = 1e-12
# A step must bring at least this share of what the slope promises, lest steps that are too long leap from one
# side of the maximum to the other and bring next to nothing (Armijo's rule).
_SHARE = 0.25


def affine_log_ratio(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Fits a log likelihood ratio, slope * score + intercept.

    The fit is a logistic regression with Jeffreys' prior (D. Firth, Bias reduction of maximum likelihood
    estimates, Biometrika 80, 1993; G. Heinze and M. Schemper, A solution to the problem of separation in
    logistic regression, Statistics in Medicine 21, 2002). Scores that separate the classes get a finite
    ratio, of two scores that all share just 2n + 1; and scaled or shifted scores give the same ratios. Both
    classes weigh the same, so that the log odds are those of even prior odds: the log of the ratio.

    Scores that fall as fakes become likelier must not be turned around: they say nothing, and the ratio is
    one.

    Args:
        scores: float [N], finite.
        labels: int [N], 0 real, 1 fake; both occur.
        weights: [N], positive; within a class they sum to how many independent videos it is worth.

    Returns:
        Slope, not negative, and intercept.
    """
    centre, scale = float(np.mean(scores)), float(np.std(scores))
    if scale <= np.spacing(abs(centre)):
        return 0.0, 0.0
    points = np.stack([np.ones(len(scores)), (scores - centre) / scale])
    found = _maximum(points, labels, _balanced(labels, weights))
    slope = float(found[1]) / scale
    return (slope, float(found[0]) - slope * centre) if slope > 0 else (0.0, 0.0)


def penalised_log_likelihood(
    coefficients: np.ndarray, points: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> float:
    """The log likelihood of coefficients [K] of points [K, N], and half the log of its curvature."""
    logits = coefficients @ points
    likelihood = np.sum(weights * log_expit(np.where(labels == 1, logits, -logits)))
    sign, log_determinant = np.linalg.slogdet(_information(points, logits, weights))
    return float(likelihood + log_determinant / 2) if sign > 0 else -np.inf


def _maximum(points: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fisher's scoring; a step that leads hardly higher is halved."""
    found = np.zeros(len(points))
    value = penalised_log_likelihood(found, points, labels, weights)
    for _ in range(_STEPS):
        step, promised = _step(found, points, labels, weights)
        for _ in range(_HALVINGS):
            new = penalised_log_likelihood(found + step, points, labels, weights)
            if new > value + _SHARE * promised:
                break
            step, promised = step / 2, promised / 2
        else:
            return found
        found, gain, value = found + step, new - value, new
        if gain < _CLOSE:
            break
    return found


def _step(
    found: np.ndarray, points: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """A step, and what it would bring if the slope stayed as it is."""
    logits = found @ points
    chance = expit(logits)
    information = _information(points, logits, weights)
    solved = np.linalg.solve(information, points)
    leverage = weights * chance * (1 - chance) * np.sum(points * solved, axis=0)
    gradient = points @ (weights * (labels - chance) + leverage * (0.5 - chance))
    step: np.ndarray = np.linalg.solve(information, gradient)
    return step, float(gradient @ step)


def _information(points: np.ndarray, logits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    chance = expit(logits)
    information: np.ndarray = (points * (weights * chance * expit(-logits))) @ points.T
    return information


def _balanced(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each class weighs as much as the one that is worth fewer videos."""
    worth = np.array([weights[labels == label].sum() for label in (0, 1)])
    balanced: np.ndarray = weights * (worth.min() / worth)[labels]
    return balanced
