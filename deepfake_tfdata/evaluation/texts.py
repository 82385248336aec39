"""The figures of an evaluation as plain text."""

from collections.abc import Sequence
from typing import Any

from deepfake_tfdata.evaluation.metrics import FALSE_POSITIVE_RATES

HEADER = ("name", "data", "AUC [95 %]", "balanced accuracy", "accuracy", "videos", "coverage")


def evaluation_text(name: str, data: str, metrics: dict[str, Any]) -> str:
    """One evaluation in plain text: its figures, and under them what a reader must know of them.

    Args:
        name: of what was evaluated, such as 'mouth/attention'.
        data: on which.
        metrics: what `evaluate` found.

    Returns:
        Lines without a trailing newline.
    """
    table = aligned(HEADER, [(name, data, *figures(metrics))])
    found = [
        f"{metrics[key]:.1%} [{metrics[f'{key}_low']:.1%}, {metrics[f'{key}_high']:.1%}] at a false positive "
        f"rate of {rate:.0%}"
        for key, rate in FALSE_POSITIVE_RATES.items()
        if metrics[key] is not None
    ]
    lines = [f"fakes found: {', '.join(found)}"] if found else []
    notes = metrics["notes"]
    if calibration := metrics.get("calibration"):
        lines.append(calibration_text(calibration))
        notes = [*notes, *calibration["notes"]]
    return "\n".join([table, *lines, *(f"note: {note}" for note in notes)])


def calibration_text(block: dict[str, Any]) -> str:
    """What a score is worth, in a line.

    Args:
        block: what `judge_calibration` found.
    """
    low, high = 10 ** -block["log10_lr_low"], 10 ** block["log10_lr_high"]
    parts = [f"calibrated on {block['num_videos']} videos: likelihood ratios from 1/{low:.3g} to {high:.3g}"]
    if block["cllr"] is not None:
        parts.append(f"Cllr {block['cllr']:.3f} ({block['cllr_min']:.3f} at best)")
    strictest = next((each for each in block["p_values"] if each["supported"]), None)
    if strictest:
        parts += [
            f"p <= {strictest['level']:g} in {strictest[key]:.1%} of the {of}"
            for key, of in (("false_alarms", "real videos"), ("evidence_found", "fakes"))
            if strictest[key] is not None
        ]
    return ", ".join(parts)


def figures(metrics: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """AUC with interval, balanced and plain accuracy, number of videos and coverage, as text."""
    balanced = metrics["balanced_accuracy"]
    return (
        auc_text(metrics),
        "undefined" if balanced is None else f"{balanced:.1%}",
        f"{metrics['accuracy']:.1%}",
        str(metrics["num_videos"]),
        f"{metrics['coverage']:.1%}",
    )


def auc_text(metrics: dict[str, Any]) -> str:
    """Such as '0.970 [0.930, 0.990]'."""
    if metrics["auc"] is None:
        return "undefined"
    return f"{metrics['auc']:.3f} [{metrics['auc_low']:.3f}, {metrics['auc_high']:.3f}]"


def aligned(header: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A table as lines, with a rule under its header."""
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    lines = (header, ["-" * width for width in widths], *cells)
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)
