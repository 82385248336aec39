"""The figures that say how well a detector tells real from fake."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss

from deepfake_tfdata.evaluation.clusters import Clusters
from deepfake_tfdata.evaluation.coverage import Coverage, Planned, coverage_of
from deepfake_tfdata.evaluation.curves import average_precision, equal_error_rate
from deepfake_tfdata.evaluation.intervals import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    Interval,
    accuracy_interval,
    bootstrap,
    percentile_interval,
)
from deepfake_tfdata.evaluation.mrmc import RunScores, method_auc, run_aucs
from deepfake_tfdata.evaluation.notes import plain_notes
from deepfake_tfdata.evaluation.operating_points import (
    balanced_accuracy,
    balanced_accuracy_interval,
    fewest_real,
    tpr_at_fpr,
    tpr_at_fpr_interval,
)
from deepfake_tfdata.evaluation.predictions import Predictions, per_video

# Of labels [N], scores [N] and weights [R, N], to [R].
Figure: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

THRESHOLD = 0.5
_CURVES: Mapping[str, Figure] = {"eer": equal_error_rate, "average_precision": average_precision}
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
    """Metrics per video, with intervals clustered by the identities that fakes join.

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
    clusters = videos.clusters
    resampling = {"seed": seed, "resamples": resamples}
    fake_share = float(np.mean(videos.labels))
    metrics = {
        **_ranking(videos.labels, videos.scores, clusters, resampling),
        **_calls(videos, called_fake, clusters, resampling),
        **_operating_points(videos, clusters, resampling),
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
        "num_clusters": clusters.count,
        "num_videos_in_split": coverage.num_planned,
        "coverage": coverage.total,
        "coverage_by_class": coverage.by_class,
        "confidence_level": CONFIDENCE_LEVEL,
        "per_manipulation": _per_manipulation(videos, clusters, coverage, threshold, resampling),
    }
    return {**metrics, "notes": plain_notes(metrics, FALSE_POSITIVE_RATES)}


def _ranking(
    labels: np.ndarray, scores: np.ndarray, clusters: Clusters, resampling: dict[str, int]
) -> dict[str, Any]:
    """The figures that no threshold moves; None where the videos are of one class only."""
    aucs: dict[str, Any] = _with_interval("auc", None, None)
    if _has_both(labels):
        estimate = method_auc(run_aucs(RunScores(labels, scores[None], clusters)))
        aucs = _with_interval("auc", estimate.value, estimate.interval())
    return aucs | _resampled(_CURVES, labels, scores, clusters, resampling)


def _resampled(
    figures: Mapping[str, Figure],
    labels: np.ndarray,
    scores: np.ndarray,
    clusters: Clusters,
    resampling: dict[str, int],
) -> dict[str, Any]:
    """Figures of a curve, with percentile intervals over the clusters."""
    found: dict[str, Any] = {}
    for key, figure in figures.items():
        value, interval = None, None
        if _has_both(labels):
            value = float(figure(labels, scores, np.ones(len(labels))))
            drawn = bootstrap(partial(figure, labels, scores), clusters, **resampling)
            interval = percentile_interval(drawn)
        found |= _with_interval(key, value, interval)
    return found


def _calls(
    videos: Predictions, called_fake: np.ndarray, clusters: Clusters, resampling: dict[str, int]
) -> dict[str, Any]:
    """How many calls at the threshold are right."""
    labels = videos.labels
    correct = called_fake == (labels == 1)
    accuracy = accuracy_interval(correct, labels, clusters, **resampling)
    balanced, interval = None, None
    if _has_both(labels):
        balanced = float(balanced_accuracy(correct, labels, np.ones(len(labels))))
        interval = balanced_accuracy_interval(correct, labels, clusters, **resampling)
    return {
        **_with_interval("accuracy", float(np.mean(correct)), accuracy),
        **_with_interval("balanced_accuracy", balanced, interval),
    }


def _operating_points(videos: Predictions, clusters: Clusters, resampling: dict[str, int]) -> dict[str, Any]:
    """The share of fakes found at each false positive rate; None where too few videos measure it."""
    labels, scores = videos.labels, videos.scores
    points: dict[str, Any] = {}
    for key, rate in FALSE_POSITIVE_RATES.items():
        found, interval = None, None
        if _has_both(labels) and np.sum(labels == 0) >= fewest_real(rate):
            found = float(tpr_at_fpr(labels, scores, np.ones(len(labels)), rate))
            interval = tpr_at_fpr_interval(labels, scores, clusters, rate, **resampling)
        points |= _with_interval(key, found, interval)
    return points


def _per_manipulation(
    videos: Predictions,
    clusters: Clusters,
    coverage: Coverage,
    threshold: float,
    resampling: dict[str, int],
) -> dict[str, Any]:
    is_fake = videos.labels == 1
    results = {}
    for name, share in coverage.by_method.items():
        of_method = is_fake & (videos.manipulations == name)
        rows = ~is_fake | of_method
        results[name] = {
            **_ranking(videos.labels[rows], videos.scores[rows], clusters.select(rows), resampling),
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
