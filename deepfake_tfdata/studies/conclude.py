"""From the scores of a study to its result."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepfake_tfdata.clips.regions import REGIONS
from deepfake_tfdata.clips.spec import ClipSpec
from deepfake_tfdata.clips.views import View, sight, view_named
from deepfake_tfdata.evaluation.comparison import NothingSharedError, compare
from deepfake_tfdata.evaluation.evaluations import read_metrics
from deepfake_tfdata.evaluation.mrmc import Estimate
from deepfake_tfdata.input.corruptions import CORRUPTIONS
from deepfake_tfdata.records.ledger import LedgerEntry, read_ledger
from deepfake_tfdata.scoring.runs import read_run
from deepfake_tfdata.storage import as_path
from deepfake_tfdata.studies.analysis import (
    CellResult,
    ContrastResult,
    Scores,
    align,
    cell_results,
    contrast_results,
    left_out,
    whole_splits,
)
from deepfake_tfdata.studies.cells import MOUTH, STEPS, TOTAL, Cell, arm_contrast, exploratory_of, retained
from deepfake_tfdata.studies.conduct import Conducted
from deepfake_tfdata.studies.description import Dose, correlations, doses
from deepfake_tfdata.studies.results import (
    StudyResult,
    cell_values,
    contrast_values,
    correlation_values,
    dose_values,
    step_values,
)
from deepfake_tfdata.studies.runs import TEST
from deepfake_tfdata.studies.wording import study_notes, study_verdict

_NUISANCES = ("face_size", "jitter_per_frame", "frames_found", "size_range")


def conclude(study: Conducted) -> tuple[StudyResult, list[ContrastResult]]:
    """What a study found, and its comparisons."""
    plan = study.plan
    scored = whole_splits(study.scores())
    scores = align(scored)
    told = [plan.primary, *plan.secondary]
    contrasts = contrast_results(
        scores,
        (plan.primary.first, plan.primary.second),
        [(each.first, each.second) for each in plan.secondary],
        [(each.first, each.second) for each in exploratory_of(plan.cells, told)],
        plan.margin,
    )
    cells = cell_results(scores)
    faces = _Faces(study, scores[plan.primary.first][0].video_keys)
    primary = contrasts[0]
    by_size = doses(
        scores[plan.primary.first], scores[plan.primary.second], faces.sides, faces.input_size, plan.margin
    )
    result = StudyResult(
        plan=plan.values,
        opened=study.opened,
        verdict=study_verdict(primary, _is_on_dilution(study)),
        notes=study_notes(
            primary.comparison,
            study.opened,
            plan.folds,
            faces.sides,
            faces.input_size,
            _placebo(by_size, faces.input_size) if _is_on_dilution(study) else None,
            left_out(scored),
        ),
        cells=[
            cell_values(result, _about(study, cell, faces))
            for result, cell in zip(cells, plan.cells, strict=True)
        ],
        comparisons=[contrast_values(each) for each in contrasts],
        decomposition=_decomposition(study, scores),
        curve=_curve(study, cells),
        dose=dose_values(by_size),
        robustness=_robustness(study, cells),
        transfer=_transfer(study),
        nuisances=[
            value
            for name in (plan.primary.first, plan.primary.second)
            for value in correlation_values(name, correlations(scores[name], faces.nuisances))
        ],
    )
    return result, contrasts


def _placebo(by_size: Sequence[Dose], input_size: int) -> Estimate | None:
    """The comparison among faces no larger than the input, if there are enough."""
    small = by_size[0] if by_size and by_size[0].high <= input_size else None
    return small.comparison.difference if small and small.comparison else None


class _Faces:
    """What the ledger says of the faces of some videos.

    Args:
        study: whose records they are in.
        keys: of the videos.
    """

    def __init__(self, study: Conducted, keys: np.ndarray) -> None:
        ledger = read_ledger(as_path(study.config.train.input.data))
        self._entries: list[LedgerEntry | None] = [ledger.get(key) for key in keys.tolist()]
        spec = ClipSpec.from_dict(study.conversion.spec)
        self.input_size = study.config.train.input.frame_size or spec.frame_size
        self.spec = replace(spec, frame_size=self.input_size)
        self.sides = self._values("face_size") * (1 + 2 * spec.margin)
        self.nuisances = {name: self._values(name) for name in _NUISANCES}

    @property
    def median(self) -> float:
        """Side of the middle one's face box, pixels; NaN where none is known."""
        sizes = self.nuisances["face_size"]
        return float(np.nanmedian(sizes)) if (~np.isnan(sizes)).any() else float("nan")

    def _values(self, name: str) -> np.ndarray:
        values = [None if entry is None else getattr(entry.faces, name) for entry in self._entries]
        return np.array([np.nan if value is None else value for value in values], np.float64)


