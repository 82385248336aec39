"""What a score is worth as evidence, by videos that nothing else was fitted to.

The videos of one component share faces, scenes and codecs: they say the same thing several times. So a
component counts once here, however many videos it has, in the likelihood ratio, in its bounds and in the p
values.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.balanced_logistic import affine_log_ratio
from deepfake_tfdata.evaluation.evidence_bounds import evidence_bounds
from deepfake_tfdata.files import write_json

CALIBRATION_FILE = "calibration.json"
# What is known of the train split's videos, and what another video is held against: median side of the face
# box, bits of the coded video a pixel, share of sampled frames with the face, median seconds between frames.
RANGES = ("face_pixels", "bits_a_pixel", "coverage", "frame_seconds")
# A probability in double precision may be exactly one.
_SMALLEST_PROBABILITY = 1e-12
# Decimals of sums of shares, which should not differ by rounding.
_DECIMALS = 9


@dataclass(frozen=True, eq=False)
class ReferenceScores:
    """The scores of N videos set aside for calibration.

    Attributes:
        video_keys: str [N], unique.
        labels: int [N], 0 real, 1 fake.
        components: str [N], the connected component of identities.
        logits: float64 [N], the log odds of the video's score.
    """

    video_keys: np.ndarray
    labels: np.ndarray
    components: np.ndarray
    logits: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """What each video weighs, float64 [N]: one over how many its component has of its class."""
        kinds = np.stack([self.components.astype(str), self.labels.astype(str)], axis=1)
        _, kind, counts = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
        weights: np.ndarray = 1 / counts[kind.reshape(-1)]
        return weights

    def num_components(self, label: int) -> int:
        """How many components have a video of a class."""
        return len(set(self.components[self.labels == label].tolist()))


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a video's log odds are worth as evidence of manipulation.

    Attributes:
        reference: the videos that say so.
        slope, intercept: of the log likelihood ratio, to base e, before it is bounded.
        low, high: the bounds that the reference supports, of log10 of the ratio; low <= 0 <= high.
    """

    reference: ReferenceScores
    slope: float
    intercept: float
    low: float
    high: float

    def unbounded(self, logits: np.ndarray) -> np.ndarray:
        """Log likelihood ratios to base e of logits [N], beyond what the reference supports, too."""
        ratios: np.ndarray = self.slope * np.asarray(logits, np.float64) + self.intercept
        return ratios

    def log10_likelihood_ratio(self, logits: np.ndarray) -> np.ndarray:
        """How much likelier the scores of videos are if they are fake, log10, within the bounds.

        Args:
            logits: float [N], log odds of the videos' scores.
        """
        ratios: np.ndarray = np.clip(self.unbounded(logits) / np.log(10), self.low, self.high)
        return ratios

    def p_values(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How rarely a real video scores so high, and a fake so low.

        p = (1 + sum over components of the share of its videos that are no less extreme) / (components + 1),
        each class by itself. A real video of a component like those of the reference has p_real <= a with a
        chance of no more than a, whatever the scores are: Y. Lee, R. F. Barber and R. Willett,
        Distribution-free inference with hierarchical data (arXiv 2306.06342), with V. Vovk's classes apart
        (Mondrian conformal prediction). With a video a component it is the plain conformal p value.

        Args:
            logits: float [N].

        Returns:
            float64 [N] each.
        """
        logits = np.asarray(logits, np.float64)
        reference = self.reference
        weights, scores, is_real = reference.weights, reference.logits, reference.labels == 0
        return (
            _conformal_p(-scores[is_real], weights[is_real], -logits),
            _conformal_p(scores[~is_real], weights[~is_real], logits),
        )

    def smallest_p(self) -> float:
        """What no score's p_real can go below."""
        return 1 / (self.reference.num_components(0) + 1)


def fit_calibration(reference: ReferenceScores) -> Calibration:
    """Fits the likelihood ratio and its bounds.

    Raises:
        UserError: there are no real or no fake videos.
    """
    for label, name in enumerate(("real", "fake")):
        if not np.any(reference.labels == label):
            raise UserError(f"no {name} video was set aside for calibration; convert more validation videos")
    weights = reference.weights
    slope, intercept = affine_log_ratio(reference.logits, reference.labels, weights)
    ratios = (slope * reference.logits + intercept) / np.log(10)
    return Calibration(reference, slope, intercept, *evidence_bounds(ratios, reference.labels, weights))


def combine(references: Sequence[ReferenceScores]) -> ReferenceScores:
    """What several detectors say together: the mean of the log odds that each is calibrated to, unbounded.

    A new video's score is the mean of `fit_calibration(reference).unbounded(logit)` over the detectors.

    Raises:
        UserError: they are not of the same videos, or a class is missing.
    """
    first = references[0]
    order = np.argsort(first.video_keys)
    ratios = []
    for each in references:
        if each is not first and not _same_videos(first, each):
            raise UserError(
                "the detectors were calibrated on different videos; combine runs of the same data and "
                "--calibration"
            )
        calibrated = fit_calibration(each).unbounded(each.logits)
        ratios.append(calibrated[np.argsort(each.video_keys)])
    return ReferenceScores(
        first.video_keys[order], first.labels[order], first.components[order], np.mean(ratios, axis=0)
    )


def video_logit(probabilities: np.ndarray) -> float:
    """The log odds of a video's score, the mean of its clips' probabilities [N]; always finite."""
    return float(video_logits(np.mean(probabilities)))


def video_logits(scores: np.ndarray) -> np.ndarray:
    """The same of videos' scores, float64 of any shape."""
    odds: np.ndarray = logit(np.clip(scores, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY))
    return odds


@dataclass(frozen=True)
class DetectorCalibration:
    """What is known of a detector for judging other videos, as WORKDIR/calibration.json holds it.

    Attributes:
        reference: the scores of the videos set aside.
        ranges: the smallest and the largest among the train split's videos, by names of RANGES; what is not
            known is missing.
        model: the sha256 of the model.keras that gave the scores.
        data: the identity of the data; see Conversion.
        methods: of the reference's fakes, sorted: what the calibration is about.
    """

    reference: ReferenceScores
    ranges: Mapping[str, tuple[float, float]]
    model: str
    data: str
    methods: tuple[str, ...]


def read_calibration(folder: Path) -> DetectorCalibration:
    """Reads the calibration of a run, or of what was exported of it.

    Raises:
        UserError: there is none, or it is damaged.
    """
    path = folder / CALIBRATION_FILE
    advice = f"run 'python -m deepfake_tfdata.evaluate --workdir={folder}'"
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        columns = values["reference"]
        reference = ReferenceScores(
            np.array(columns["video_keys"], str),
            np.array(columns["labels"], np.int64),
            np.array(columns["components"], str),
            np.array(columns["logits"], np.float64),
        )
        if {len(getattr(reference, name)) for name in columns} != {len(reference.logits)}:
            raise ValueError("columns of different lengths")
        return DetectorCalibration(
            reference,
            {name: (float(low), float(high)) for name, (low, high) in values["ranges"].items()},
            str(values["model"]),
            str(values["data"]),
            tuple(map(str, values["methods"])),
        )
    except FileNotFoundError:
        raise UserError(f"no calibration in {folder}; {advice}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(f"{path} is damaged or of another version; remove it and {advice}") from None


def write_calibration(folder: Path, calibration: DetectorCalibration) -> None:
    """Writes what `read_calibration` reads, atomically."""
    reference = calibration.reference
    write_json(
        folder / CALIBRATION_FILE,
        {
            "model": calibration.model,
            "data": calibration.data,
            "methods": list(calibration.methods),
            "ranges": {name: list(ends) for name, ends in calibration.ranges.items()},
            "reference": {
                name: getattr(reference, name).tolist()
                for name in ("video_keys", "labels", "components", "logits")
            },
        },
    )


def _conformal_p(reference: np.ndarray, weights: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(1 + weight of the references at or below each score) / (1 + all weight)."""
    order = np.argsort(reference)
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    places = np.searchsorted(reference[order], scores, side="right")
    p_values: np.ndarray = (1 + np.round(below[places], _DECIMALS)) / (1 + np.round(below[-1], _DECIMALS))
    return p_values


def _same_videos(first: ReferenceScores, other: ReferenceScores) -> bool:
    orders = [np.argsort(each.video_keys) for each in (first, other)]
    return all(
        np.array_equal(getattr(first, name)[orders[0]], getattr(other, name)[orders[1]])
        for name in ("video_keys", "labels", "components")
    )
