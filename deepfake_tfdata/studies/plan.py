"""plan.json: what a study will do, written before anything trains; later it is only compared with."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepfake_tfdata.clips.spec import ClipSpec, require_same_spec
from deepfake_tfdata.clips.views import require_view
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.files import write_json
from deepfake_tfdata.input.corruptions import CORRUPTIONS
from deepfake_tfdata.options import all_options, flat
from deepfake_tfdata.records.metadata import Conversion, find_conversion, package_versions
from deepfake_tfdata.studies.cells import Cell, Contrast, cells_of, primary_of, secondary_of
from deepfake_tfdata.studies.options import StudyConfig

PLAN_FILE = "plan.json"
# They may change in a run that goes on, but decide what it becomes.
DECIDING = ("epochs", "patience")


@dataclass(frozen=True)
class Plan:
    """What a study will do.

    Attributes:
        cells: the kinds of detectors.
        seeds: runs of each.
        folds: of the cross-validation; 0 without one.
        primary: the comparison that decides.
        secondary: those that are judged together.
        margin: of equivalence.
        training: the options that all runs have in common, by name.
        data: which records: what conversion.json says of them, and the videos of each split.
        transfer: identities of the other records that are scored.
        corruptions: strengths by name, where the primary's cells are scored under them.
        weights: a hash of the file of weights that detectors begin with; '' where they are no file.
        version: of this package.
    """

    cells: tuple[Cell, ...]
    seeds: int
    folds: int
    primary: Contrast
    secondary: tuple[Contrast, ...]
    margin: float
    training: dict[str, Any]
    data: dict[str, Any]
    transfer: tuple[str, ...]
    corruptions: dict[str, list[float]]
    weights: str
    version: str

    @property
    def values(self) -> dict[str, Any]:
        """As plan.json has it, with its hash."""
        values = json.loads(
            json.dumps(
                {
                    **asdict(self),
                    "cells": [{"name": cell.name, **asdict(cell)} for cell in self.cells],
                    "primary": self.primary.name,
                    "secondary": [contrast.name for contrast in self.secondary],
                }
            )
        )
        return {**values, "hash": plan_hash(values)}

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that differ for another plan."""
        digits: str = self.values["hash"]
        return digits


@dataclass(frozen=True)
class Records:
    """The records of a study.

    Attributes:
        conversion: of those that detectors are trained on.
        others: of those that are scored beside them, in the order of --transfer.
    """

    conversion: Conversion
    others: tuple[Conversion, ...] = ()


def find_records(config: StudyConfig) -> Records:
    """The records of a study, which hold all that its cells look at.

    Raises:
        UserError: there are none, or they lack a region or what a view looks at.
    """
    cells = cells_of(config.study)
    found: list[Conversion] = []
    for data in (config.train.input.data, *config.study.transfer):
        conversion = find_conversion(data, [cell.region for cell in cells])
        if found:
            require_scorable(data, conversion, found[0])
        for cell in cells:
            require_view(cell.view, [cell.region], ClipSpec.from_dict(conversion.spec))
        found.append(conversion)
    return Records(found[0], tuple(found[1:]))


def require_scorable(data: str, other: Conversion, own: Conversion) -> None:
    """Refuses other records that could not be scored.

    Args:
        data: their folder.
        other: what conversion.json says of them.
        own: the same of those that detectors are trained on.

    Raises:
        UserError: they are the same, of another spec, or without a test split.
    """
    if other.identity == own.identity:
        raise UserError(f"--transfer={data} has the records that detectors are trained on; name others")
    own_spec, other_spec = (ClipSpec.from_dict(each.spec).seen for each in (own, other))
    require_same_spec(own_spec, other_spec, "the records of --data", f"those of --transfer={data}")
    if not other.counts["test"]["real"] + other.counts["test"]["fake"]:
        raise UserError(f"--transfer={data} has no test split; convert it with one, or leave it out")


def make_plan(config: StudyConfig, records: Records) -> Plan:
    """The plan that options make.

    Args:
        config: the options.
        records: that they name.

    Raises:
        UserError: a comparison is missing, or none of two cells.
    """
    study, conversion = config.study, records.conversion
    cells = cells_of(study)
    primary = primary_of(study, cells)
    splits = {split: counts["planned"] for split, counts in conversion.counts.items()}
    spec = ClipSpec.from_dict(conversion.spec)
    return Plan(
        cells=tuple(cells),
        seeds=study.seeds,
        folds=study.folds,
        primary=primary,
        secondary=tuple(secondary_of(study, cells, primary)),
        margin=config.comparison.margin,
        training=_training(config),
        data={**conversion.about, "spec_hash": spec.hash, "videos": splits},
        transfer=tuple(each.identity for each in records.others),
        corruptions={
            name: list(strengths.standard) for name, strengths in CORRUPTIONS.items() if study.robustness
        },
        weights=_file_hash(config.train.model.weights),
        version=package_versions()["deepfake-tfdata"],
    )


def _file_hash(weights: str) -> str:
    path = Path(weights)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def plan_hash(values: dict[str, Any]) -> str:
    """The hash of what plan.json holds beside it."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def keep_plan(folder: Path, plan: Plan) -> None:
    """Writes FOLDER/plan.json, or makes sure that it is this plan.

    Raises:
        UserError: another plan is there, or it was edited.
    """
    path = folder / PLAN_FILE
    if not path.exists():
        if (folder / "runs").exists():
            raise UserError(
                f"{path} is gone, though {folder} has runs; put it back, or choose another --workdir"
            )
        write_json(path, plan.values)
        return
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        claimed = kept.pop("hash")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(f"{path} is damaged; put it back, or choose another --workdir") from None
    if plan_hash(kept) != claimed:
        raise UserError(f"{path} was edited after it was written; put it back, or choose another --workdir")
    now = {key: value for key, value in plan.values.items() if key != "hash"}
    if kept != now:
        raise UserError(
            f"{path} planned another study ({_first_difference(kept, now)}); a plan is not changed once "
            "made: go on with its options, or choose another --workdir"
        )


def _training(config: StudyConfig) -> dict[str, Any]:
    """What all runs have in common and decides what they become."""
    values = flat(config)
    return {
        each.name: values[each.name]
        for each in all_options(type(config.train))
        if each.name in values and (not each.may_change or each.name in DECIDING) and each.name != "workdir"
    }


def _first_difference(before: Any, now: Any, name: str = "") -> str:
    """The first thing that differs between two plans, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            if before.get(key) != now.get(key):
                return _first_difference(before.get(key), now.get(key), f"{name}{'.' if name else ''}{key}")
    return f"{name} was {json.dumps(before)}, now {json.dumps(now)}"
