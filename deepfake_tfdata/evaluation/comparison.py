"""Whether one detector is better than another, from their scores for the same videos."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.intervals import (
    CONFIDENCE_LEVEL,
    RESAMPLES,
    bootstrap,
    percentile_interval,
    weighted_auc,
)
from deepfake_tfdata.evaluation.metrics import evaluate
from deepfake_tfdata.evaluation.predictions import Predictions, per_video, read_csv
from deepfake_tfdata.evaluation.texts import HEADER, aligned, figures

# In the folder of an evaluation.
METRICS_FILE, PREDICTIONS_FILE = "metrics.json", "predictions.csv"


class NothingSharedError(UserError):
    """Two detectors were not scored on the same real and fake videos."""


@dataclass(frozen=True)
class Evaluation:
    """One detector in a comparison.

    Attributes:
        name: such as 'mouth/attention'.
        predictions: of the clips.
        metrics: what `evaluate` made of them; where this project scored them, with the `data` they are of.
    """

    name: str
    predictions: Predictions
    metrics: dict[str, Any]

    @property
    def data(self) -> str:
        """Which data was scored, such as 'ffpp c23 (1b2c3d4e5f60)'; 'unknown' of another tool's scores."""
        about = self.metrics.get("data")
        return f"{about['name']} ({about['identity']})" if about else "unknown"


@dataclass(frozen=True)
class Difference:
    """How much higher the first detector's AUC is than the second's.

    Attributes:
        difference: over the shared videos, from -1 to 1.
        low: lower end of its interval.
        high: upper end.
        distinguishable: whether the interval excludes zero, on enough sources to say so.
        num_videos: the videos both scored.
    """

    difference: float
    low: float
    high: float
    distinguishable: bool
    num_videos: int

    def __str__(self) -> str:
        verdict = "distinguishable" if self.distinguishable else "not distinguishable"
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}], {verdict}"


def read_evaluation(place: Path) -> Evaluation:
    """Reads the scores of a detector.

    Args:
        place: a folder that `evaluate` left; or a CSV file for `read_csv`, whose metrics are then computed.

    Raises:
        UserError: there is no such folder or file, or it can't be read.
    """
    if place.suffix == ".csv":
        predictions = read_csv(place)
        return Evaluation(place.stem, predictions, evaluate(predictions))
    try:
        metrics = json.loads((place / METRICS_FILE).read_text(encoding="utf-8"))
        figures(metrics)  # names all that is shown of it
    except FileNotFoundError:
        raise UserError(
            f"no evaluation in {place}; name WORKDIR/evaluation/SPLIT, as the evaluate command left it, or a "
            "predictions.csv"
        ) from None
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{place / METRICS_FILE} is damaged or of another version; evaluate again") from None
    return Evaluation(_name_of(place), read_csv(place / PREDICTIONS_FILE), metrics)


def _name_of(folder: Path) -> str:
    """Such as 'mouth_attention' of runs/mouth_attention/evaluation/test."""
    *_, workdir, evaluation, split = ("", "", *folder.absolute().parts)
    return workdir if evaluation == "evaluation" else split


def compare(
    first: Predictions,
    second: Predictions,
    *,
    level: float = CONFIDENCE_LEVEL,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Difference:
    """Paired difference of two AUCs: both are computed on every resample of the source videos they share.

    The bootstrap trusts a handful of videos too readily. So two detectors are never called distinguishable on
    so few sources that a sign test could not reject even if all spoke for the same detector: at 95 %, six
    sources must have a real video, and six a fake one, that the detectors rank differently.

    Args:
        first: clips scored by one detector.
        second: clips scored by the other.
        level: confidence level.
        seed: of the resamples.
        resamples: how many.

    Raises:
        NothingSharedError: the detectors share no real or no fake video.
        UserError: they disagree on a video's label.
    """
    first, second = _shared_videos(first, second)
    labels, clusters = first.labels, first.target_ids

    def difference(weights: np.ndarray) -> np.ndarray:
        return weighted_auc(labels, first.scores, weights) - weighted_auc(labels, second.scores, weights)

    drawn = bootstrap(difference, clusters, seed=seed, resamples=resamples)
    interval = percentile_interval(drawn, level)
    sign_test = 2 * 0.5 ** _num_deciding_sources(first, second)
    return Difference(
        difference=float(difference(np.ones(len(labels)))),
        low=interval.low,
        high=interval.high,
        distinguishable=not interval.covers(0) and sign_test <= 1 - level,
        num_videos=len(labels),
    )


def differences(rows: Sequence[Evaluation]) -> list[Difference | None]:
    """Differences of the second and later rows from the first; None where no videos are shared."""
    return [_difference_or_none(row, rows[0]) for row in rows[1:]]


def comparison_table(rows: Sequence[Evaluation]) -> str:
    """A plain-text table of several evaluations, the first the reference of the differences.

    Args:
        rows: in the order to show.

    Returns:
        Aligned lines without a trailing newline.
    """
    header = (*HEADER, "difference of AUC [95 %]")
    cells = [
        (row.name, row.data, *figures(row.metrics), difference)
        for row, difference in zip(rows, difference_texts(rows), strict=True)
    ]
    return aligned(header, cells)


def difference_texts(rows: Sequence[Evaluation]) -> list[str]:
    """Each row's difference from the first, as text."""
    return ["reference", *(str(change or "no shared videos") for change in differences(rows))][: len(rows)]


def _difference_or_none(row: Evaluation, reference: Evaluation) -> Difference | None:
    try:
        return compare(row.predictions, reference.predictions)
    except NothingSharedError:
        return None


def _num_deciding_sources(first: Predictions, second: Predictions) -> int:
    """The sources with a video that the two rank differently, in the class with fewer of them."""
    differs = _wins(first.labels, first.scores) != _wins(second.labels, second.scores)
    return min(len(set(first.target_ids[differs & (first.labels == label)])) for label in (0, 1))


def _wins(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Twice the number of videos of the other class that each scores above, a tie counting one half."""
    over_reals, over_fakes = (
        sum(np.searchsorted(others, scores, side) for side in ("left", "right"))
        for others in (np.sort(scores[labels == label]) for label in (0, 1))
    )
    return np.where(labels == 1, over_reals, over_fakes)


def _shared_videos(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """The videos both have, in one order and of the same sources."""
    first, second = per_video(first), per_video(second)
    shared, in_first, in_second = np.intersect1d(first.video_keys, second.video_keys, return_indices=True)
    differs = first.labels[in_first] != second.labels[in_second]
    if differs.any():
        key = shared[differs][0]
        raise UserError(f"the detectors have different labels for video '{key}'; evaluate both again")
    if len(set(first.labels[in_first])) < 2:
        raise NothingSharedError(
            "the detectors share no real or no fake video; evaluate both on the same split"
        )
    first, second = first.select(in_first), second.select(in_second)
    # A table without sources has every video as its own; the other one may know what belongs together.
    sources = min(first.target_ids, second.target_ids, key=lambda names: len(set(names)))
    return replace(first, target_ids=sources), replace(second, target_ids=sources)
