"""The plots of a detector's scores."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_curve

from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.evaluation.texts import auc_text
from deepfake_tfdata.reports.plots.canvas import (
    BLUE,
    CLASSES,
    DOUBLE,
    GREY,
    VERMILION,
    Columns,
    Plot,
    canvas,
    styled,
    whole_numbers,
)

_BINS = 20


@styled
def confusion_matrix(metrics: dict[str, Any]) -> Plot:
    """The four counts, each with its share of the true class."""
    figure, axes = canvas("Confusion matrix", f"predicted (fake from {metrics['threshold']:g})", "true")
    counts = np.array(metrics["confusion_matrix"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count}\n{share:.0%}" if counts[row].sum() else "0\nno videos"
        axes.text(
            column, row, text, ha="center", va="center", size=11, color="white" if share > 0.5 else "black"
        )
    names = [name for _, name, _ in CLASSES]
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    rows, columns = np.indices(counts.shape)
    numbers = {
        "true": np.array(names)[rows.ravel()],
        "predicted": np.array(names)[columns.ravel()],
        "videos": counts.ravel(),
        "share_of_true": shares.ravel(),
    }
    return Plot(figure, "Confusion matrix", [numbers])


@styled
def roc(videos: Predictions, metrics: dict[str, Any]) -> Plot:
    """The ROC curve with the AUC's interval and the operating point; a note where there is one class only."""
    figure, axes = canvas("ROC curve", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1, label="chance")
    numbers = [_rates("chance", [0, 1], [0, 1])]
    if metrics["auc"] is None:
        axes.text(0.5, 0.85, "needs real and fake videos", ha="center", color=GREY)
    else:
        false, true, _ = roc_curve(videos.labels, videos.scores, drop_intermediate=False)
        axes.plot(false, true, color=BLUE, label=f"AUC {auc_text(metrics)}", clip_on=False)
        (tn, fp), (fn, tp) = metrics["confusion_matrix"]
        label = f"threshold {metrics['threshold']:g}"
        point = [fp / (fp + tn)], [tp / (tp + fn)]
        axes.plot(*point, "o", color=VERMILION, label=label, clip_on=False)
        numbers += [_rates("ROC curve", false, true), _rates(label, *point)]
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="lower right")
    return Plot(figure, "ROC curve", numbers)


def _rates(series: str, false: Any, true: Any) -> Columns:
    return {"series": [series], "false_positive_rate": false, "true_positive_rate": true}


@styled
def score_histogram(videos: Predictions, threshold: float) -> Plot:
    """How many videos of each class have which score."""
    figure, axes = canvas("Scores", "probability of fake", "videos")
    edges = np.linspace(0, 1, _BINS + 1)
    counts = {}
    for label, name, colour in CLASSES:
        scores = videos.scores[videos.labels == label]
        counts[name] = np.histogram(scores, edges)[0]
        style: dict[str, Any] = {"fill": True, "alpha": 0.35} if label else {"linewidth": 1.4}
        axes.stairs(counts[name], edges, color=colour, label=f"{name} ({len(scores)})", **style)
    axes.axvline(threshold, linestyle="--", color=GREY, linewidth=1, label=f"threshold {threshold:g}")
    axes.set_xlim(0, 1)
    axes.yaxis.set_major_locator(whole_numbers())
    axes.legend()
    return Plot(figure, "Scores", [{"from_score": edges[:-1], "to_score": edges[1:], **counts}])


@styled
def ranking_curves(labels: np.ndarray, scores: np.ndarray) -> Plot:
    """The ROC and the precision-recall curve side by side.

    Args:
        labels: int [N], of both classes.
        scores: float [N], in any unit, higher for fake.
    """
    figure = Figure(figsize=(DOUBLE, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    left.plot(false, true, color=BLUE)
    left.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1)
    left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    precision, recall, _ = precision_recall_curve(labels, scores)
    right.step(recall, precision, where="post", color=BLUE)
    right.axhline(np.mean(labels), linestyle="--", color=GREY, linewidth=1)
    right.set(title="Precision and recall", xlabel="recall", ylabel="precision")
    for axes in (left, right):
        axes.set(xlim=(0, 1), ylim=(0, 1.01))
    numbers = [
        {"series": ["ROC"], "x": false, "y": true},
        {"series": ["precision over recall"], "x": recall, "y": precision},
    ]
    return Plot(figure, "Ranking", numbers)


@styled
def attention_over_time(labels: np.ndarray, weights: np.ndarray) -> Plot:
    """Mean attention on each frame of a clip, with the middle half of the videos, or clips, shaded.

    Args:
        labels: int [N].
        weights: float [N, T], the attention on every frame.
    """
    figure, axes = canvas("Attention over time", "frame of the clip", "attention weight")
    frames = np.arange(1, weights.shape[1] + 1)
    numbers: list[Columns] = []
    for label, name, colour in CLASSES:
        attention = weights[labels == label]
        if len(attention):
            low, high = np.quantile(attention, (0.25, 0.75), axis=0)
            mean = attention.mean(axis=0)
            axes.fill_between(frames, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(frames, mean, color=colour, label=f"{name}, mean")
            numbers.append(
                {
                    "class": [name],
                    "frame": frames,
                    "mean": mean,
                    "lower_quartile": low,
                    "upper_quartile": high,
                }
            )
    axes.axhline(1 / len(frames), linestyle="--", color=GREY, linewidth=1, label="every frame alike")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(whole_numbers())
    axes.legend()
    return Plot(figure, "Attention over time", numbers)
