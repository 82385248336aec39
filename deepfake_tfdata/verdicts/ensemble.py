"""One detector or several that judge together: what they take, how their scores are joined and calibrated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from deepfake_tfdata.clips.inspected import InspectionPlan
from deepfake_tfdata.clips.regions import Region
from deepfake_tfdata.clips.spec import ClipSpec, require_same_spec
from deepfake_tfdata.errors import UserError
from deepfake_tfdata.evaluation.calibration import (
    Calibration,
    DetectorCalibration,
    combine,
    fit_calibration,
    video_logit,
)
from deepfake_tfdata.scoring.applied import (
    EXPORT_FILE,
    AppliedDetector,
    ClipOutputs,
    GoOn,
    open_detector,
    to_the_end,
)
from deepfake_tfdata.verdicts.judgement import Standard

# Of all windows of a face at once: a clip by region, uint8 [T, H, W, 3].
Clips = Sequence[Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Ensemble:
    """Detectors of clips of one spec.

    Attributes:
        detectors: one or more.
    """

    detectors: tuple[AppliedDetector, ...]

    def __post_init__(self) -> None:
        first, *others = self.detectors
        for other in others:
            require_same_spec(first.spec.seen, other.spec.seen, f"{first.place}", f"{other.place}")
        if self.spec.detector == "boxes":
            raise UserError(
                f"{first.place} was trained on faces that files of boxes give (--detector=boxes), which a "
                "video of one's own has not; train on records of --detector=haar or yunet"
            )

    @property
    def spec(self) -> ClipSpec:
        """Of the clips that they take."""
        return self.detectors[0].spec

    @property
    def regions(self) -> tuple[Region, ...]:
        """Those that any of them looks at."""
        names = dict.fromkeys(name for each in self.detectors for name in each.regions)
        table = {region.name: region for region in self.spec.regions}
        return tuple(table[name] for name in names)

    def plan(self, max_clips: int) -> InspectionPlan:
        """How a video is to be inspected: clips that span no more time than those of the training did."""
        spacing = self._ranges.get("frame_seconds")
        span = spacing[1] * (self.spec.num_frames - 1) if spacing else None
        return InspectionPlan(self.spec, self.regions, span, max_clips)

    def score(self, clips: Clips, go_on: GoOn = to_the_end) -> list[ClipOutputs]:
        """What each detector says of clips; `go_on` is called before every few.

        Raises:
            UserError: a score is no number.
        """
        outputs = []
        for detector in self.detectors:
            taken = [{name: clip[name] for name in detector.regions} for clip in clips]
            outputs.append(detector.score(taken, go_on))
            if not np.isfinite(outputs[-1].logits).all():
                raise UserError(
                    f"the detector in {detector.place} gives a score that is no number (did training "
                    "diverge, or is it too much for its precision?); train it again"
                )
        return outputs

    def logit(self, outputs: Sequence[ClipOutputs], rows: slice = slice(None)) -> float:
        """The log odds of a video of which these clips are: as the videos of the calibration have theirs."""
        logits = [video_logit(expit(output.logits[rows].astype(np.float64))) for output in outputs]
        if len(logits) == 1:
            return logits[0]
        own = self._own_calibrations
        if not own:
            return float(np.mean(logits))
        pairs = zip(own, logits, strict=True)
        return float(np.mean([each.unbounded(np.array(logit)) for each, logit in pairs]))

    def standard(self, level: float) -> Standard:
        """What a verdict on their scores is held to."""
        calibration, why = self._calibration
        return Standard(calibration, why, self._ranges, level)

    @property
    def methods(self) -> tuple[str, ...]:
        """The manipulations that the calibration is about."""
        return tuple(dict.fromkeys(method for each in self._of_detectors for method in each.methods))

    def describe(self) -> list[dict[str, Any]]:
        """The detectors, for verdict.json."""
        return [
            {
                "name": each.name,
                "place": str(each.place),
                "fingerprint": each.fingerprint,
                "spec": each.spec.hash,
                "regions": list(each.regions),
                "head": each.head,
                "view": each.view,
                "frame_size": each.frame_size,
            }
            for each in self.detectors
        ]

    @property
    def versions(self) -> dict[str, str]:
        """Of what runs them."""
        return {name: version for each in self.detectors for name, version in each.versions.items()}

    @cached_property
    def _of_detectors(self) -> tuple[DetectorCalibration, ...]:
        """Those of all detectors; none where one lacks it."""
        found = tuple(each.calibration for each in self.detectors if each.calibration is not None)
        return found if len(found) == len(self.detectors) else ()

    @cached_property
    def _own_calibrations(self) -> list[Calibration]:
        return [fit_calibration(each.reference) for each in self._of_detectors]

    @cached_property
    def _calibration(self) -> tuple[Calibration | None, str]:
        """The calibration of their joint score, or why there is none."""
        if not self._of_detectors:
            lacking = next(each.place for each in self.detectors if each.calibration is None)
            is_export = (lacking / EXPORT_FILE).is_file()
            workdir, then = ("RUN", ", and export it again") if is_export else (lacking, "")
            return None, (
                f"the detector in {lacking} is not calibrated; run 'python -m deepfake_tfdata.evaluate "
                f"--workdir={workdir}'{then}; its report says why where it can't be"
            )
        references = [each.reference for each in self._of_detectors]
        return fit_calibration(references[0] if len(references) == 1 else combine(references)), ""

    @cached_property
    def _ranges(self) -> dict[str, tuple[float, float]]:
        """What all of them were trained on."""
        ranges: dict[str, tuple[float, float]] = {}
        for name, (low, high) in (item for each in self._of_detectors for item in each.ranges.items()):
            known_low, known_high = ranges.get(name, (low, high))
            ranges[name] = max(low, known_low), min(high, known_high)
        return ranges


def open_ensemble(places: Sequence[str]) -> Ensemble:
    """Opens runs or exports that are to judge together.

    Raises:
        UserError: one can't be opened, or they take clips of different specs.
    """
    return Ensemble(tuple(open_detector(Path(place)) for place in places))
