"""The figures that say how good likelihood ratios are, and whether p values keep their promise."""

import numpy as np
from scipy.special import expit
from sklearn.isotonic import isotonic_regression

_RELIABILITY_BINS = 10


def cllr(labels: np.ndarray, log_ratios: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The cost of log likelihood ratios, bits: 0 of perfect ones, 1 of a ratio that is always one.

    N. Brümmer and J. du Preez, Application-independent evaluation of speaker detection, Computer Speech and
    Language 20 (2006): the mean over fakes of log2(1 + 1 / ratio) and over real videos of log2(1 + ratio),
    averaged.

    Args:
        labels: int [N], 0 or 1.
        log_ratios: float [N], base e.
        weights: [..., N], not negative.

    Returns:
        float64 [...], NaN where the weights leave a class without videos.
    """
    costs = np.logaddexp(0, np.where(labels == 1, -log_ratios, log_ratios)) / np.log(2)
    classes = [weights * (labels == label) for label in (0, 1)]
    sums = [each.sum(axis=-1) for each in classes]
    means = [
        np.divide(each @ costs, total, out=np.full(np.shape(total), np.nan), where=total > 0)
        for each, total in zip(classes, sums, strict=True)
    ]
    mean: np.ndarray = (means[0] + means[1]) / 2
    return mean


def cllr_min(labels: np.ndarray, scores: np.ndarray) -> float:
    """What `cllr` could be at best of these scores, were they calibrated by whatever rises with them.

    The best such ratios are those of the pool adjacent violators (Brümmer and du Preez 2006). What is above
    it is lost by calibration, and what it is itself by scores that do not tell the classes apart.

    Args:
        labels: int [N], both 0 and 1 occurring.
        scores: float [N], higher for fake; equal ones get one ratio.
    """
    _, place = np.unique(scores, return_inverse=True)
    place = place.reshape(-1)
    shares = np.where(labels == 1, 1 / np.sum(labels == 1), 1 / np.sum(labels == 0)) / 2
    fake, every = (np.bincount(place, shares * of) for of in (labels == 1, np.ones(len(labels))))
    posterior = isotonic_regression(fake / every, sample_weight=every, y_min=0, y_max=1)[place]
    of_truth = np.where(labels == 1, posterior, 1 - posterior)
    # Rounding may leave a little less than nothing, of which none is real.
    return float(max(0.0, -np.sum(2 * shares * np.log2(np.maximum(of_truth, 1e-300))) / 2))


def tippett(log10_ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Tippett curve of one class: the share of its videos whose ratio is at least so large.

    Returns:
        The ratios, rising, and the shares; float64 [N] each.
    """
    count = len(log10_ratios)
    return np.sort(log10_ratios), 1 - np.arange(count) / max(count, 1)


def reliability(
    labels: np.ndarray, posteriors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """How often what is called so likely is fake, were there as many real as fake videos.

    Args:
        labels: int [N], both 0 and 1 occurring.
        posteriors: float [N], probabilities of fake at even prior odds.

    Returns:
        Of each tenth of the probabilities that has videos: their mean, the share of fakes among them (both
        classes weighing the same), the share of all weight, float64 [B] each; and how many videos, int [B].
    """
    weights = np.where(labels == 1, 1 / np.sum(labels == 1), 1 / np.sum(labels == 0)) / 2
    bins = np.minimum((posteriors * _RELIABILITY_BINS).astype(int), _RELIABILITY_BINS - 1)
    mass, said, fake, count = (
        np.bincount(bins, values, minlength=_RELIABILITY_BINS)
        for values in (weights, weights * posteriors, weights * (labels == 1), np.ones(len(labels)))
    )
    used = count > 0
    return (
        (said / np.where(used, mass, 1))[used],
        (fake / np.where(used, mass, 1))[used],
        mass[used],
        (count[used].astype(int)),
    )


def calibration_error(labels: np.ndarray, posteriors: np.ndarray) -> float:
    """The expected calibration error: by how much the probabilities of `reliability` are off on average."""
    said, fake, mass, _ = reliability(labels, posteriors)
    return float(np.sum(mass * np.abs(said - fake)))


def risk_coverage(labels: np.ndarray, log_ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The error rate among the most confident videos, over the share of all that they are.

    Y. Geifman and R. El-Yaniv, Selective classification for deep neural networks (2017). A video is called
    fake whose ratio is above one; a ratio of one is half an error, and equally confident ones come together.

    Args:
        labels: int [N].
        log_ratios: float [N].

    Returns:
        Coverage, rising to one, and risk; float64 [K] each.
    """
    confidence = np.abs(log_ratios)
    called = np.where(log_ratios == 0, 0.5, log_ratios > 0)
    order = np.argsort(-confidence, kind="stable")
    ends = np.flatnonzero(np.diff(confidence[order], append=-1)) + 1
    errors = np.cumsum(np.abs(called - labels)[order])[ends - 1]
    return ends / len(labels), errors / ends


def even_posterior(log_ratios: np.ndarray) -> np.ndarray:
    """The probability of fake at even prior odds, of log likelihood ratios to base e."""
    posterior: np.ndarray = expit(log_ratios)
    return posterior
