"""The files an evaluation leaves: metrics, predictions, pictures and a page that says what they mean."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_tfdata.evaluation import plots
from deepfake_tfdata.evaluation.comparison import Evaluation, auc_text, difference_texts, figures
from deepfake_tfdata.evaluation.intervals import RESAMPLES
from deepfake_tfdata.evaluation.metrics import THRESHOLD, evaluate
from deepfake_tfdata.evaluation.predictions import Predictions, per_video, write_csv
from deepfake_tfdata.files import write_bytes, write_text
from deepfake_tfdata.page import Html, interval_bar, page, pictures, section, table

_MISTAKES_SHOWN = 10
_INTERVAL_METHOD = (
    "Intervals (95 %) resample source videos, with all that was made from them, and are never narrower than "
    "the score interval: Newcombe's for an AUC, Wilson's for an accuracy."
)


def write_evaluation(
    directory: Path,
    predictions: Predictions,
    *,
    title: str,
    context: Mapping[str, object],
    num_videos_in_split: int,
    threshold: float = THRESHOLD,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Evaluates, and writes metrics.json, predictions.csv, confusion_matrix.png, roc.png and report.html.

    Each file appears whole or not at all; metrics.json comes last, so that it marks a complete folder.

    Args:
        directory: where the files go; made when missing.
        predictions: of the clips of one split.
        title: of the report.
        context: what was evaluated (region, head, spec hash, checkpoint, versions), shown as it is.
        num_videos_in_split: all its videos, those without a usable face too.
        threshold: a video whose score reaches it is called fake; fixed before the split is seen.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        The metrics.

    Raises:
        UserError: the clips of a video contradict each other.
        ValueError: there are more videos than the split has.
    """
    metrics = evaluate(
        predictions,
        num_videos_in_split=num_videos_in_split,
        threshold=threshold,
        seed=seed,
        resamples=resamples,
    )
    videos = per_video(predictions)
    images = {
        "Confusion matrix": plots.confusion_matrix(metrics),
        "ROC curve": plots.roc(videos, metrics),
        "Histogram of scores": plots.score_histogram(videos, threshold),
    }
    if videos.attention is not None:
        images["Attention over time"] = plots.attention_over_time(videos.labels, videos.attention)
    write_csv(predictions, directory / "predictions.csv")
    write_bytes(directory / "confusion_matrix.png", images["Confusion matrix"])
    write_bytes(directory / "roc.png", images["ROC curve"])
    write_text(directory / "report.html", _report(title, metrics, predictions, images, context))
    write_text(directory / "metrics.json", json.dumps(metrics, indent=2, allow_nan=False) + "\n")
    return metrics


def write_comparison(
    path: Path, rows: Sequence[Evaluation], *, title: str = "Comparison of detectors"
) -> None:
    """Writes an HTML page with several evaluations side by side, the first the reference of the differences.

    Args:
        path: of the page.
        rows: at least one.
        title: of the page.
    """
    header = ("detector", "AUC", "", "accuracy", "videos", "coverage", "difference of AUC")
    differences = difference_texts(rows)
    cells = []
    for row, difference in zip(rows, differences, strict=True):
        auc, *others = figures(row.metrics)
        cells.append((row.name, auc, _bar(row.metrics), *others, difference))
    notes = (
        "Brackets hold 95 % intervals; the bar runs from 0 to 1, its tick marks chance.",
        f"Differences are from {rows[0].name}, over the videos both scored and the same resamples of them. "
        "Distinguishable means that the interval excludes zero and at least six sources decide it.",
        "Nothing corrects for the number of detectors: of many, one in twenty differs by luck.",
        _INTERVAL_METHOD,
    )
    body = section("Side by side", table(header, cells), *notes)
    write_text(path, page(title, _best(rows, differences), [body]))


def headline(metrics: dict[str, Any]) -> str:
    """One sentence: the AUC with its interval, and whether that beats chance."""
    count = f"{metrics['num_videos']} video{'s' if metrics['num_videos'] != 1 else ''}"
    if metrics["auc"] is None:
        return f"No AUC over {count}: {metrics['note']}."
    if metrics["auc_low"] > 0.5:
        verdict = "better than chance"
    elif metrics["auc_high"] < 0.5:
        verdict = "worse than chance, as if scores or labels were inverted"
    else:
        verdict = "not distinguishable from chance"
    return f"AUC {auc_text(metrics)} over {count}: {verdict}."


def _best(rows: Sequence[Evaluation], differences: Sequence[str]) -> str:
    """The sentence to remember of a comparison: the highest AUC, and its difference from the reference."""
    scored = [index for index, row in enumerate(rows) if row.metrics["auc"] is not None]
    if not scored:
        return "No detector has an AUC: each was scored on one class only."
    best = max(scored, key=lambda index: rows[index].metrics["auc"])
    sentence = f"Highest AUC: {rows[best].name}, {auc_text(rows[best].metrics)}"
    return sentence + (
        f". Difference from {rows[0].name}: {differences[best]}." if best else ", the reference."
    )


