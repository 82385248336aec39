"""The figures that say how well a detector tells real from fake."""

from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_curve

from deepfake_tfdata.evaluation.coverage import Coverage, Planned, coverage_of
from deepfake_tfdata.evaluation.intervals import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    Interval,
    accuracy_interval,
    auc,
    auc_interval,
)
from deepfake_tfdata.evaluation.notes import plain_notes
from deepfake_tfdata.evaluation.operating_points import (
    balanced_accuracy,
    balanced_accuracy_interval,
    fewest_real,
    tpr_at_fpr,
    tpr_at_fpr_interval,
)
from deepfake_tfdata.evaluation.predictions import Predictions, per_video

THRESHOLD = 0.5
# The false positive rates at which the share of fakes found is told, by key.
FALSE_POSITIVE_RATES = {"tpr_at_fpr_1": 0.01, "tpr_at_fpr_5": 0.05}


def evaluate(
    predictions: Predictions,
    *,
    planned: Planned | None = None,
    threshold: float = THRESHOLD,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Metrics per video, with intervals clustered by source video.

    Args:
        predictions: of the clips of one split.
        planned: all its videos, those without a usable face too, by class and method; where it is not given,
            those that were scored.
        threshold: a video whose score reaches it is called fake; fixed before the split is seen.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        What metrics.json holds, plain Python values. Figures that the split has too few videos for, of either
        class, are None, and `notes` says so. `per_manipulation` sets each method's fakes against all real
        videos.

    Raises:
        UserError: the clips of a video contradict each other.
        ValueError: there are more videos than the split has.
    """
    videos = per_video(predictions)
    coverage = coverage_of(videos, planned)
    called_fake = videos.scores >= threshold
    resampling = {"seed": seed, "resamples": resamples}
    fake_share = float(np.mean(videos.labels))
    metrics = {
        **_ranking(videos, np.ones(len(videos), bool), resampling),
        **_calls(videos, called_fake, resampling),
        **_operating_points(videos, resampling),
        "majority_share": max(fake_share, 1 - fake_share),
        "threshold": threshold,
        "confusion_matrix": _confusion_matrix(videos.labels, called_fake),
        "brier": float(brier_score_loss(videos.labels, videos.scores)),
        "log_loss": float(log_loss(videos.labels, videos.scores, labels=[0, 1])),
        "num_videos": len(videos),
        "num_real": int(np.sum(videos.labels == 0)),
        "num_fake": int(np.sum(videos.labels == 1)),
        "num_clips": len(predictions),
        "num_sources": len(set(videos.target_ids)),
        "num_videos_in_split": coverage.num_planned,
        "coverage": coverage.total,
        "coverage_by_class": coverage.by_class,
        "confidence_level": CONFIDENCE_LEVEL,
        "per_manipulation": _per_manipulation(videos, coverage, threshold, resampling),
    }
    return {**metrics, "notes": plain_notes(metrics, FALSE_POSITIVE_RATES)}


def equal_error_rate(labels: np.ndarray, scores: np.ndarray) -> float:
    """The error rate where false positives and false negatives are as frequent, interpolated on the ROC.

    Args:
        labels: int [N], both 0 and 1 occurring.
        scores: float [N].
    """
    false_positive_rate, true_positive_rate, _ = roc_curve(labels, scores)
    excess = false_positive_rate - (1 - true_positive_rate)  # rises from -1 to 1 along the curve
    after = int(np.argmax(excess >= 0))
    share = -excess[after - 1] / (excess[after] - excess[after - 1])
    low, high = false_positive_rate[after - 1 : after + 1]
    return float(low + share * (high - low))


def _ranking(videos: Predictions, rows: np.ndarray, resampling: dict[str, int]) -> dict[str, Any]:
    """The figures of some videos that no threshold moves; None where they are of one class only."""
    labels, scores, sources = videos.labels[rows], videos.scores[rows], videos.target_ids[rows]
    if not _has_both(labels):
        return dict.fromkeys(("auc", "auc_low", "auc_high", "eer", "average_precision"))
    return {
        **_with_interval("auc", auc(labels, scores), auc_interval(labels, scores, sources, **resampling)),
        "eer": equal_error_rate(labels, scores),
        "average_precision": float(average_precision_score(labels, scores)),
    }


def _calls(videos: Predictions, called_fake: np.ndarray, resampling: dict[str, int]) -> dict[str, Any]:
    """How many calls at the threshold are right."""
    labels, sources = videos.labels, videos.target_ids
    correct = called_fake == (labels == 1)
    accuracy = accuracy_interval(correct, labels, sources, **resampling)
    balanced, interval = None, None
    if _has_both(labels):
        balanced = float(balanced_accuracy(correct, labels, np.ones(len(labels))))
        interval = balanced_accuracy_interval(correct, labels, sources, **resampling)
    return {
        **_with_interval("accuracy", float(np.mean(correct)), accuracy),
        **_with_interval("balanced_accuracy", balanced, interval),
    }


def _operating_points(videos: Predictions, resampling: dict[str, int]) -> dict[str, Any]:
    """The share of fakes found at each false positive rate; None where too few videos measure it."""
    labels, scores = videos.labels, videos.scores
    points: dict[str, Any] = {}
    for key, rate in FALSE_POSITIVE_RATES.items():
        found, interval = None, None
        if _has_both(labels) and np.sum(labels == 0) >= fewest_real(rate):
            found = float(tpr_at_fpr(labels, scores, np.ones(len(labels)), rate))
            interval = tpr_at_fpr_interval(labels, scores, videos.target_ids, rate, **resampling)
        points |= _with_interval(key, found, interval)
    return points


def _per_manipulation(
    videos: Predictions, coverage: Coverage, threshold: float, resampling: dict[str, int]
) -> dict[str, Any]:
    is_fake = videos.labels == 1
    results = {}
    for name, share in coverage.by_method.items():
        of_method = is_fake & (videos.manipulations == name)
        rows = ~is_fake | of_method
        results[name] = {
            **_ranking(videos, rows, resampling),
            "recall": float(np.mean(videos.scores[of_method] >= threshold)) if of_method.any() else None,
            "num_videos": int(np.sum(rows)),
            "num_fake": int(np.sum(of_method)),
            "coverage": share,
        }
    return results


def _has_both(labels: np.ndarray) -> bool:
    """Whether there are real and fake videos."""
    return len(set(labels.tolist())) == 2


def _with_interval(key: str, value: float | None, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {key: value, f"{key}_low": low, f"{key}_high": high}


def _confusion_matrix(labels: np.ndarray, called_fake: np.ndarray) -> list[list[int]]:
    """[[true negatives, false positives], [false negatives, true positives]]."""
    return np.bincount(2 * labels + called_fake, minlength=4).reshape(2, 2).tolist()
