"""A study's result as plain values, for study.json and its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deepfake_tfdata.clips.video import LABEL_NAMES
from deepfake_tfdata.evaluation.comparison import Comparison
from deepfake_tfdata.evaluation.comparison_texts import comparison_values
from deepfake_tfdata.evaluation.mrmc import Estimate
from deepfake_tfdata.studies.analysis import CellResult, ContrastResult
from deepfake_tfdata.studies.description import Correlation, Dose


@dataclass(frozen=True)
class StudyResult:
    """All that a study found; plain values, ready for JSON.

    Attributes:
        plan: as plan.json has it.
        opened: as test_opened.json has it.
        verdict: a sentence on the primary comparison.
        notes: what a reader must know of it, in plain words.
        cells: by order of the plan: name, AUC with interval, runs, and what the cell is made of.
        comparisons: the primary one first; each with its kind and verdict.
        decomposition: of the whole difference into steps, where there are arms.
        curve: the AUC by retention, where there are arms.
        dose: the primary comparison by the size of faces.
        robustness: AUCs of the primary's cells by corruption and strength.
        transfer: AUCs of all cells on other data.
        nuisances: correlations of scores with what should not matter, within each class.
    """

    plan: dict[str, Any]
    opened: dict[str, Any]
    verdict: str
    notes: list[str]
    cells: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]
    decomposition: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    dose: list[dict[str, Any]] = field(default_factory=list)
    robustness: list[dict[str, Any]] = field(default_factory=list)
    transfer: list[dict[str, Any]] = field(default_factory=list)
    nuisances: list[dict[str, Any]] = field(default_factory=list)


def estimate_values(estimate: Estimate) -> dict[str, float]:
    """A figure with its interval."""
    low, high = estimate.interval()
    return {"value": estimate.value, "low": low, "high": high, "se": estimate.se, "df": estimate.df}


def cell_values(cell: CellResult, about: Mapping[str, Any]) -> dict[str, Any]:
    """A cell, and what it is made of."""
    low, high = cell.auc.interval()
    return {
        "name": cell.name,
        "auc": cell.auc.value,
        "auc_low": low,
        "auc_high": high,
        "runs": list(cell.runs),
        **about,
    }


def contrast_values(contrast: ContrastResult) -> dict[str, Any]:
    """A comparison of two cells."""
    return {
        "kind": contrast.kind,
        "first": contrast.first,
        "second": contrast.second,
        **comparison_values(contrast.comparison),
    }


def step_values(name: str, first: str, second: str, comparison: Comparison) -> dict[str, Any]:
    """A step from one arm to another."""
    return {
        "step": name,
        "first": first,
        "second": second,
        **estimate_values(comparison.difference),
    }


def dose_values(doses: Sequence[Dose]) -> list[dict[str, Any]]:
    """A comparison by face size; without figures where too few videos are there."""
    return [
        {
            "face_above": dose.low,
            "face_up_to": dose.high,
            "num_videos": dose.num_videos,
            **(estimate_values(dose.comparison.difference) if dose.comparison else {"value": None}),
        }
        for dose in doses
    ]


def correlation_values(cell: str, correlations: Sequence[Correlation]) -> list[dict[str, Any]]:
    """The correlations of one cell."""
    return [
        {
            "cell": cell,
            "nuisance": each.nuisance,
            "class": LABEL_NAMES[each.label],
            "value": each.value,
            "low": each.interval.low if each.interval else None,
            "high": each.interval.high if each.interval else None,
        }
        for each in correlations
    ]
