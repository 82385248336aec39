"""The page of one comparison: the verdict, then both methods run by run."""

from pathlib import Path

from deepfake_tfdata.evaluation.comparison import Comparison
from deepfake_tfdata.evaluation.comparison_texts import (
    basis_text,
    difference_text,
    estimate_text,
    runs_text,
    verdict_text,
)
from deepfake_tfdata.evaluation.mrmc import Estimate
from deepfake_tfdata.files import write_text
from deepfake_tfdata.reports.pages import render

DIFFERENCE_METHOD = (
    "Intervals (95 %) and p values are Obuchowski's, Rockette's and Hillis': runs stand for the seeds that "
    "there could be, groups of identities that fakes join for the videos. An AUC's interval and a "
    "difference's are of one construction."
)


def write_comparison(
    path: Path,
    first: str,
    second: str,
    data: tuple[str, str],
    comparison: Comparison,
    *,
    title: str = "Comparison of methods",
) -> None:
    """Writes an HTML page with two methods side by side, the second the reference.

    Args:
        path: of the page.
        first, second: the methods' names.
        data: on which each was scored.
        comparison: of the two.
        title: of the page.
    """
    rows = [
        _cells(second, data[1], comparison.second, comparison.second_runs, "reference"),
        _cells(first, data[0], comparison.first, comparison.first_runs, difference_text(comparison)),
    ]
    notes = (
        "Brackets hold 95 % intervals; the bar runs from 0 to 1, its tick marks chance.",
        f"{basis_text(comparison)}.",
        DIFFERENCE_METHOD,
        "Nothing corrects for the number of comparisons: of many, one in twenty differs by luck.",
    )
    page = render(
        "comparison.html",
        title=title,
        lead=f"{verdict_text(first, second, comparison)}: {difference_text(comparison)}.",
        rows=rows,
        warnings=comparison.notes,
        notes=notes,
    )
    write_text(path, page)


def _cells(
    name: str, data: str, auc: Estimate, runs: tuple[float, ...], difference: str
) -> dict[str, object]:
    low, high = auc.interval()
    return {
        "name": name,
        "data": data,
        "auc": estimate_text(auc),
        "bar": {"auc": auc.value, "auc_low": low, "auc_high": high},
        "runs": runs_text(runs),
        "difference": difference,
    }