def _report(
    title: str,
    metrics: dict[str, Any],
    predictions: Predictions,
    images: Mapping[str, bytes],
    context: Mapping[str, object],
) -> str:
    sections = [
        section("Metrics", _metrics_table(metrics), _coverage(metrics), *_methods(metrics)),
        section("Plots", pictures(images)),
    ]
    if metrics["per_manipulation"]:
        note = "Each method's fakes against all real videos; the bar runs from 0 to 1, its tick marks chance."
        sections.append(section("By manipulation", _manipulation_table(metrics), note))
    sections.append(section("Most confident mistakes", *_mistakes(predictions, metrics["threshold"])))
    if context:
        sections.append(section("What was evaluated", table((), context.items())))
    return page(title, headline(metrics), sections)


def _metrics_table(metrics: dict[str, Any]) -> Html:
    def interval(name: str) -> str:
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        return "" if low is None else f"{low:.3f} to {high:.3f}"

    rows = (
        ("AUC", _number(metrics["auc"]), interval("auc"), "chance that a fake scores above a real video"),
        ("Accuracy", _number(metrics["accuracy"]), interval("accuracy"), "share of videos called right"),
        (
            "Equal error rate",
            _number(metrics["eer"]),
            "",
            "where false positives are as frequent as false negatives",
        ),
        ("Average precision", _number(metrics["average_precision"]), "", "area under precision and recall"),
        ("Brier score", _number(metrics["brier"]), "", "mean squared error of the probability; 0 is best"),
        ("Log loss", _number(metrics["log_loss"]), "", "0.693 for a constant one half; 0 is best"),
    )
    return table(("", "value", f"{metrics['confidence_level']:.0%} interval", "meaning"), rows)


def _coverage(metrics: dict[str, Any]) -> str:
    scored, total = metrics["num_videos"], metrics["num_videos_in_split"]
    told = (
        f"Coverage {metrics['coverage']:.1%}: {scored} of {total} videos were scored, {metrics['num_real']} "
        f"real and {metrics['num_fake']} fake, from {metrics['num_sources']} source videos."
    )
    return told if scored == total else f"{told} No other figure counts the rest."


def _methods(metrics: dict[str, Any]) -> tuple[str, str]:
    return (
        f"A video counts as fake from a score of {metrics['threshold']:g}, a threshold fixed before the "
        "split was seen. Its score is the mean over its clips.",
        _INTERVAL_METHOD,
    )


def _manipulation_table(metrics: dict[str, Any]) -> Html:
    rows = (
        (name, auc_text(values), _bar(values), f"{values['recall']:.1%}", values["num_fake"])
        for name, values in metrics["per_manipulation"].items()
    )
    return table(("method", "AUC", "", "recall", "fakes"), rows)


def _mistakes(predictions: Predictions, threshold: float) -> tuple[str, ...]:
    """The wrong videos furthest from their label."""
    videos = per_video(predictions)
    error = np.abs(videos.scores - videos.labels)
    wrong = np.flatnonzero((videos.scores >= threshold) != (videos.labels == 1))
    if not len(wrong):
        return ("None: every video was called right.",)
    worst = wrong[np.argsort(-error[wrong], kind="stable")][:_MISTAKES_SHOWN]
    attended = predictions.attention is not None
    rows = []
    for video in worst:
        key, truth = videos.video_keys[video], plots.CLASSES[videos.labels[video]][1]
        row = (key, truth, _number(videos.scores[video]))
        rows.append((*row, _most_attended(predictions, key)) if attended else row)
    header = ("video", "truth", "score", "most attended")[: len(rows[0])]
    return table(header, rows), f"{len(worst)} of {len(wrong)} videos called wrong, the most confident first."


def _most_attended(predictions: Predictions, video_key: str) -> str:
    """Where to look in a video: the frame with most attention in its most wrong clip."""
    clips = np.flatnonzero(predictions.video_keys == video_key)
    clip = clips[np.argmax(np.abs(predictions.scores - predictions.labels)[clips])]
    position = np.argmax(predictions.attention[clip])
    places = [f"position {position + 1} of {predictions.attention.shape[1]}"]
    if predictions.frame_indices is not None:
        places = [f"frame {predictions.frame_indices[clip, position]}"]
    if predictions.timestamps is not None:
        places.append(f"{predictions.timestamps[clip, position]:.2f} s")
    return ", ".join(places)


def _bar(values: Mapping[str, Any]) -> Html:
    return interval_bar(values["auc_low"], values["auc"], values["auc_high"])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
