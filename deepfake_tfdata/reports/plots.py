"""The pictures of an evaluation, as PNG files in memory.

Figures are made without pyplot, whose global state leaks between callers and picks a window system.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import precision_recall_curve, roc_curve

from deepfake_tfdata.evaluation.predictions import Predictions
from deepfake_tfdata.evaluation.texts import auc_text

# Told apart with every common colour blindness: M. Okabe and K. Ito, Color Universal Design (2008).
CLASSES = ((0, "real", "#0072B2"), (1, "fake", "#D55E00"))
_BINS = 20
_GREY = "#666666"


def confusion_matrix(metrics: dict[str, Any]) -> bytes:
    """The four counts, each with its share of the true class."""
    figure, axes = _canvas("Confusion matrix", f"predicted (fake from {metrics['threshold']:g})", "true")
    counts = np.array(metrics["confusion_matrix"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        text = f"{count}\n{share:.0%}" if counts[row].sum() else "0\nno videos"
        axes.text(
            column, row, text, ha="center", va="center", size=15, color="white" if share > 0.5 else "black"
        )
    names = [name for _, name, _ in CLASSES]
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return _png(figure)


def roc(videos: Predictions, metrics: dict[str, Any]) -> bytes:
    """The ROC curve with the AUC's interval and the operating point; a note where there is one class only."""
    figure, axes = _canvas("ROC curve", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1, label="chance")
    if metrics["auc"] is None:
        axes.text(0.5, 0.85, "needs real and fake videos", ha="center", color=_GREY)
    else:
        curve = roc_curve(videos.labels, videos.scores, drop_intermediate=False)[:2]
        axes.plot(*curve, color=CLASSES[0][2], linewidth=2, label=f"AUC {auc_text(metrics)}", clip_on=False)
        (tn, fp), (fn, tp) = metrics["confusion_matrix"]
        label = f"threshold {metrics['threshold']:g}"
        axes.plot(fp / (fp + tn), tp / (tp + fn), "o", color=CLASSES[1][2], label=label, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(loc="lower right", frameon=False)
    return _png(figure)


def score_histogram(videos: Predictions, threshold: float) -> bytes:
    """How many videos of each class have which score."""
    figure, axes = _canvas("Scores", "probability of fake", "videos")
    edges = np.linspace(0, 1, _BINS + 1).tolist()
    for label, name, colour in CLASSES:
        scores = videos.scores[videos.labels == label]
        style: dict[str, Any] = {"histtype": "step", "linewidth": 2}
        if label:
            style = {"histtype": "stepfilled", "alpha": 0.35}
        axes.hist(scores, edges, color=colour, label=f"{name} ({len(scores)})", **style)
    axes.axvline(threshold, linestyle="--", color=_GREY, linewidth=1, label=f"threshold {threshold:g}")
    axes.set_xlim(0, 1)
    axes.yaxis.set_major_locator(_whole_numbers())
    axes.legend(frameon=False)
    return _png(figure)


def face_size_histogram(
    counts: Mapping[str, Sequence[int]], edges: Sequence[float], frame_size: int
) -> bytes:
    """How many videos of each class have faces of which size, on a logarithmic axis.

    Args:
        counts: by class, of each bin.
        edges: of the bins, pixels, rising.
        frame_size: side of what the network gets, pixels.
    """
    figure, axes = _canvas("Face sizes", "side of the face box, pixels", "videos")
    for label, name, colour in CLASSES:
        style: dict[str, Any] = {"fill": True, "alpha": 0.35} if label else {"linewidth": 2}
        members = counts[name]
        axes.stairs(members, edges, color=colour, label=f"{name} ({sum(members)})", **style)
    axes.axvline(frame_size, linestyle="--", color=_GREY, linewidth=1, label="the network's input")
    axes.set_xscale("log", base=2)
    octaves = edges[:: max(1, len(edges) // 6)]
    axes.set_xticks(octaves, [f"{edge:.0f}" for edge in octaves])
    axes.yaxis.set_major_locator(_whole_numbers())
    axes.legend(frameon=False)
    return _png(figure)


def ranking_curves(labels: np.ndarray, scores: np.ndarray) -> bytes:
    """The ROC and the precision-recall curve side by side.

    Args:
        labels: int [N], of both classes.
        scores: float [N], in any unit, higher for fake.
    """
    figure = Figure(figsize=(8.8, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(*roc_curve(labels, scores, drop_intermediate=False)[:2], color=CLASSES[0][2])
    left.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1)
    left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    precision, recall, _ = precision_recall_curve(labels, scores)
    right.step(recall, precision, where="post", color=CLASSES[0][2])
    right.axhline(np.mean(labels), linestyle="--", color=_GREY, linewidth=1)
    right.set(title="Precision and recall", xlabel="recall", ylabel="precision")
    for axes in (left, right):
        axes.set(xlim=(0, 1), ylim=(0, 1.01))
        axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def attention_over_time(labels: np.ndarray, weights: np.ndarray) -> bytes:
    """Mean attention on each frame of a clip, with the middle half of the videos, or clips, shaded.

    Args:
        labels: int [N].
        weights: float [N, T], the attention on every frame.
    """
    figure, axes = _canvas("Attention over time", "frame of the clip", "attention weight")
    frames = np.arange(1, weights.shape[1] + 1)
    for label, name, colour in CLASSES:
        attention = weights[labels == label]
        if len(attention):
            low, high = np.quantile(attention, (0.25, 0.75), axis=0)
            axes.fill_between(frames, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(frames, attention.mean(axis=0), color=colour, linewidth=2, label=f"{name}, mean")
    axes.axhline(1 / len(frames), linestyle="--", color=_GREY, linewidth=1, label="every frame alike")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.legend(frameon=False)
    return _png(figure)


def _canvas(title: str, x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _whole_numbers() -> MaxNLocator:
    """Ticks for what is counted."""
    return MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
