"""One detector's scores of a split, read back."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.predictions import Predictions, read_csv, write_csv
from deepfake_tfdata.files import write_json

UNKNOWN_DATA = "unknown"
# In the folder of an evaluation.
METRICS_FILE, PREDICTIONS_FILE = "metrics.json", "predictions.csv"


@dataclass(frozen=True)
class Evaluation:
    """One detector's scores.

    Attributes:
        name: such as 'mouth/attention'.
        predictions: of the clips.
        metrics: what `evaluate` made of them; where this project scored them, with the `data` they are of.
            Empty of another tool's scores.
    """

    name: str
    predictions: Predictions
    metrics: dict[str, Any]

    @property
    def data(self) -> str:
        """Which data was scored, such as 'ffpp c23 (1b2c3d4e5f60)'; 'unknown' of another tool's scores."""
        about = self.metrics.get("data")
        return f"{about['name']} ({about['identity']})" if about else UNKNOWN_DATA


def read_evaluation(place: Path) -> Evaluation:
    """Reads the scores of a detector.

    Args:
        place: a folder that `evaluate` left; or a CSV file for `read_csv`.

    Raises:
        UserError: there is no such folder or file, or it can't be read.
    """
    if place.suffix == ".csv":
        return Evaluation(place.stem, read_csv(place), {})
    metrics = read_metrics(place)
    return Evaluation(_name_of(place), read_csv(place / PREDICTIONS_FILE), metrics)


def read_metrics(place: Path) -> dict[str, Any]:
    """Reads the figures of an evaluation's folder.

    Raises:
        UserError: there is no such folder, or it can't be read.
    """
    try:
        metrics: dict[str, Any] = json.loads((place / METRICS_FILE).read_text(encoding="utf-8"))
        _ = metrics["auc"], metrics["coverage"], (metrics.get("data") or {"name": "", "identity": ""})["name"]
    except FileNotFoundError:
        raise UserError(
            f"no evaluation in {place}; name WORKDIR/evaluation/SPLIT, as the evaluate command left it, or a "
            "predictions.csv"
        ) from None
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{place / METRICS_FILE} is damaged or of another version; evaluate again") from None
    return metrics


def write_scores(folder: Path, predictions: Predictions, metrics: dict[str, Any]) -> None:
    """Writes what `read_evaluation` reads; metrics.json comes last, so that it marks a complete folder."""
    write_csv(predictions, folder / PREDICTIONS_FILE)
    write_json(folder / METRICS_FILE, metrics)


def common_name(names: list[str]) -> str:
    """What to call runs of one method: 'mouth_attention' of mouth_attention-1 and mouth_attention-2."""
    shared = os.path.commonprefix(names)  # noqa: RUF071  # names are no paths
    if shared not in names:
        shared = re.sub(r"[A-Za-z0-9]+$", "", shared)  # half a word or number
    return names[0] if len(names) == 1 else shared.rstrip("-_. ") or names[0]


def _name_of(folder: Path) -> str:
    """Such as 'mouth_attention' of runs/mouth_attention/evaluation/test, or of a study's .../seed-0/..."""
    *_, cell, workdir, evaluation, split = ("", "", "", *folder.absolute().parts)
    if evaluation != "evaluation":
        return split
    return cell if workdir.startswith("seed-") else workdir
