"""The files an evaluation leaves: metrics, predictions, pictures and a page that says what they mean."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfake_tfdata.evaluation.calibration import Calibration
from deepfake_tfdata.evaluation.evaluations import write_scores
from deepfake_tfdata.evaluation.mistakes import worst_mistakes
from deepfake_tfdata.evaluation.predictions import Predictions, per_video
from deepfake_tfdata.evaluation.texts import auc_text
from deepfake_tfdata.files import write_bytes, write_text
from deepfake_tfdata.reports import plots
from deepfake_tfdata.reports.calibration_section import calibration_section
from deepfake_tfdata.reports.pages import Picture, render

INTERVAL_METHOD = (
    "Intervals (95 %) take the identities that fakes join for what is independent. An AUC's is DeLong's, "
    "clustered by these; the others resample them, and those of shares are never narrower than Wilson's "
    "score interval."
)
_MISTAKES_SHOWN = 10
# Key in the metrics, name, meaning.
_METRICS = (
    ("auc", "AUC", "chance that a fake scores above a real video"),
    ("balanced_accuracy", "Balanced accuracy", "mean of the shares of real and of fake videos called right"),
    ("accuracy", "Accuracy", "share of videos called right; {majority_share:.3f} for calling all alike"),
    (
        "tpr_at_fpr_1",
        "Fakes found at 1 % false alarms",
        "true positive rate where 1 % of real videos are called fake",
    ),
    ("tpr_at_fpr_5", "Fakes found at 5 % false alarms", "the same where 5 % are"),
    ("eer", "Equal error rate", "where false positives are as frequent as false negatives"),
    (
        "average_precision",
        "Average precision",
        "area under precision and recall; chance gives {fake_share:.3f}",
    ),
    ("brier", "Brier score", "mean squared error of the probability; 0 is best"),
    ("log_loss", "Log loss", "0.693 for a constant one half; 0 is best"),
)


def write_evaluation(
    directory: Path,
    predictions: Predictions,
    metrics: dict[str, Any],
    *,
    title: str,
    context: Mapping[str, object],
    calibration: Calibration | None = None,
) -> None:
    """Writes metrics.json, predictions.csv, confusion_matrix.png, roc.png and report.html.

    Each file appears whole or not at all; metrics.json comes last, so that it marks a complete folder.

    Args:
        directory: where the files go; made when missing.
        predictions: of the clips of one split.
        metrics: what `evaluate` made of them.
        title: of the report.
        context: what was evaluated (region, head, spec hash, checkpoint, versions), shown as it is.
        calibration: what the block `calibration` of the metrics is of, where they have one.

    Raises:
        UserError: the clips of a video contradict each other.
    """
    videos = per_video(predictions)
    pictures = _pictures(videos, metrics)
    page = render(
        "evaluation.html",
        title=title,
        lead=headline(metrics),
        metrics=metrics,
        rows=_metric_rows(metrics),
        warnings=metrics["notes"],
        notes=_notes(metrics),
        pictures=pictures.values(),
        calibrated=calibration and calibration_section(calibration, videos, metrics["calibration"]),
        mistakes=worst_mistakes(predictions, metrics["threshold"], _MISTAKES_SHOWN),
        attended=predictions.attention is not None,
        classes=[name for _, name, _ in plots.CLASSES],
        auc_text=auc_text,
        facts=context,
    )
    write_bytes(directory / "confusion_matrix.png", pictures["confusion_matrix"].content)
    write_bytes(directory / "roc.png", pictures["roc"].content)
    write_text(directory / "report.html", page)
    write_scores(directory, predictions, metrics)


def headline(metrics: dict[str, Any]) -> str:
    """One sentence: the AUC with its interval, and whether that beats chance."""
    count = f"{metrics['num_videos']} video{'s' if metrics['num_videos'] != 1 else ''}"
    if metrics["auc"] is None:
        return f"No AUC over {count}: it needs both classes."
    if metrics["auc_low"] > 0.5:
        verdict = "better than chance"
    elif metrics["auc_high"] < 0.5:
        verdict = "worse than chance, as if scores or labels were inverted"
    else:
        verdict = "not distinguishable from chance"
    return f"AUC {auc_text(metrics)} over {count}: {verdict}."


def _pictures(videos: Predictions, metrics: dict[str, Any]) -> dict[str, Picture]:
    (tn, fp), (fn, tp) = metrics["confusion_matrix"]
    counts = f"of {tn + fp} real videos {fp} called fake, of {fn + tp} fake videos {fn} called real"
    drawn = {
        "confusion_matrix": (f"Confusion matrix: {counts}", plots.confusion_matrix(metrics)),
        "roc": (f"ROC curve: AUC {auc_text(metrics)}", plots.roc(videos, metrics)),
        "scores": (
            "Histogram of the scores of real and of fake videos",
            plots.score_histogram(videos, metrics["threshold"]),
        ),
    }
    if videos.attention is not None:
        drawn["attention"] = (
            "Attention over time: its mean on every frame of a clip, for real and for fake videos",
            plots.attention_over_time(videos.labels, videos.attention),
        )
    return {name: Picture.of(plot, name, alt) for name, (alt, plot) in drawn.items()}


def _metric_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    shares = {
        "majority_share": metrics["majority_share"],
        "fake_share": metrics["num_fake"] / metrics["num_videos"],
    }
    return [
        {
            "name": name,
            "meaning": meaning.format(**shares),
            "value": metrics[key],
            "low": metrics.get(f"{key}_low"),
            "high": metrics.get(f"{key}_high"),
        }
        for key, name, meaning in _METRICS
    ]


def _notes(metrics: dict[str, Any]) -> Sequence[str]:
    scored, total = metrics["num_videos"], metrics["num_videos_in_split"]
    coverage = (
        f"Coverage {metrics['coverage']:.1%}: {scored} of {total} videos were scored, {metrics['num_real']} "
        f"real and {metrics['num_fake']} fake, from {metrics['num_sources']} source videos."
    )
    by_class = " and ".join(
        f"{share:.1%} of the {name}" for name, share in metrics["coverage_by_class"].items()
    )
    return (
        coverage
        if scored == total
        else f"{coverage} That is {by_class} ones; no other figure counts the rest.",
        f"A video counts as fake from a score of {metrics['threshold']:g}, a threshold fixed before the "
        "split was seen. Its score is the mean over its clips.",
        INTERVAL_METHOD,
    )
