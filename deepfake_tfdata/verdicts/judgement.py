"""What calibrated scores say of a face, and of a video with several: evidence, none found, or an abstention.

There is no verdict "real": a detector finds traces of the manipulations that it was validated on, or it
doesn't.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepfake_tfdata.evaluation.calibration import Calibration

EVIDENCE, NONE_FOUND, ABSTAINED = "evidence_of_manipulation", "no_evidence_found", "abstained"
# Priors that a likelihood ratio is shown at: rare, as in an archive; one in ten; and none preferred.
PRIORS = (0.01, 0.1, 0.5)
# Grey levels that a face changes by between sampled frames. An encoder changes a still picture less.
MIN_MOTION = 0.3

# By how much a value may be beyond all that was trained on: that is a sample.
_SLACK = 0.1

_RANGES = {
    "face_pixels": ("its face is {:.0f} pixels wide", "{:.0f} to {:.0f}"),
    "bits_a_pixel": ("it has {:.3g} bits a pixel", "{:.3g} to {:.3g}"),
    "coverage": ("its face is seen in {:.0%} of the frames", "{:.0%} to {:.0%}"),
    "frame_seconds": ("its frames lie {:.3g} seconds apart", "{:.3g} to {:.3g}"),
}


@dataclass(frozen=True)
class Standard:
    """What verdicts are held to.

    Attributes:
        calibration: None where there is none.
        why_none: then the reason, in words.
        ranges: smallest and largest of what was measured on the videos that the detector was trained on.
        level: the share of real videos that may be accused.
    """

    calibration: Calibration | None
    why_none: str
    ranges: Mapping[str, tuple[float, float]]
    level: float


@dataclass(frozen=True)
class Judgement:
    """Of a face or of a video.

    Attributes:
        verdict: evidence_of_manipulation, no_evidence_found or abstained.
        reasons: why nothing was judged, in words; of a video also which of its faces were not.
        log10_likelihood_ratio: within what the calibration supports; None where nothing was judged.
        p_real, p_fake: how often a real video scores so high, and a fake so low, at most.
    """

    verdict: str
    reasons: tuple[str, ...] = ()
    log10_likelihood_ratio: float | None = None
    p_real: float | None = None
    p_fake: float | None = None

    @property
    def posteriors(self) -> dict[str, float]:
        """The probability of a manipulation by the prior that one holds it to have; empty without a ratio."""
        if self.log10_likelihood_ratio is None:
            return {}
        ratio = 10**self.log10_likelihood_ratio
        odds = {prior: ratio * prior / (1 - prior) for prior in PRIORS}
        return {f"{prior:g}": value / (1 + value) for prior, value in odds.items()}

    @property
    def false_alarms_in_a_thousand(self) -> float | None:
        """How many of a thousand real videos score so high, at most."""
        return None if self.p_real is None else 1000 * self.p_real

    def to_dict(self) -> dict[str, Any]:
        """For verdict.json."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "log10_likelihood_ratio": self.log10_likelihood_ratio,
            "posteriors": self.posteriors,
            "p_real": self.p_real,
            "p_fake": self.p_fake,
            "false_alarms_in_a_thousand": self.false_alarms_in_a_thousand,
        }


@dataclass(frozen=True)
class Measured:
    """What is known of a face before it is judged.

    Attributes:
        logit: of its score; None where it gave no clip.
        values: what the ranges are about, by name; what is not known is left out.
        motion: of the face, grey levels; None where that is not known.
    """

    logit: float | None
    values: Mapping[str, float]
    motion: float | None


def judge_faces(faces: Sequence[Measured], standard: Standard) -> list[Judgement]:
    """Judges every face of a video.

    A video with several faces has as many chances of a false alarm. So each face is held to its share of the
    level (Bonferroni), and its p value of a real one is told as it is for the whole video.
    """
    reasons = [_why_not(face, standard) for face in faces]
    number = sum(not each for each in reasons)
    return [
        Judgement(ABSTAINED, tuple(why)) if why else _judged(face, standard, number)
        for face, why in zip(faces, reasons, strict=True)
    ]


def judge_video(faces: Sequence[Judgement], problems: Sequence[str] = ()) -> Judgement:
    """The verdict on a video, of those on its faces.

    The likelihood ratio is that of "one of these faces is manipulated, each as likely as the others" against
    "none is": the mean of theirs.

    Args:
        faces: each judged.
        problems: why faces or parts of the video were not looked at.
    """
    judged = [face for face in faces if face.log10_likelihood_ratio is not None]
    usable = [face for face in judged if face.verdict != ABSTAINED]
    why = [
        f"face {number}: {reason}" if len(faces) > 1 else reason
        for number, face in enumerate(faces, 1)
        for reason in face.reasons
    ]
    reasons = tuple(dict.fromkeys([*problems, *why]))
    if not usable:
        (only,) = judged if len(judged) == 1 else (Judgement(ABSTAINED),)
        return Judgement(
            ABSTAINED,
            reasons or ("there is no face in it",),
            only.log10_likelihood_ratio,
            only.p_real,
            only.p_fake,
        )
    found = any(face.verdict == EVIDENCE for face in usable)
    ratios = [10**face.log10_likelihood_ratio for face in usable if face.log10_likelihood_ratio is not None]
    strongest = min(usable, key=lambda face: face.p_real if face.p_real is not None else 1.0)
    return Judgement(
        EVIDENCE if found else NONE_FOUND,
        reasons,
        float(np.log10(np.mean(ratios))),
        strongest.p_real,
        strongest.p_fake,
    )


def _why_not(face: Measured, standard: Standard) -> list[str]:
    """Why a face can't be judged."""
    if face.logit is None:
        return ["its face is found in too few of the frames of every clip"]
    if standard.calibration is None:
        return [standard.why_none]
    reasons = [
        "the picture stands still: the detector judges faces that move"
        for _ in range(face.motion is not None and face.motion < MIN_MOTION)
    ]
    for name, (low, high) in standard.ranges.items():
        value = face.values.get(name)
        if value is not None and not _within(value, low, high):
            what, between = _RANGES[name]
            reasons.append(
                f"{what.format(value)}, and the detector was trained on {between.format(low, high)}"
            )
    return reasons


def _within(value: float, low: float, high: float) -> bool:
    return low * (1 - _SLACK) <= value <= high * (1 + _SLACK)


def _judged(face: Measured, standard: Standard, number: int) -> Judgement:
    """The judgement of one of so many faces."""
    assert standard.calibration is not None and face.logit is not None
    calibration, level = standard.calibration, standard.level
    ratio = float(calibration.log10_likelihood_ratio(np.array([face.logit]))[0])
    p_real, p_fake = (float(p[0]) for p in calibration.p_values(np.array([face.logit])))
    p_real = min(1.0, number * p_real)
    smallest = number * calibration.smallest_p()
    if smallest > level:
        faces = "" if number == 1 else f" for each of {number} faces"
        why = (
            f"the calibration's people are too few{faces}: no score could be as rare among real videos as "
            f"{1000 * level:.0f} in a thousand, only {1000 * smallest:.0f}; calibrate on more people, or "
            "allow more false alarms"
        )
        return Judgement(ABSTAINED, (why,), ratio, p_real, p_fake)
    if p_real <= level and p_fake <= level:
        why = "it scores unlike both the real and the fake videos of the calibration"
        return Judgement(ABSTAINED, (why,), ratio, p_real, p_fake)
    verdict = EVIDENCE if p_real <= level and ratio > 0 else NONE_FOUND
    return Judgement(verdict, (), ratio, p_real, p_fake)