def _about(study: Conducted, cell: Cell, faces: _Faces) -> dict[str, Any]:
    """What a cell's detector is made of, and what it sees of the middle face."""
    region = REGIONS[cell.region]
    view = view_named(cell.view) if cell.view else View(region, region)
    seen = None if np.isnan(faces.median) else sight(view, region, faces.median, faces.spec)
    runs = list(study.runs_of_cell(cell.name))
    coverage = [read_metrics(each.evaluation(TEST.folder))["coverage"] for each in runs]
    return {
        "region": cell.region,
        "view": cell.view,
        "head": cell.head,
        "parameters": read_run(runs[0].config.folder).parameters,
        "coverage": float(np.mean(coverage)),
        "density": list(seen.density) if seen else None,
        "pixels": seen.pixels if seen else None,
    }


def _is_on_dilution(study: Conducted) -> bool:
    options = study.config.study
    return options.has_arms and study.plan.primary == arm_contrast(options, *STEPS["information"])


def _decomposition(study: Conducted, scores: Scores) -> list[dict[str, Any]]:
    """The whole difference between the square mouth and the face, and its steps."""
    options, steps = study.config.study, []
    for name, ends in ({**STEPS, "all together": TOTAL} if options.has_arms else {}).items():
        contrast = arm_contrast(options, *ends)
        comparison = compare(scores[contrast.first], scores[contrast.second], study.plan.margin)
        steps.append(step_values(name, contrast.first, contrast.second, comparison))
    return steps


def _curve(study: Conducted, cells: Sequence[CellResult]) -> list[dict[str, Any]]:
    """The AUC of the square mouth by retention."""
    options = study.config.study
    if not options.retentions:
        return []
    shares = sorted({float(share) for share in options.retentions} | {1.0})
    by_name = {result.name: result for result in cells}
    points = []
    for share in shares:
        view = retained(str(share)) if share < 1 else MOUTH
        cell = Cell(options.arms, view, options.heads[0]).name
        points.append(cell_values(by_name[cell], {"retention": share}))
    return points


def _robustness(study: Conducted, cells: Sequence[CellResult]) -> list[dict[str, Any]]:
    """AUCs of the primary's cells by corruption and strength, those without corruption among them."""
    plan = study.plan
    deciding = (plan.primary.first, plan.primary.second)
    clean = [result for result in cells if result.name in deciding and plan.corruptions]
    found = [
        cell_values(result, {"corruption": name, "strength": strengths.neutral, "unit": strengths.unit})
        for name, strengths in CORRUPTIONS.items()
        if strengths.neutral is not None
        for result in clean
    ]
    for scoring in study.scorings["robustness"]:
        name, strength = scoring.corruption or ("", 0.0)
        about = {"corruption": name, "strength": strength, "unit": CORRUPTIONS[name].unit}
        results = cell_results(align(whole_splits(study.scores(scoring, deciding))))
        found += [cell_values(result, about) for result in results]
    return sorted(found, key=lambda row: (list(CORRUPTIONS).index(row["corruption"]), row["strength"]))


def _transfer(study: Conducted) -> list[dict[str, Any]]:
    """AUCs of all cells on other data."""
    found: list[dict[str, Any]] = []
    for scoring in study.scorings["transfer"]:
        try:
            results = cell_results(align(whole_splits(study.scores(scoring))))
        except NothingSharedError as error:  # other data may have one class only
            found.append({"data": scoring.data, "reason": str(error)})
        else:
            found += [cell_values(result, {"data": scoring.data}) for result in results]
    return found
