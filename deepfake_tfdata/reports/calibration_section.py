"""The part of an evaluation's report that says what the scores are worth as evidence."""

from typing import Any

import numpy as np

from deepfake_tfdata.evaluation.calibration import Calibration, video_logits
from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.reports import plots
from deepfake_tfdata.reports.pages import Picture

# Key in the block, name, meaning.
_FIGURES = (
    ("cllr", "Cllr", "cost of the likelihood ratios in bits; 1 for a ratio that is always one, 0 is best"),
    ("cllr_min", "Cllr at best", "were the same scores calibrated on this split itself"),
    (
        "calibration_error",
        "Calibration error",
        "by how much probabilities at even prior odds are off; {uncalibrated_error:.3f} of the plain scores",
    ),
    ("aurc", "Risk over coverage", "mean error rate over all shares of most confident videos"),
)
_RANGES = {
    "face_pixels": ("face, pixels", "{:.0f}"),
    "bits_a_pixel": ("bits a pixel", "{:.3f}"),
    "coverage": ("frames with the face", "{:.0%}"),
    "frame_seconds": ("seconds between frames", "{:.3f}"),
}


def calibration_section(
    calibration: Calibration, videos: Predictions, block: dict[str, Any]
) -> dict[str, Any]:
    """What the template shows.

    Args:
        calibration: of the run.
        videos: of the evaluation, one row a video.
        block: what `judge_calibration` found.
    """
    rows = [
        {
            "name": name,
            "meaning": meaning.format(**block),
            "value": block[key],
            "low": block.get(f"{key}_low"),
            "high": block.get(f"{key}_high"),
        }
        for key, name, meaning in _FIGURES
        if block[key] is not None
    ]
    ranges = {
        _RANGES[name][0]: " to ".join(map(_RANGES[name][1].format, ends))
        for name, ends in block["ranges"].items()
    }
    return {
        "block": block,
        "lead": _lead(block),
        "rows": rows,
        "ranges": ranges,
        "pictures": _pictures(calibration, videos),
    }


def _lead(block: dict[str, Any]) -> str:
    low, high = 10 ** -block["log10_lr_low"], 10 ** block["log10_lr_high"]
    return (
        f"{block['num_videos']} videos of {block['num_components_real']} groups of people that no training "
        f"saw say what a score is worth. They support likelihood ratios from 1/{low:.3g} to {high:.3g} and p "
        f"values of a real video down to {block['smallest_p']:.3f}."
    )


def _pictures(calibration: Calibration, videos: Predictions) -> list[Picture]:
    logits, labels = video_logits(videos.scores), videos.labels
    ratios = calibration.log10_likelihood_ratio(logits)
    drawn = {
        "tippett": (
            "Tippett plot: the share of real and of fake videos with a likelihood ratio at least so large",
            plots.tippett_plot(labels, ratios, (calibration.low, calibration.high)),
        )
    }
    if len(set(labels.tolist())) == 2:
        drawn["reliability"] = (
            "Reliability: how often what is called so likely is fake, before and after calibration",
            plots.reliability_plot(labels, videos.scores, ratios * np.log(10)),
        )
        drawn["risk_coverage"] = (
            "Risk and coverage: the error rate among the most confident videos",
            plots.risk_coverage_plot(labels, calibration.unbounded(logits)),
        )
    return [Picture.of(plot, name, alt) for name, (alt, plot) in drawn.items()]
