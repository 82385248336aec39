"""What a calibration is worth on other videos than its own: a block of an evaluation's metrics."""

from typing import Any

import numpy as np
from scipy.stats import betabinom

from deepfake_tfdata.evaluation.calibration import (
    Calibration,
    DetectorCalibration,
    fit_calibration,
    video_logits,
)
from deepfake_tfdata.evaluation.calibration_figures import (
    calibration_error,
    cllr,
    cllr_min,
    even_posterior,
    risk_coverage,
)
from deepfake_tfdata.evaluation.intervals import RESAMPLES, bootstrap, percentile_interval, wilson_interval
from deepfake_tfdata.evaluation.predictions import Predictions

# Of p values at which the realised shares are told.
LEVELS = (0.01, 0.05, 0.1)
LIMIT = (
    "calibration holds for the kind of data and the methods that it was fitted on ({methods}) and does not "
    "carry over to other generators (arXiv 2606.29484); a small likelihood ratio does not make a video real"
)


def judge_calibration(
    detector: DetectorCalibration, videos: Predictions, *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """How a calibration does on videos that it was not fitted on.

    Args:
        detector: what the run is calibrated with.
        videos: one row a video, of another split.
        seed, resamples: of the bootstrap of Cllr.

    Returns:
        The block `calibration` of metrics.json, plain values; figures that need both classes are None where
        there is one only.
    """
    calibration = fit_calibration(detector.reference)
    logits = video_logits(videos.scores)
    block = {
        **_about(detector, calibration),
        **_ratio_figures(calibration, videos, logits, seed, resamples),
        "p_values": [_realised(calibration, videos, logits, level) for level in LEVELS],
    }
    return {**block, "notes": _notes(detector, calibration, block)}


def _about(detector: DetectorCalibration, calibration: Calibration) -> dict[str, Any]:
    reference = detector.reference
    return {
        "num_videos": len(reference.logits),
        "num_components_real": reference.num_components(0),
        "num_components_fake": reference.num_components(1),
        "methods": list(detector.methods),
        "slope": calibration.slope,
        "intercept": calibration.intercept,
        "log10_lr_low": calibration.low,
        "log10_lr_high": calibration.high,
        "smallest_p": calibration.smallest_p(),
        "ranges": {name: list(ends) for name, ends in detector.ranges.items()},
        "model": detector.model,
        "data": detector.data,
    }


def _ratio_figures(
    calibration: Calibration, videos: Predictions, logits: np.ndarray, seed: int, resamples: int
) -> dict[str, Any]:
    names = ("cllr", "cllr_low", "cllr_high", "cllr_min", "calibration_error", "uncalibrated_error", "aurc")
    labels = videos.labels
    if len(set(labels.tolist())) < 2:
        return dict.fromkeys(names)
    ratios = calibration.log10_likelihood_ratio(logits) * np.log(10)
    cost = float(cllr(labels, ratios, np.ones(len(labels))))
    drawn = bootstrap(
        lambda weights: cllr(labels, ratios, weights), videos.clusters, seed=seed, resamples=resamples
    )
    interval = percentile_interval(drawn)
    coverage, risk = risk_coverage(labels, calibration.unbounded(logits))
    values = (
        cost,
        *interval,
        min(cost, cllr_min(labels, logits)),
        calibration_error(labels, even_posterior(ratios)),
        calibration_error(labels, videos.scores),
        float(np.sum(np.diff(coverage, prepend=0) * risk)),
    )
    return dict(zip(names, values, strict=True))


def _realised(
    calibration: Calibration, videos: Predictions, logits: np.ndarray, level: float
) -> dict[str, Any]:
    """Shares of the videos whose p values are small; None of a class without videos."""
    real, fake = videos.labels == 0, videos.labels == 1
    p_real, p_fake = calibration.p_values(logits)
    counts = videos.clusters.counts(videos.labels)
    small_real, small_fake = p_real <= level, p_fake <= level
    return {
        "level": level,
        "supported": calibration.smallest_p() <= level,
        **_share("false_alarms", small_real[real], counts[0]),
        "false_alarms_plausible": plausible_share(calibration.reference.num_components(0), counts[0], level),
        **_share("missed", small_fake[fake], counts[1]),
        **_share("evidence_found", (small_real & ~small_fake)[fake], counts[1]),
        "abstained": float(np.mean(small_real & small_fake)),
    }


def plausible_share(num_components: int, count: int, level: float) -> float | None:
    """The largest share of false alarms that is to be expected of a p value that keeps its promise.

    The promise holds on average over calibrations; few people set aside make one of them too strict, and the
    next too lenient. Of `count` new videos, each of a component of its own, a beta-binomial number has so
    small a p value (V. Vovk, Conditional validity of inductive conformal predictors, 2012).

    Args:
        num_components: that are set aside.
        count: of components judged.
        level: of the p value.

    Returns:
        The 97.5 % quantile; None of no videos.
    """
    rank = int(level * (num_components + 1) + 1e-9)
    if not count or not rank:
        return 0.0 if count else None
    return float(betabinom(count, rank, num_components + 1 - rank).ppf(0.975)) / count


def _share(name: str, members: np.ndarray, count: int) -> dict[str, float | None]:
    """A share with its score interval, in which the videos of one class and cluster count once."""
    if not len(members):
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    share = float(np.mean(members))
    low, high = wilson_interval(share, count)
    return {name: share, f"{name}_low": low, f"{name}_high": high}


def _notes(detector: DetectorCalibration, calibration: Calibration, block: dict[str, Any]) -> list[str]:
    notes = [LIMIT.format(methods=", ".join(detector.methods))]
    if not calibration.slope:
        notes.append(
            "the scores of the videos set aside are no higher for fakes than for real ones: they say nothing"
        )
    unsupported = [each["level"] for each in block["p_values"] if not each["supported"]]
    if unsupported:
        needed = ", ".join(f"{level:g} needs {round(1 / level) - 1}" for level in unsupported)
        notes.append(
            f"{block['num_components_real']} groups of people are set aside, so that no p value of a real "
            f"video is below {calibration.smallest_p():.3f}; {needed}"
        )
    for each in block["p_values"]:
        share, plausible = each["false_alarms"], each["false_alarms_plausible"]
        if share is not None and share > plausible:
            notes.append(
                f"{share:.1%} of the real videos have a p value of {each['level']:g} or less, and no more "
                f"than {plausible:.1%} is plausible: they are not like those that it was fitted on"
            )
    return notes
