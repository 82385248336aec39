"""A page that sets evaluations side by side."""

from collections.abc import Sequence
from pathlib import Path

from deepfake_tfdata.evaluation.comparison import Evaluation, difference_texts
from deepfake_tfdata.evaluation.texts import auc_text, figures
from deepfake_tfdata.files import write_text
from deepfake_tfdata.reports.evaluation_report import INTERVAL_METHOD
from deepfake_tfdata.reports.pages import render


def write_comparison(
    path: Path, rows: Sequence[Evaluation], *, title: str = "Comparison of detectors"
) -> None:
    """Writes an HTML page with several evaluations side by side, the first the reference of the differences.

    Args:
        path: of the page.
        rows: at least one.
        title: of the page.

    Raises:
        UserError: the detectors have different labels for a video.
    """
    differences = difference_texts(rows)
    notes = (
        "Brackets hold 95 % intervals; the bar runs from 0 to 1, its tick marks chance.",
        f"Differences are from {rows[0].name}, over the videos both scored and the same resamples of them. "
        "Distinguishable means that the interval excludes zero and at least six sources decide it.",
        "Nothing corrects for the number of detectors: of many, one in twenty differs by luck.",
        INTERVAL_METHOD,
    )
    cells = [_cells(row, difference) for row, difference in zip(rows, differences, strict=True)]
    write_text(
        path, render("comparison.html", title=title, lead=_best(rows, differences), rows=cells, notes=notes)
    )


def _cells(row: Evaluation, difference: str) -> dict[str, object]:
    auc, balanced, accuracy, videos, coverage = figures(row.metrics)
    return {
        "name": row.name,
        "data": row.data,
        "metrics": row.metrics,
        "auc": auc,
        "balanced": balanced,
        "accuracy": accuracy,
        "videos": videos,
        "coverage": coverage,
        "difference": difference,
    }


def _best(rows: Sequence[Evaluation], differences: Sequence[str]) -> str:
    """The sentence to remember: the highest AUC, and its difference from the reference."""
    scored = [index for index, row in enumerate(rows) if row.metrics["auc"] is not None]
    if not scored:
        return "No detector has an AUC: each was scored on one class only."
    best = max(scored, key=lambda index: rows[index].metrics["auc"])
    sentence = f"Highest AUC: {rows[best].name}, {auc_text(rows[best].metrics)}"
    return sentence + (
        f". Difference from {rows[0].name}: {differences[best]}." if best else ", the reference."
    )
