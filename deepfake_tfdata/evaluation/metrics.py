"""The figures that say how well a detector tells real from fake."""

from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_curve

from deepfake_tfdata.evaluation.intervals import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    accuracy_interval,
    auc,
    auc_interval,
)
from deepfake_tfdata.evaluation.predictions import Predictions, per_video

THRESHOLD = 0.5


def evaluate(
    predictions: Predictions,
    *,
    num_videos_in_split: int,
    threshold: float = THRESHOLD,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Metrics per video, with intervals clustered by source video.

    Args:
        predictions: of the clips of one split.
        num_videos_in_split: all its videos, those without a usable face too.
        threshold: a video whose score reaches it is called fake; fixed before the split is seen.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        What metrics.json holds, plain Python values. Figures that need both classes are None where the split
        has one only, and `note` says so. `per_manipulation` sets each method's fakes against all real videos.

    Raises:
        UserError: the clips of a video contradict each other.
        ValueError: there are more videos than the split has.
    """
    videos = per_video(predictions)
    if len(videos) > num_videos_in_split:
        raise ValueError(f"{len(videos)} videos were scored, but the split has {num_videos_in_split}")
    called_fake = videos.scores >= threshold
    correct = called_fake == (videos.labels == 1)
    accuracy = accuracy_interval(correct, videos.labels, videos.target_ids, seed=seed, resamples=resamples)
    return {
        **_ranking(videos, seed, resamples),
        "accuracy": float(np.mean(correct)),
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "threshold": threshold,
        "confusion_matrix": _confusion_matrix(videos.labels, called_fake),
        "brier": float(brier_score_loss(videos.labels, videos.scores, pos_label=1)),
        "log_loss": float(log_loss(videos.labels, videos.scores, labels=[0, 1])),
        "num_videos": len(videos),
        "num_real": int(np.sum(videos.labels == 0)),
        "num_fake": int(np.sum(videos.labels == 1)),
        "num_clips": len(predictions),
        "num_sources": len(set(videos.target_ids)),
        "num_videos_in_split": num_videos_in_split,
        "coverage": len(videos) / num_videos_in_split,
        "confidence_level": CONFIDENCE_LEVEL,
        "per_manipulation": _per_manipulation(videos, threshold, seed, resamples),
    }


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


def _ranking(videos: Predictions, seed: int, resamples: int) -> dict[str, Any]:
    """The figures that need both classes."""
    names = ("auc", "auc_low", "auc_high", "eer", "average_precision")
    if len(set(videos.labels)) < 2:
        only = "fake" if videos.labels[0] else "real"
        note = f"every video is {only}; AUC, EER and average precision need both classes"
        return {**dict.fromkeys(names), "note": note}
    labels, scores = videos.labels, videos.scores
    interval = auc_interval(labels, scores, videos.target_ids, seed=seed, resamples=resamples)
    precision = float(average_precision_score(labels, scores))
    return dict(
        zip(names, (auc(labels, scores), *interval, equal_error_rate(labels, scores), precision), strict=True)
    )


def _per_manipulation(videos: Predictions, threshold: float, seed: int, resamples: int) -> dict[str, Any]:
    is_fake = videos.labels == 1
    results = {}
    for name in sorted(set(videos.manipulations[is_fake].tolist())):
        of_method = is_fake & (videos.manipulations == name)
        subset = videos.select(~is_fake | of_method)
        results[name] = {
            **_ranking(subset, seed, resamples),
            "recall": float(np.mean(videos.scores[of_method] >= threshold)),
            "num_videos": len(subset),
            "num_fake": int(np.sum(of_method)),
        }
    return results


def _confusion_matrix(labels: np.ndarray, called_fake: np.ndarray) -> list[list[int]]:
    """[[true negatives, false positives], [false negatives, true positives]]."""
    return np.bincount(2 * labels + called_fake, minlength=4).reshape(2, 2).tolist()
